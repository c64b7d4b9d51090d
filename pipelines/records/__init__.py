"""Lock, journal, audit, freeze: what the engine remembers, over one store protocol."""
