"""Schema changes: Alembic scripts in `versions/`, applied by `runner`, recorded in the ledger.

The ledger (`slipway.migrations`) keeps each script, and code asks "is the revision I need
contained", never "is head mine": a database may be ahead of the code that reads it.
"""
