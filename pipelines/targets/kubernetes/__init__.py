"""An environment on a Kubernetes cluster."""
