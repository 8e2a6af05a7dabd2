"""What may vanish: rate limits, nonces, caches and fan-out, in Redis or in this process."""
