"""The row types of the tables: what the project knows about other people's libraries.

Named tuples, so that a run which finds nothing pays little for them. Every row ends with ``source`` (the address of a
document or source file, or ``measured: package version``) and ``date`` (``YYYY-MM``).

Paths are dotted import paths. ``path`` is the one by which a row is known; ``aliases`` are the other paths from which
the same thing can be imported. The mappings of :class:`~lg_stream_lint.knowledge.loader.Knowledge` are keyed by all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

#: The default of a client that waits for ever.
UNLIMITED = math.inf


class Slot(NamedTuple):
    """A keyword through which a limit can reach a client other than by its own time-out keyword.

    ``kind`` says what the keyword takes:

    * ``http-client``: an HTTP client object; the ``keys`` of *its* constructor hold the limit.
    * ``mapping``: a dict; one of ``keys`` in it holds the limit.
    * ``config``: an object built with keywords (or a dict of the same names); one of ``keys`` holds the limit.
    * ``client``: a ready-made SDK client (or a part of one), with whatever limit that has.

    ``side`` says which calls it serves: ``sync``, ``async`` or ``both``. ``type`` is the class expected, if one is (a
    ``mapping`` may then be that object as well as a dict). A slot that is not ``effective`` looks as if it carried a
    limit, and does not: the class overrides it. ``refuses`` are the classes with which the model fails before its first
    token: clients of the other side.
    """

    keyword: str
    kind: str
    keys: tuple[str, ...]
    unit: str
    side: str
    effective: bool
    type: str
    refuses: tuple[str, ...]
    note: str


class Model(NamedTuple):
    """A chat model class, an LLM SDK client, or a function that asks a model directly.

    * ``kind``: ``chat`` (LangChain chat model), ``llm`` (LangChain completion model), ``sdk`` (provider's client) or
      ``function`` (a call that asks the model itself, such as ``litellm.completion``).
    * ``timeout_keywords``: keywords that set the limit, the best one first; empty when the class has none.
    * ``timeout_unit``: ``seconds`` or ``milliseconds``, of those keywords.
    * ``default_timeout``: seconds without a byte that the client waits when nothing is written; :data:`UNLIMITED` when
      it waits for ever; ``None`` when not known (then say nothing about it).
    * ``slots``: other keywords that may carry a limit, by keyword.
    * ``ineffective``: keywords that the class swallows without effect, with what to write instead.
    * ``call_timeout``: the keyword of a single request's limit (``create(timeout=…)``), empty when there is none.
    * ``total_for``: the calls for which the limit counts the whole answer, and not the silence between two reads: empty
      (none), ``async`` or ``both``.
    * ``chunk_timeout``: seconds between two chunks after which the client gives up by itself (async calls only).
    * ``asynchronous``: true for clients whose calls are awaited. The calls of a synchronous SDK client block.
    * ``list_content``: when ``chunk.content`` is a list of blocks and no string: ``always``, ``tools`` (when tools are
      bound) or empty (not by itself). ``list_keywords`` (``name``, or ``name=text`` for that text only) are arguments that
      make it one, ``list_models`` parts of such models' names.
    * ``budget_keywords``: keywords that limit the length of the answer in tokens; a client's are those of its calls.
    * ``takes_streaming``: true for a chat model with a field ``streaming``, whose false stops it from streaming.
    * ``when_argument``: the row holds only for calls whose first argument is this literal (``boto3.client``).
    """

    path: str
    aliases: tuple[str, ...]
    kind: str
    provider: str
    package: str
    timeout_keywords: tuple[str, ...]
    timeout_unit: str
    default_timeout: float | None
    slots: Mapping[str, Slot]
    ineffective: Mapping[str, str]
    retries_keyword: str
    retries_default: int | None
    call_timeout: str
    total_for: str
    chunk_timeout_keyword: str
    chunk_timeout: float | None
    chunk_timeout_since: str
    asynchronous: bool
    list_content: str
    list_keywords: tuple[str, ...]
    list_models: tuple[str, ...]
    budget_keywords: tuple[str, ...]
    takes_streaming: bool
    when_argument: str
    constructors: tuple[str, ...]
    note: str
    source: str
    date: str


class Provider(NamedTuple):
    """What ``init_chat_model("name:model")`` builds; ``prefixes`` of model names from which the provider is guessed."""

    name: str
    model: str
    prefixes: tuple[str, ...]
    source: str
    date: str


class Factory(NamedTuple):
    """Something that can be called (or, if ``form`` is ``class``, named in an annotation) to get a LangChain object.

    * ``role``: ``graph`` (compiled), ``builder``, ``chain``, ``prompt``, ``parser``, ``retriever``, ``model``,
      ``tool``.
    * ``form``: ``class`` (a call gives the role, so does an annotation), ``type`` (annotation only), ``function``, or
      ``decorator`` (the decorated function becomes one).
    * ``constructors``: class methods that give the same role (``ChatPromptTemplate.from_messages``).
    * ``awaited``: true for an async factory: the role is what ``await`` gives.
    * ``overrides``: methods that are of another kind here than :func:`~lg_stream_lint.knowledge.methods` says.
    * ``checkpointer_keyword``: the keyword that takes the checkpointer, empty when there is none.
    * ``nodes``: every node that the graph can have (middleware adds others, with a dot in their names); empty: not known.
    """

    path: str
    aliases: tuple[str, ...]
    role: str
    form: str
    constructors: tuple[str, ...]
    awaited: bool
    overrides: Mapping[str, str]
    checkpointer_keyword: str
    nodes: tuple[str, ...]
    note: str
    source: str
    date: str


class Method(NamedTuple):
    """A method of a graph, chain, model …

    ``kind`` is what calling it gives:

    * ``async-generator``: for ``async for``, never for ``await``; nothing runs before it is iterated.
    * ``awaitable``: a coroutine.
    * ``generator``: a synchronous iterator; each step blocks.
    * ``blocking``: the result, after waiting for the model or the network.
    * ``value``: an object, at once (``bind``, ``compile``, ``with_config`` …); ``returns`` is its role.

    ``returns`` is the role of the result (``same``: that of the receiver; empty: plain data). ``twin`` is the method of
    the other colour. ``distinct`` is true when the name alone is evidence enough of LangChain.
    ``unless_keyword``/``unless_value``/``unless_kind``: with that literal keyword argument, it is of that kind instead
    (``unless_since`` names the first version that knows it).
    """

    name: str
    roles: tuple[str, ...]
    kind: str
    returns: str
    twin: str
    distinct: bool
    unless_keyword: str
    unless_value: str
    unless_kind: str
    unless_since: str
    note: str
    source: str
    date: str


class StreamMode(NamedTuple):
    """A value of ``stream_mode``.

    ``item`` is what an item of the stream then is: ``message`` (a pair of message and metadata), ``update`` (a dict by
    node), ``state``, ``event`` (a dict that langgraph makes) or ``any`` (what the node wrote). ``since``: the first
    version of langgraph that was seen to know it (empty: all).
    """

    name: str
    item: str
    since: str
    note: str
    source: str
    date: str


class StreamArgument(NamedTuple):
    """A keyword of a graph's streaming and invoking methods; ``methods`` are the ones that know it (empty: all)."""

    name: str
    methods: tuple[str, ...]
    since: str
    note: str
    source: str
    date: str


class StreamMistake(NamedTuple):
    """A mode or a keyword (``kind``: ``mode``, ``argument``) that people write and no version knows.

    ``instead`` is the known name that is meant; empty when there is none, then ``note`` says what to do.
    """

    kind: str
    written: str
    instead: str
    note: str
    source: str
    date: str


class Saver(NamedTuple):
    """A checkpointer.

    ``mode``: ``sync``, ``async`` or ``both``; ``both_since`` is the first version of ``package`` that serves both
    (before it the saver was ``sync``; empty: always). ``entered``: class methods whose result is a context manager.
    """

    path: str
    aliases: tuple[str, ...]
    mode: str
    package: str
    in_memory: bool
    both_since: str
    entered: tuple[str, ...]
    note: str
    source: str
    date: str


class Resource(NamedTuple):
    """Something that is dead once its block has ended.

    ``form``: a ``class`` whose objects are, a call whose ``result`` is, or a class whose class methods open a ``context``.
    ``error`` is what its use afterwards says (empty: nothing that is always the same), ``label`` what a message calls it
    (empty: the end of its path). ``when_true``: only calls with this keyword true. ``quiet``: using it raises nothing.
    ``tools``: it is an agent's tools that work through it.
    """

    path: str
    aliases: tuple[str, ...]
    form: str
    error: str
    label: str
    when_true: str
    quiet: bool
    tools: bool
    note: str
    source: str
    date: str


class Response(NamedTuple):
    """A response class.

    * ``framing``: ``raw`` (chunks go out as they are), ``sse-starlette`` (the class frames each item),
      ``fastapi-sse-marker`` (frames only for handlers that yield), ``litestar-sse``, ``manual`` (aiohttp: written by
      hand) or ``none`` (not a stream).
    * ``content``/``position``: keyword and position (0-based, without ``self``) of the body; -1: by keyword only.
    * ``media_type``: the default, empty for none. ``media_type_keywords``: keywords that set it.
    * ``items``: what an item of the stream may be: ``str``, ``bytes``, ``memoryview``, ``dict``, ``event``, ``any``.
    * ``pings``: sends heartbeats by itself. ``unbuffered``: sends ``X-Accel-Buffering: no`` by itself.
    """

    path: str
    aliases: tuple[str, ...]
    framework: str
    streams: bool
    framing: str
    content: str
    position: int
    media_type: str
    media_type_keywords: tuple[str, ...]
    headers_keyword: str
    items: tuple[str, ...]
    takes_function: bool
    pings: bool
    unbuffered: bool
    note: str
    source: str
    date: str


class Mark(NamedTuple):
    """What being handed to a framework makes of a function.

    ``mark``: ``route``, ``websocket``, ``middleware``, ``exception-handler``, ``lifespan``, ``startup``,
    ``dependency``, ``background``, ``node``, ``edge``, ``tool``, ``task``, ``entrypoint``, ``runnable``, ``callback``,
    ``thread`` (runs in a worker thread), ``loop`` (runs on an event loop), ``process`` (another process),
    ``context-manager``, ``fixture``, ``transparent`` (the call gives its argument back: ``stream_with_context``).
    ``position``/``keyword`` say which argument the function is (position -1: by keyword only); for a decorator the
    function is the decorated one.
    """

    mark: str
    position: int
    keyword: str


class App(NamedTuple):
    """An application or router class (or any class whose methods register functions, such as ``StateGraph``).

    ``decorators``: method → mark of the function decorated with it. ``calls``: method → mark of an argument.
    ``constructor_calls``: keyword of the constructor → mark (``FastAPI(lifespan=…)``).
    """

    path: str
    aliases: tuple[str, ...]
    framework: str
    kind: str
    decorators: Mapping[str, str]
    calls: Mapping[str, Mark]
    constructor_calls: Mapping[str, str]
    note: str
    source: str
    date: str


class Marker(NamedTuple):
    """A function, decorator or base class that gives functions a mark.

    ``form``: ``decorator`` (bare or called), ``call`` (argument at ``mark.position``/``mark.keyword``) or ``base`` (the
    methods in ``methods`` of its subclasses; name → mark).
    """

    path: str
    aliases: tuple[str, ...]
    framework: str
    form: str
    mark: Mark
    methods: Mapping[str, str]
    note: str
    source: str
    date: str


class Blocking(NamedTuple):
    """A function that makes its thread wait: for a clock, the network, a disk or another process.

    ``longest``: seconds after which one call gives up by itself whatever happens; None where nothing bounds it.
    """

    path: str
    category: str
    instead: str
    longest: float | None
    note: str
    source: str
    date: str


class BlockingClass(NamedTuple):
    """A class whose instances have methods that block.

    * ``methods``: dotted names below the instance (``chat.completions.create``); ``*`` stands for every method.
    * ``harmless``: exceptions from ``*``.
    * ``class_methods``: class methods that block and give an instance (also found in ``blocking_functions``).
    * ``constructors``: functions and other class methods (full paths) whose result is an instance.
    * ``derived``: method or attribute → path of the blocking class of its result (``cursor`` → ``sqlite3.Cursor``);
      ``*``: any other attribute, subscript or call; ``__call__``, ``__getitem__``, ``__enter__``: what they say.
    """

    path: str
    aliases: tuple[str, ...]
    category: str
    instead: str
    methods: tuple[str, ...]
    harmless: tuple[str, ...]
    class_methods: tuple[str, ...]
    constructors: tuple[str, ...]
    derived: Mapping[str, str]
    note: str
    source: str
    date: str

    def blocks(self, name: str) -> bool:
        """Whether calling ``instance.<name>()`` blocks; ``name`` may be dotted."""
        if name in self.methods:
            return True
        if "*" not in self.methods or name in self.derived:
            return False
        head = name.partition(".")[0]
        return name not in self.harmless and head not in self.harmless and not head.startswith("_")


class ServerOptions(NamedTuple):
    """How a server's command and configuration are read.

    ``options``: every option's name in a configuration, with its flags separated by spaces (empty: not on the command line).
    ``switches`` are the flags that take no value. ``words``: the options that are settings of
    :mod:`lg_stream_lint.deploy.settings`, and which. ``former``: option names that other versions know. ``env_prefix``: an
    option's name in capitals behind it is an environment variable. ``abbreviated``: long flags may be cut short.
    """

    name: str
    options: Mapping[str, str]
    switches: frozenset[str]
    words: Mapping[str, str]
    former: tuple[str, ...]
    env_prefix: str
    abbreviated: bool
    note: str
    source: str
    date: str


class LayerDefault(NamedTuple):
    """What a server, proxy or platform does where nothing is written.

    ``layer``, ``name`` and ``kind`` are words of :mod:`lg_stream_lint.deploy.settings`, ``key`` is what a user would write.
    ``value`` is in seconds, or ``none`` for no limit; switches are 1 and 0. ``since`` (inclusive) and ``before`` are versions
    of the product between which it holds. ``when`` tells rows of one name apart (``sync``, ``edge``).
    """

    layer: str
    name: str
    kind: str
    key: str
    value: float | str
    since: str
    before: str
    when: str
    note: str
    source: str
    date: str


class Symptom(NamedTuple):
    """What people see: ``words`` that they type, how the stream ends, what it means, and codes of causes, likeliest first.

    ``ending``: ``reset``, ``clean``, ``late`` (an error status before the first byte), ``held`` (all at once) or ``any``.
    """

    name: str
    words: tuple[str, ...]
    ending: str
    says: str
    causes: tuple[str, ...]
    note: str
    source: str
    date: str
