"""One component a file. Each says what it deliberately does not create."""
