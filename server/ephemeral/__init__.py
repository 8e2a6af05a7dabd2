"""What may vanish: rate limits, caches and fan-out, in Redis or in this process."""
