"""A `noqa` comment suppresses nothing.

## What it does
Reports a `# noqa: LGS…` comment (or a file-wide one) that no finding needs any more.

## Why it cuts the stream
It hides the next cut: the mistake it was written for is gone, and a new one on the same line would be silenced.

## Example
```python
from langgraph.graph import StateGraph

builder = StateGraph(dict)  # noqa: LGS201
```

## Use instead
```python
from langgraph.graph import StateGraph

builder = StateGraph(dict)
```

## Fix
Safe: the code is removed from the comment, and the comment when nothing is left of it. Other tools' codes stay.

## Limits
Reported by the command only, not through flake8, which cannot know which of its plugins a comment is for. Codes that are
not selected, or whose findings are hidden because they are advice, are left alone. A bare `# noqa` is never reported.

## Evidence
Covered by the tests for suppression comments; there is nothing to run.

## References
- <https://flake8.pycqa.org/en/latest/user/violations.html>
"""
