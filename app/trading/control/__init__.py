"""Who trades: the lease with its fencing token, hand-over, reconciliation, the live loop."""
