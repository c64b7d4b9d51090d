"""Orders: model, state machine, journal and the service that accepts them."""
