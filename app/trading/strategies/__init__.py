"""Strategies: one folder each, loaded by name through `registry`."""
