"""Positions and equity: derived from fills, owned by the database, not by a process."""
