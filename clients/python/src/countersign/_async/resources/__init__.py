"""What the service can be asked, by area."""
