"""Opening, checking and converting what samples show."""
