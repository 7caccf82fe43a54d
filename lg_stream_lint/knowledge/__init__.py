"""What is known about other people's libraries: tables as YAML with source and date, and the loader.

The YAML files are the source. ``python -m lg_stream_lint.knowledge.build`` validates them and writes ``_tables.py``,
which is what a run reads: parsing YAML would cost more than a small run takes.

    >>> from lg_stream_lint.knowledge import knowledge
    >>> knowledge().models["langchain_openai.ChatOpenAI"].timeout_keywords
    ('timeout', 'request_timeout')
"""

from __future__ import annotations

from lg_stream_lint.knowledge.loader import Knowledge, knowledge
from lg_stream_lint.knowledge.rows import (
    UNLIMITED,
    App,
    Blocking,
    BlockingClass,
    Factory,
    LayerDefault,
    Mark,
    Marker,
    Method,
    Model,
    Provider,
    Resource,
    Response,
    Saver,
    ServerOptions,
    Slot,
    StreamArgument,
    StreamMistake,
    StreamMode,
    Symptom,
)

__all__ = [
    "UNLIMITED",
    "App",
    "Blocking",
    "BlockingClass",
    "Factory",
    "Knowledge",
    "LayerDefault",
    "Mark",
    "Marker",
    "Method",
    "Model",
    "Provider",
    "Resource",
    "Response",
    "Saver",
    "ServerOptions",
    "Slot",
    "StreamArgument",
    "StreamMistake",
    "StreamMode",
    "Symptom",
    "knowledge",
]
