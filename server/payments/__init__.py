"""Where the server asks whether somebody paid."""
