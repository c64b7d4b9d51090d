"""Examining a strategy: what a careful reviewer would try before it may trade.

The judge (this package, except `subject/`) is trusted. The strategy under examination runs in
child processes that `subject/` confines; it gets bars one day at a time and answers signals.
"""
