"""Keeping step with the server: the feed down, the log up, over whatever link there is."""
