"""A strategy branch touches its own strategy."""
