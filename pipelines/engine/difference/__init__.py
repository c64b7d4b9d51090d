"""What differs between a desired and a live object, without noise. Pure."""
