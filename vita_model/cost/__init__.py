"""What training costs: floating-point operations, memory, days and money."""
