"""What any target must do. A capability of targets/protocol.py without a test here does not exist."""
