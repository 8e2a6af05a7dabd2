"""What this server counts and measures, in a registry of its own; the only importer of prometheus_client."""
