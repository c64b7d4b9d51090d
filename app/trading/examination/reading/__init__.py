"""Reading a strategy's source: what it may not contain, found without running it."""
