"""The one sync engine: order, hooks, what a sync does to each object. Pure."""
