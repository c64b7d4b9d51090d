"""What an order must pass before it exists, and the kill switch in front of the gateway."""
