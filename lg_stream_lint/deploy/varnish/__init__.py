"""Varnish's configuration language: backends, and what the routines do to a stream."""
