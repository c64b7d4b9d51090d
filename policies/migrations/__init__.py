"""What a migration may do while the old release runs."""
