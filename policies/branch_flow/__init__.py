"""Which branch may go where."""
