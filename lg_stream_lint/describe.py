"""Pages about the tool itself: the rules, one rule, and the settings in force."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lg_stream_lint.config import Config, ConfigError
from lg_stream_lint.config_file import suggestion
from lg_stream_lint.finding import DOCS
from lg_stream_lint.rules.registry import rules

if TYPE_CHECKING:
    from lg_stream_lint.config import Scoped

_FIXES = {"none": "no fix", "safe": "safe fix", "unsafe": "unsafe fix"}


def explain(word: str) -> str:
    """The documentation of a rule, found by its code or its name."""
    known = rules()
    names = {info.name: code for code, info in known.items()}
    code = names.get(word.strip().lower(), word.strip().upper())
    if code not in known:
        close = suggestion(code, known) or suggestion(word, names)
        raise ConfigError(f"--explain: no rule is called {word!r}{close} (--list-rules lists them)")
    info = known[code]
    head = f"# {info.code} {info.name}\n\n{info.severity} · {_FIXES[info.fix]} · {DOCS}/{info.code}/"
    return f"{head}\n\n{info.doc.strip()}\n"


def list_rules() -> str:
    """A table of the rules."""
    known = list(rules().values())
    width = max((len(info.name) for info in known), default=0)
    lines = [
        f"{info.code}  {info.name:<{width}}  {info.severity:<7}  {_FIXES[info.fix]:<10}  {info.summary}".rstrip()
        for info in known
    ]
    return "".join(f"{line}\n" for line in lines)


def show_settings(config: Config) -> str:
    """The settings as the TOML that would give them, each with its origin."""
    origins = dict(config.origins)
    lines = [
        f"# configuration file: {config.source or 'none'}",
        f"# patterns are relative to {config.root} unless they say otherwise",
        "",
    ]

    def setting(key: str, value: str) -> None:
        lines.append(f"{key} = {value}  # {origins.get(key, 'default')}")

    setting("select", _list(config.select))
    setting("ignore", _list(config.ignore))
    setting("extend-select", _list(config.extend_select))
    setting("extend-ignore", _list(config.extend_ignore))
    setting("pedantic", str(config.pedantic).lower())
    setting("exclude", _patterns(config.exclude, config.root))
    setting("extend-exclude", _patterns(config.extend_exclude, config.root))
    setting("force-exclude", str(config.force_exclude).lower())
    setting("respect-gitignore", str(config.respect_gitignore).lower())
    setting("jobs", str(config.jobs))
    if config.per_file_ignores:
        lines += ["", f"[per-file-ignores]  # {origins.get('per-file-ignores', 'default')}"]
        for pattern, codes in config.per_file_ignores:
            lines.append(f"{_pattern(pattern, config.root)} = {_list(codes)}")
    if config.per_resource_ignores:
        lines += ["", f"[per-resource-ignores]  # {origins.get('per-resource-ignores', 'default')}"]
        lines += [f"{json.dumps(name)} = {_list(codes)}" for name, codes in config.per_resource_ignores]
    if config.extend:
        lines += ["", f"[extend]  # {origins.get('extend', 'default')}"]
        lines += [f"{key} = {_value(entries)}" for key, entries in config.extend]
    running = [code for code in rules() if config.is_selected(code)]
    lines += ["", f"# rules that run: {', '.join(running) or 'none'}"]
    return "".join(f"{line}\n" for line in lines)


def _list(items: Iterable[str]) -> str:
    """A TOML list of strings."""
    return f"[{', '.join(json.dumps(item, ensure_ascii=False) for item in items)}]"


def _value(value: object) -> str:
    """Any TOML value of ours."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _patterns(patterns: Iterable[Scoped], root: str) -> str:
    """A TOML list of patterns."""
    written = [_pattern(pattern, root) for pattern in patterns]
    return f"[{', '.join(written)}]"


def _pattern(pattern: Scoped, root: str) -> str:
    """A pattern; one from elsewhere, as an option is, shows the folder that it is relative to."""
    text = pattern.text if pattern.base in (root, "") else f"{pattern.text} (in {pattern.base})"
    return json.dumps(text, ensure_ascii=False)
