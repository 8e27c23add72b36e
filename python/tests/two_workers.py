"""gunicorn: as many workers as an operator may ask for in a file."""

workers = 2
