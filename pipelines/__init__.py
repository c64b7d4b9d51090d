"""The delivery engine of Slipway: what takes a release to an environment, and back."""
