"""What a strategy may risk in its examination."""
