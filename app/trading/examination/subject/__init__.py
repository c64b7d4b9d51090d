"""What runs inside the child process: first the walls, then the strategy.

The judge copies this folder beside the subject's package, under the name `trading_subject`. So it
is always the judge's, never the subject's, and imports of it are relative.
"""
