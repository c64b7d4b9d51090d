"""The paper venue: a process of its own with its own book on disk and an HTTP API."""
