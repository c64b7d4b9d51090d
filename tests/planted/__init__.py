"""Builds that are wrong on purpose, each in one way, and what must catch them."""
