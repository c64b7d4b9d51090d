"""The long-running actor of an environment."""
