"""Committed facts between programs: RabbitMQ, or the same within this process."""
