"""Container images of a release and of the engine: wheels, a Docker Engine, equal bytes each time."""
