"""Pure decisions: what git and the row together ask for, whether a release may go, how a soak ended."""
