"""Pure rules that only the server has."""
