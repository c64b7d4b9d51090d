"""The figures of docs/benchmarks.md, measured on this machine: `python -m bench`."""
