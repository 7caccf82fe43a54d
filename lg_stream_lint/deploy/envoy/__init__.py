"""Envoy's configuration: clusters, and the routes that lead to them."""
