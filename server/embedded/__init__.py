"""A private PostgreSQL in the program's own data directory, for machines without a database server."""
