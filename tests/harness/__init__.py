"""A whole installation for tests and benchmarks: made, looked at from outside, hurt, ended."""
