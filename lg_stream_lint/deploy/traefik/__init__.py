"""Traefik's configuration: what its keys mean (also in labels), entry points, routers and services."""
