"""Health of Kubernetes objects, as Argo CD judges it. Pure."""
