"""The fixtures, run for real: see README.md in this folder."""
