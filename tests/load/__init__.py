"""A load generator that counts what a client would notice, and uses little CPU of its own."""
