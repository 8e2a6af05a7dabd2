"""The ticket server: owns every ticket from reservation to burn."""
