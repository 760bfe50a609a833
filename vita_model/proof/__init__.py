"""The proof on two cores that the stages teach what the paper says they do."""
