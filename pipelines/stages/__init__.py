"""What a check consists of: one stage a file (or folder), each with the same protocol."""
