"""Kubernetes: manifests of a repository as they name each other, and what each says of a stream."""
