"""LGS1: the client that produces the tokens."""
