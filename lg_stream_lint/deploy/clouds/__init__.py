"""Clouds and platforms: what their files say, read into hops, whatever the format."""
