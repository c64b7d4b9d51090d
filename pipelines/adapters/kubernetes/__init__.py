"""The Kubernetes API server, charts and images behind their protocols."""
