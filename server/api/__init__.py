"""HTTP: decode, call a service, encode."""
