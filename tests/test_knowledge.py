"""The tables: well-formed, current, and sensible where it can be said without the libraries they speak of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lg_stream_lint.knowledge import UNLIMITED, Knowledge, knowledge
from lg_stream_lint.knowledge.build import GENERATED, SECTIONS, TableError, generated_source, main, read_tables
from lg_stream_lint.knowledge.extension import ExtensionError
from lg_stream_lint.knowledge.schema import SCHEMAS

FOLDER = GENERATED.parent


def test_generated_module_is_current() -> None:
    assert GENERATED.read_text(encoding="utf-8") == generated_source()
    assert main(["--check"]) == 0


def test_loading_imports_neither_yaml_nor_anything_heavy() -> None:
    code = (
        "import sys; from lg_stream_lint.knowledge import knowledge as known; known().models; known().blocking_functions;"
        "print([name for name in ('yaml', 'libcst', 'dataclasses', 'json', 'pathlib') if name in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=FOLDER.parents[1], capture_output=True, text=True, check=False
    )
    assert out.stdout.strip() == "[]", out.stderr


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_row_says_where_it_is_from(section: Any) -> None:
    names = [field.name for field in SCHEMAS[section.name]]
    for row in read_tables()[section.name]:
        values = dict(zip(names, row, strict=True))
        assert values["source"].startswith(("https://", "measured: ")), row
        assert len(values["date"]) == 7, row


MAPPINGS: dict[str, Any] = {
    "models": lambda known: known.models,
    "graph_factories": lambda known: known.graph_factories,
    "types": lambda known: known.types,
    "savers": lambda known: known.savers,
    "responses": lambda known: known.responses,
    "apps": lambda known: known.apps,
    "markers": lambda known: known.markers,
    "blocking_classes": lambda known: known.blocking_classes,
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_every_import_path_leads_to_its_row(name: str) -> None:
    mapping: Mapping[str, Any] = MAPPINGS[name](knowledge())
    assert mapping
    for path, row in mapping.items():
        assert mapping[row.path] == row
        for alias in row.aliases:
            assert mapping[alias] == row
        assert path


class TestModels:
    def test_the_limit_of_a_class_can_be_written(self) -> None:
        for model in knowledge().models.values():
            effective = [slot for slot in model.slots.values() if slot.effective and slot.kind != "client"]
            if model.default_timeout is UNLIMITED:
                assert model.timeout_keywords or effective, f"{model.path}: waits for ever and cannot be told otherwise"

    def test_units_and_defaults_are_sensible(self) -> None:
        for model in knowledge().models.values():
            milliseconds = any(keyword.endswith("_ms") for keyword in model.timeout_keywords)
            assert not milliseconds or model.timeout_unit == "milliseconds"
            assert (
                model.default_timeout is None
                or model.default_timeout == UNLIMITED
                or 1 <= model.default_timeout <= 6000
            )
            assert (
                bool(model.chunk_timeout_keyword)
                == (model.chunk_timeout is not None)
                == bool(model.chunk_timeout_since)
            )

    def test_a_keyword_cannot_be_both_effective_and_not(self) -> None:
        for model in knowledge().models.values():
            assert not set(model.timeout_keywords) & set(model.ineffective), model.path
            assert not set(model.slots) & set(model.ineffective), model.path

    def test_the_keywords_that_surprise(self) -> None:
        models = knowledge().models
        assert models["langchain_ollama.ChatOllama"].timeout_keywords == ()
        assert "timeout" in models["langchain_ollama.ChatOllama"].ineffective
        assert models["langchain_ollama.ChatOllama"].slots["client_kwargs"].keys == ("timeout",)
        assert models["langchain_litellm.ChatLiteLLM"].ineffective == {"timeout": "request_timeout"}
        assert "request_timeout" in models["langchain_anthropic.ChatAnthropic"].ineffective
        assert models["langchain_cohere.ChatCohere"].timeout_keywords == ("timeout_seconds",)
        assert models["google.genai.Client"].slots["http_options"].unit == "milliseconds"
        assert models["langchain_openrouter.ChatOpenRouter"].timeout_unit == "milliseconds"

    def test_an_http_client_beside_an_explicit_none_limits_nothing(self) -> None:
        models = knowledge().models
        assert not models["langchain_openai.ChatOpenAI"].slots["http_client"].effective
        assert not models["langchain_groq.ChatGroq"].slots["http_async_client"].effective
        assert models["langchain_deepseek.ChatDeepSeek"].slots["http_client"].effective
        assert models["openai.AsyncOpenAI"].slots["http_client"].effective

    def test_async_clients_have_async_slots(self) -> None:
        for model in knowledge().models.values():
            for slot in model.slots.values():
                if slot.kind == "http-client" and slot.type:
                    assert slot.type == ("httpx.AsyncClient" if slot.side == "async" else "httpx.Client")
            if model.kind == "sdk" and model.asynchronous:
                name = model.path.rpartition(".")[2]
                assert name.startswith("Async")

    @pytest.mark.parametrize(
        ("name", "model"),
        [
            ("openai:gpt-4o", "langchain_openai.ChatOpenAI"),
            ("gpt-4o", "langchain_openai.ChatOpenAI"),
            ("claude-sonnet-4-5", "langchain_anthropic.ChatAnthropic"),
            ("google_genai:gemini-2.5-flash", "langchain_google_genai.ChatGoogleGenerativeAI"),
            ("gemini-2.5-flash", "langchain_google_vertexai.ChatVertexAI"),
            ("bedrock-converse:anthropic.claude", "langchain_aws.ChatBedrockConverse"),
            ("ollama:llama3:8b", "langchain_ollama.ChatOllama"),
        ],
    )
    def test_init_chat_model(self, name: str, model: str) -> None:
        provider = knowledge().provider_of(name)
        assert provider is not None
        assert provider.model == model

    def test_an_unknown_model_name_is_unknown(self) -> None:
        assert knowledge().provider_of("my-company:large") is None
        assert knowledge().provider_of("") is None

    def test_every_provider_has_its_class(self) -> None:
        for provider in knowledge().providers.values():
            assert knowledge().models[provider.model].path == provider.model


class TestMethods:
    def test_twins_are_methods_of_the_other_colour(self) -> None:
        waits = {"async-generator", "awaitable"}
        for role, methods in knowledge().methods.items():
            for method in methods.values():
                twin = methods.get(method.twin)
                if twin is not None:
                    assert (method.kind in waits) != (twin.kind in waits), f"{role}.{method.name}"

    def test_kinds(self) -> None:
        known = knowledge()
        kinds = {
            name: known.methods["graph"][name].kind
            for name in ("astream", "ainvoke", "stream", "invoke", "with_config")
        }
        assert kinds == {
            "astream": "async-generator",
            "ainvoke": "awaitable",
            "stream": "generator",
            "invoke": "blocking",
            "with_config": "value",
        }
        assert known.method("prompt", "invoke") is not None
        assert known.methods["prompt"]["invoke"].kind == "value"
        assert known.methods["model"]["with_structured_output"].returns == "chain"
        assert known.methods["builder"]["compile"].returns == "graph"
        assert known.method("graph", "no_such_method") is None

    def test_astream_events_of_version_three_is_awaited(self) -> None:
        method = knowledge().methods["graph"]["astream_events"]
        assert (method.kind, method.unless_keyword, method.unless_value, method.unless_kind) == (
            "async-generator",
            "version",
            "v3",
            "awaitable",
        )
        assert knowledge().types["langgraph.pregel.remote.RemoteGraph"].overrides == {"astream_events": "awaitable"}

    def test_generic_names_are_no_evidence(self) -> None:
        for methods in knowledge().methods.values():
            for name in ("stream", "invoke", "batch", "run", "generate"):
                assert name not in methods or not methods[name].distinct

    def test_roles_are_those_of_the_factories(self) -> None:
        known = knowledge()
        roles = {row.role for row in known.graph_factories.values()} | {row.role for row in known.types.values()}
        assert set(known.methods) == roles
        for methods in known.methods.values():
            for method in methods.values():
                assert method.returns in roles | {"", "same"}


class TestBlocking:
    @pytest.mark.parametrize(
        ("constructor", "call", "blocks"),
        [
            ("openai.OpenAI", "chat.completions.create", True),
            ("openai.AzureOpenAI", "responses.create", True),
            ("openai.OpenAI", "with_options", False),
            ("openai.OpenAI", "close", False),
            ("boto3.client", "invoke_model_with_response_stream", True),
            ("boto3.client", "exceptions.ClientError", False),
            ("boto3.client", "meta.region_name", False),
            ("boto3.client", "get_paginator", False),
            ("boto3.client", "generate_presigned_url", False),
            ("requests.Session", "get", True),
            ("requests.Session", "mount", False),
            ("httpx.Client", "stream", True),
            ("google.genai.Client", "models.generate_content_stream", True),
            ("google.genai.Client", "aio.models.generate_content", False),
            ("concurrent.futures.Future", "result", True),
            ("concurrent.futures.Future", "done", False),
            ("langchain_chroma.Chroma.from_documents", "similarity_search", True),
            ("langchain_chroma.Chroma", "asimilarity_search", False),
            ("langchain_community.vectorstores.FAISS.load_local", "max_marginal_relevance_search", True),
            ("sqlalchemy.orm.Session", "execute", True),
            ("sqlalchemy.orm.Session", "add", False),
            ("mistralai.Mistral", "chat.complete", True),
            ("mistralai.Mistral", "chat.complete_async", False),
        ],
    )
    def test_methods(self, constructor: str, call: str, blocks: bool) -> None:
        assert knowledge().blocking_instances[constructor].blocks(call) is blocks

    @pytest.mark.parametrize(
        "path", ["asyncio.Future", "openai.AsyncOpenAI", "httpx.AsyncClient", "redis.asyncio.Redis"]
    )
    def test_async_classes_do_not_block(self, path: str) -> None:
        assert path not in knowledge().blocking_instances
        assert path not in knowledge().blocking_classes

    @pytest.mark.parametrize(
        "path", ["builtins.open", "os.path.exists", "json.loads", "sqlite3.connect", "asyncio.sleep"]
    )
    def test_what_is_cheap_is_left_out(self, path: str) -> None:
        assert path not in knowledge().blocking_functions

    def test_functions_and_class_methods(self) -> None:
        functions = knowledge().blocking_functions
        assert functions["time.sleep"].category == "sleep"
        assert functions["langchain_community.vectorstores.FAISS.from_documents"].category == "vector-store"
        assert functions["langchain.vectorstores.FAISS.from_texts"].instead

    def test_what_a_class_leads_to(self) -> None:
        known = knowledge()

        def follow(start: str, *names: str) -> str:
            row = known.blocking_instances[start]
            for name in names:
                found = known.leads_to(row, name)
                assert found is not None, f"{row.path}.{name}"
                row = found
            return row.path

        assert follow("psycopg2.connect", "cursor") == "psycopg2.extensions.cursor"
        assert follow("pymongo.MongoClient", "__getitem__", "users") == "pymongo.collection.Collection"
        assert (
            follow("sqlalchemy.orm.sessionmaker", "__call__", "query", "filter", "order_by") == "sqlalchemy.orm.Query"
        )
        assert follow("supabase.create_client", "table", "select", "eq") == "postgrest.SyncRequestBuilder"
        assert follow("langchain_chroma.Chroma", "as_retriever") == "langchain_core.retrievers.BaseRetriever"
        assert known.leads_to(known.blocking_instances["requests.Session"], "get") is None

    def test_every_derived_class_is_known(self) -> None:
        known = knowledge()
        for row in known.blocking_classes.values():
            for target in row.derived.values():
                assert target in known.blocking_classes, f"{row.path} leads to {target}"


class TestOthers:
    def test_the_two_event_source_responses_differ(self) -> None:
        responses = knowledge().responses
        assert responses["sse_starlette.EventSourceResponse"].framing == "sse-starlette"
        assert responses["fastapi.responses.EventSourceResponse"].framing == "fastapi-sse-marker"

    def test_plain_responses_do_not_stream(self) -> None:
        for name in (
            "Response",
            "JSONResponse",
            "PlainTextResponse",
            "HTMLResponse",
            "FileResponse",
            "RedirectResponse",
        ):
            assert not knowledge().responses[f"fastapi.responses.{name}"].streams

    def test_savers(self) -> None:
        savers = knowledge().savers
        assert savers["langgraph.checkpoint.memory.MemorySaver"].in_memory
        assert savers["langgraph.checkpoint.memory.MemorySaver"].mode == "both"
        assert savers["langgraph.checkpoint.sqlite.SqliteSaver"].mode == "sync"
        assert savers["langgraph.checkpoint.postgres.aio.AsyncPostgresSaver"].entered == ("from_conn_string",)
        for saver in savers.values():
            assert (saver.mode == "async") == ("Async" in saver.path)

    def test_class_methods_are_factories_too(self) -> None:
        factories = knowledge().graph_factories
        assert factories["langchain.prompts.ChatPromptTemplate.from_messages"].role == "prompt"
        assert factories["langchain.chains.ConversationalRetrievalChain.from_llm"].role == "chain"
        assert factories["langgraph_supervisor.create_supervisor"].role == "builder"

    def test_annotations_are_classes(self) -> None:
        types = knowledge().types
        assert types["langgraph.graph.state.CompiledStateGraph"].role == "graph"
        assert types["langchain_core.language_models.BaseChatModel"].role == "model"
        assert "langchain.agents.create_agent" not in types
        assert "langchain_core.language_models.BaseChatModel" not in knowledge().graph_factories

    def test_marks(self) -> None:
        known = knowledge()
        assert known.apps["fastapi.APIRouter"].decorators["post"] == "route"
        assert known.apps["langgraph.graph.StateGraph"].calls["add_node"].position == 1
        assert known.markers["asyncio.to_thread"].mark.mark == "thread"
        assert known.markers["langchain.agents.middleware.AgentMiddleware"].methods["awrap_model_call"] == "node"


class TestExtension:
    def test_bare_paths(self) -> None:
        known = knowledge().extend(
            {
                "models": ["corp.llm.CorpChat"],
                "graphs": ["corp.graphs.build"],
                "blocking": ["corp.db.fetch"],
                "responses": ["corp.http.Tokens"],
                "savers": ["corp.memory.Saver"],
            }
        )
        assert known.models["corp.llm.CorpChat"].timeout_keywords == ("timeout", "request_timeout")
        assert known.models["corp.llm.CorpChat"].default_timeout == UNLIMITED
        assert known.graph_factories["corp.graphs.build"].role == "graph"
        assert known.blocking_functions["corp.db.fetch"].instead
        assert known.responses["corp.http.Tokens"].streams
        assert known.savers["corp.memory.Saver"].mode == "both"

    def test_built_in_tables_stay_as_they_are(self) -> None:
        before = dict(knowledge().models)
        knowledge().extend({"models": ["corp.llm.CorpChat"]})
        assert knowledge().models == before
        assert knowledge() is knowledge()

    def test_like(self) -> None:
        known = knowledge().extend(
            {
                "models": [{"path": "corp.Client", "like": "openai.OpenAI", "timeout_keywords": ["wait"]}],
                "responses": [
                    {"path": "corp.Events", "like": "sse_starlette.EventSourceResponse", "aliases": ["corp.sse.Events"]}
                ],
                "blocking": [{"path": "corp.Session", "like": "requests.Session"}],
            }
        )
        assert known.models["corp.Client"].kind == "sdk"
        assert known.models["corp.Client"].timeout_keywords == ("wait",)
        assert known.models["corp.Client"].aliases == ()
        assert known.responses["corp.sse.Events"].framing == "sse-starlette"
        assert known.blocking_instances["corp.Session"].blocks("get")

    def test_a_class_with_blocking_methods(self) -> None:
        known = knowledge().extend({"blocking": [{"path": "corp.db.Session", "methods": ["query", "commit"]}]})
        assert known.blocking_classes["corp.db.Session"].blocks("commit")
        assert not known.blocking_classes["corp.db.Session"].blocks("close")

    def test_replacing_a_built_in_row_or_alias(self) -> None:
        known = knowledge().extend({"models": [{"path": "langchain_openai.ChatOpenAI", "like": "groq.Groq"}]})
        assert known.models["langchain_openai.ChatOpenAI"].provider == "groq"
        known = knowledge().extend({"models": [{"path": "openai.Client", "like": "groq.Groq"}]})
        assert known.models["openai.Client"].provider == "groq"
        assert known.models["openai.OpenAI"].provider == "openai"
        assert "openai.Client" not in known.models["openai.OpenAI"].aliases

    @pytest.mark.parametrize(
        ("extension", "message"),
        [
            ({"modles": []}, "extend.modles is unknown"),
            ({"models": "corp.Chat"}, "should be a list"),
            ({"models": ["corp chat"]}, "dotted path"),
            ({"models": [{"like": "openai.OpenAI"}]}, "dotted path"),
            ({"models": [7]}, "dotted path"),
            ({"models": [{"path": "corp.Chat", "like": "corp.Other"}]}, "not in the tables"),
            ({"models": [{"path": "corp.Chat", "like": ["x"]}]}, "like of corp.Chat"),
            ({"models": [{"path": "corp.Chat", "time_out": 3}]}, 'unknown key "time_out"'),
            ({"models": [{"path": "corp.Chat", "timeout_unit": "minutes"}]}, "timeout_unit"),
            ({"models": [{"path": "corp.Chat", "aliases": "corp.X"}]}, "aliases"),
        ],
    )
    def test_mistakes_are_explained(self, extension: dict[str, Any], message: str) -> None:
        with pytest.raises(ExtensionError, match=message):
            knowledge().extend(extension)

    def test_an_empty_extension_changes_nothing(self) -> None:
        known = knowledge().extend({})
        assert isinstance(known, Knowledge)
        assert known.models == knowledge().models


class TestBuild:
    def _copy(self, folder: Path, **changes: tuple[str, str]) -> None:
        for section in SECTIONS:
            text = (FOLDER / section.file).read_text(encoding="utf-8")
            for name, (old, new) in changes.items():
                if section.file == f"{name}.yaml":
                    assert old in text
                    text = text.replace(old, new, 1)
            (folder / section.file).write_text(text, encoding="utf-8")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("    date: 2026-11", "    date: 2026-13", "date should be YYYY-MM"),
            ("    date: 2026-11", "    date: 2026-11\n    colour: red", "unknown key 'colour'"),
            ("    mode: both", "    mode: either", "mode is 'either'"),
            ("    mode: both\n", "", "mode is missing"),
            ("    in_memory: true", "    in_memory: 1", "should be of kind bool"),
            ("langgraph.checkpoint.sqlite.SqliteSaver", "langgraph.checkpoint.memory.MemorySaver", "stands already"),
            ("langgraph.checkpoint.sqlite.SqliteSaver", "langgraph checkpoint", "not a dotted path"),
            ('source: "measured: langgraph-checkpoint 4.3.2"', "source: somebody said so", "source should be"),
            ("savers:\n", "others: []\nsavers:\n", "unknown section 'others'"),
        ],
    )
    def test_bad_rows_are_refused(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        self._copy(tmp_path, savers=(old, new))
        with pytest.raises(TableError, match=message):
            read_tables(tmp_path)

    def test_the_untouched_copy_is_accepted(self, tmp_path: Path) -> None:
        self._copy(tmp_path)
        assert generated_source(tmp_path) == GENERATED.read_text(encoding="utf-8")
