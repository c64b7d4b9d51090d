"""Where an environment runs. One protocol, one contract test suite."""
