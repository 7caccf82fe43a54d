"""Caddy's configuration: the file as a tree, its snippets and imports, and the hops in it."""
