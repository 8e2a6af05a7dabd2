"""What the server shows in a browser."""
