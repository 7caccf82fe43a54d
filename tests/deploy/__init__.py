"""Readers of deployment files, links between them, and the rules over settings."""
