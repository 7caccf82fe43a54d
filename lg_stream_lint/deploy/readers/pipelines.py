"""Pipelines that deploy: Cloud Build's steps and GitHub's workflows, for what their commands make of Cloud Run services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lg_stream_lint.deploy.clouds.gcloud import run_hops
from lg_stream_lint.deploy.commands import Carrier, Stands, Variable, Word
from lg_stream_lint.deploy.commands.words import expand, simple_commands
from lg_stream_lint.deploy.commands.wrappers import base_name
from lg_stream_lint.deploy.files import Context, DeployFile
from lg_stream_lint.deploy.settings import Hop, Note, Reading
from lg_stream_lint.deploy.yaml_marks import LIST, MAP, TEXT, Node, documents
from lg_stream_lint.deploy.yaml_text import place_in

_MOST = 300
_EXPRESSION = re.compile(r"\$\{\{[ \t]*(?P<text>[^{}\r\n]{0,500}?)[ \t]*\}\}")
_ENV = re.compile(r"env\.(\w+)")
_SHELLS = frozenset({"bash", "sh", "/bin/bash", "/bin/sh"})
_ACTION = "google-github-actions/deploy-cloudrun@"


def read(file: DeployFile, context: Context) -> Reading:
    """The services that a pipeline deploys."""
    read_documents = documents(file)
    reader = _Reader(file, context)
    for root in read_documents.roots:
        if root.get("jobs") is not None:
            reader.workflow(root)
        elif root.get("steps") is not None:
            reader.build(root)
    return Reading(tuple(reader.hops), tuple(dict.fromkeys(reader.notes)))


class _Reader:
    def __init__(self, file: DeployFile, context: Context) -> None:
        self.file, self.context = file, context
        self.hops: list[Hop] = []
        self.notes: list[Note] = []

    # Cloud Build

    def build(self, root: Node) -> None:
        """``cloudbuild.yaml``: a step is words for its image's program, or a script."""
        env = _variables(root.get("substitutions"), overridable=True)
        for step in _maps(root.get("steps")):
            program = step.string("entrypoint") or base_name(step.string("name").split(":")[0])
            script, arguments = step.get("script"), step.get("args")
            texts = [a for a in arguments.elements() if a.kind == TEXT] if arguments is not None else []
            if script is not None:
                self._text(script, script.text, env)
            elif program in _SHELLS and len(texts) > 1 and texts[0].text.endswith("c"):
                self._text(texts[1], texts[1].text.replace("$$", " $"), env)
            elif program == "gcloud" and texts:
                words = [Word("gcloud", texts[0].where), *(_word(text, env) for text in texts)]
                self._add(run_hops(words, self._carrier(step, env)))

    # GitHub

    def workflow(self, root: Node) -> None:
        """``.github/workflows``: scripts, and Google's own action."""
        jobs = root.get("jobs")
        for _, job in jobs.entries() if jobs is not None else []:
            for step in _maps(job.get("steps")):
                env = {k: v for node in (root, job, step) for k, v in _variables(node.get("env")).items()}
                script, inputs = step.get("run"), step.get("with")
                if script is not None and script.kind == TEXT:
                    self._text(script, script.text, env)
                elif inputs is not None and step.string("uses").startswith(_ACTION):
                    self._action(inputs, env)

    def _action(self, inputs: Node, env: Mapping[str, Variable]) -> None:
        """The action runs ``gcloud run deploy`` with its inputs as flags."""
        place = inputs.get("service") or inputs.get("image") or inputs.get("source") or inputs
        words = [Word(text, place.where) for text in ("gcloud", "run", "deploy")]
        for flag, name in (("", "service"), ("--image", "image"), ("--source", "source")):
            node = inputs.get(name)
            if node is not None:
                words += [*([Word(flag, node.where)] if flag else []), _word(node, env)]
        carrier = self._carrier(inputs, env)
        more = inputs.get("flags")
        if more is not None:
            text, known = _without_expressions(more.text, env)
            inner = carrier._replace(env=known, at=place_in(self.file, more), where=more.where)
            words += [word for simple in simple_commands(text, inner) for word in simple.words]
        self._add(run_hops(words, carrier))

    def _text(self, node: Node, text: str, env: Mapping[str, Variable]) -> None:
        """The commands of a script."""
        text, known = _without_expressions(text, env)
        carrier = self._carrier(node, known)._replace(at=place_in(self.file, node))
        for simple in simple_commands(text, carrier):
            if base_name(simple.words[0].text) == "gcloud":
                self._add(run_hops(simple.words, carrier._replace(env=simple.env)))

    def _carrier(self, node: Node, env: Mapping[str, Variable]) -> Carrier:
        return Carrier(self.context, node.where, Stands.MANIFEST, env, (self.context.repository,))

    def _add(self, reading: Reading) -> None:
        self.hops += reading.hops
        self.notes += reading.notes


def _maps(node: Node | None) -> Iterator[Node]:
    """The steps of a list."""
    if node is not None and node.kind == LIST:
        yield from (element for element in node.elements()[:_MOST] if element.kind == MAP)


def _variables(node: Node | None, *, overridable: bool = False) -> dict[str, Variable]:
    entries = node.entries() if node is not None else []
    return {
        key.text: Variable(value.text, value.where, overridable)
        for key, value in entries
        if value.kind == TEXT and "${{" not in value.text
    }


def _word(node: Node, env: Mapping[str, Variable]) -> Word:
    text, known = _without_expressions(node.text, env)
    value, overridable = expand(text, known)
    return Word(value, node.where, overridable)


def _without_expressions(text: str, env: Mapping[str, Variable]) -> tuple[str, dict[str, Variable]]:
    """A text with ``${{ env.X }}`` as a variable of a shell, in as many letters, and what those variables are."""
    known = dict(env)

    def variable(match: re.Match[str]) -> str:
        named = _ENV.fullmatch(match["text"])
        name = (named[1] if named else "").ljust(len(match[0]) - 3, "_")
        if named is not None and named[1] in env:
            known[name] = env[named[1]]
        return f"${{{name}}}"

    return _EXPRESSION.sub(variable, text), known
