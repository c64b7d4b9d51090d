"""What all suites share."""

from __future__ import annotations

from hypothesis import settings

# Hypothesis' limit of 200 ms an example is of the wall clock: a busy machine breaks it at random.
settings.register_profile("slipway", deadline=None)
settings.load_profile("slipway")
