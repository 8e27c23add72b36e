"""Stories that a person lives through in a browser."""
