"""The server's use cases: one verb a file, ports as arguments, each owning its transaction."""
