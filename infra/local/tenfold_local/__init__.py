"""A real Kubernetes of several nodes on one Debian machine."""
