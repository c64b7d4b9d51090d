"""Who must have approved before a merge."""
