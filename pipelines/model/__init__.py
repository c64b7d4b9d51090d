"""Frozen facts and the step table. No input or output happens here."""
