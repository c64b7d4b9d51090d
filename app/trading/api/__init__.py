"""The HTTP and WebSocket API, and the server whose switch of slots drops no request."""
