"""The gate agent: reads codes from a camera, decides with or without a network, and keeps what it decided."""
