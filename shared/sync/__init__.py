"""What gates and server tell each other."""
