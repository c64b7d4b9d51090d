"""What a release must have earned before it may go on."""
