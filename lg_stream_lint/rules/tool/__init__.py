"""LGS0: the tool itself."""
