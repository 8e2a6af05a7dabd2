"""What a ticket is and how its state may change."""
