"""LGS2: how the graph is run."""
