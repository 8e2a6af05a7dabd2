"""What can fill the terminal: the lane, and what is laid over it for a moment."""
