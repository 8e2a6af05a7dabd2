"""What a ticket's QR code says and how it is checked."""
