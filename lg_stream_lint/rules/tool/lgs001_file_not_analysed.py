"""A file could not be analysed.

## What it does
Reports a file that cannot be decoded by its declared encoding, is not valid Python, or is nested deeper than the parser
can bear. One finding says why.

## Why it cuts the stream
It does not. But a linter that skips a file in silence says "no findings" about code that it never read.

## Example
```python
from langgraph.graph import StateGraph

async def chat(:
    pass
```

## Use instead
```python
from langgraph.graph import StateGraph


async def chat():
    pass
```

## Fix
None: the file has to be repaired, or excluded with `exclude`.

## Limits
Reported for files that are named on the command line or hold a framework's word (such as `langgraph`); other unreadable
files, and files over 5 MB, are counted in the coverage statement. Not reported through flake8, which reports E902 or E999
itself. LibCST reads newer syntax than the Python that runs it, so a file is never refused for being too modern.

## Evidence
LibCST 1.9.0: 3,000 nested brackets end the process with a segmentation fault, so nesting is measured before parsing;
the limit is CPython's own of 200 brackets. Covered by the tests for hostile input.

## References
- <https://docs.python.org/3/reference/lexical_analysis.html#encoding-declarations>
"""
