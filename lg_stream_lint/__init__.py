"""lg-stream-lint: finds why a LangGraph stream is cut off, held back or faked, before production does.

Kept free of imports: the flake8 plugin and the command are started for every commit, and pay for each one.
"""

__version__ = "0.1.0"
