"""LGS4: what the handler hands to the server."""
