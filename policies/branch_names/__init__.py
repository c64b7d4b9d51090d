"""What branches may be called."""
