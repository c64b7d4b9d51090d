"""Bars, the packaged sample data, its replay, and the stored bars."""
