"""The trading application. Importing the package imports nothing else: commands stay light."""

__version__ = "0.1.0"
