"""One module for each thing the API offers."""
