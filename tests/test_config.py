"""Which settings are in force, and what a wrong one gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from lg_stream_lint import config, config_file
from lg_stream_lint.config import Config, ConfigError, Entries, Scoped
from lg_stream_lint.finding import Confidence, Finding, Severity, Span

TABLE = "[tool.lg-stream-lint]\n"


def finding(code: str = "LGS201", *, severity: str = Severity.ERROR, path: str = "/p/app/x.py") -> Finding:
    """A finding of a code."""
    return Finding(code, "some-name", severity, Confidence.HIGH, "Wrong.", path, Span(1, 1, 1, 2), (1,))


def pyproject(folder: Path, text: str) -> Path:
    """A pyproject.toml with our table."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def wrong(folder: Path, text: str) -> str:
    """The error for a pyproject.toml, without the folder."""
    path = pyproject(folder, text)
    with pytest.raises(ConfigError) as error:
        config.load(str(folder))
    message = str(error.value)
    assert message.startswith(f"{path}:")
    return message.removeprefix(f"{folder}/")


class TestSearch:
    """Which file is read."""

    def test_the_defaults_without_any(self, root: Path) -> None:
        settings = config.load(str(root))
        assert (settings.select, settings.source, settings.root) == (("LGS",), None, str(root))
        assert Scoped(str(root), ".venv") in settings.exclude

    def test_the_nearest_up_the_tree(self, root: Path) -> None:
        (root / ".git").mkdir()
        pyproject(root, TABLE + "jobs = 1")
        pyproject(root / "a", TABLE + "jobs = 2")
        (root / "a/b").mkdir()
        assert config.load(str(root / "a/b")).jobs == 2
        assert config.load(str(root)).jobs == 1
        assert config.load(str(root / "a/b")).root == str(root / "a")

    def test_it_stops_at_the_repository(self, root: Path) -> None:
        pyproject(root, TABLE + "jobs = 1")
        (root / "a/.git").mkdir(parents=True)
        (root / "a/b").mkdir()
        assert config.load(str(root / "a/b")).source is None
        (root / "b").mkdir()
        (root / "b/.git").write_text("gitdir: elsewhere")
        assert config.load(str(root / "b")).source is None

    def test_the_repositorys_own_folder_counts(self, root: Path) -> None:
        (root / ".git").mkdir()
        pyproject(root, TABLE + "jobs = 1")
        (root / "a").mkdir()
        assert config.load(str(root / "a")).jobs == 1

    def test_a_pyproject_without_our_table_is_passed_over(self, root: Path) -> None:
        pyproject(root, TABLE + "jobs = 1")
        pyproject(root / "a", "[project]\nname = 'a'\ndependencies = ['lg-stream-lint']")
        pyproject(root / "a/b", "[tool.ruff]\n")
        assert config.load(str(root / "a/b")).jobs == 1

    def test_the_order_in_one_folder(self, root: Path) -> None:
        pyproject(root, TABLE + "jobs = 3")
        assert config.load(str(root)).jobs == 3
        (root / "lg-stream-lint.toml").write_text("jobs = 2")
        assert config.load(str(root)).jobs == 2
        (root / ".lg-stream-lint.toml").write_text("jobs = 1")
        assert config.load(str(root)).jobs == 1

    def test_our_own_files_may_hold_the_table_too(self, root: Path) -> None:
        (root / "lg-stream-lint.toml").write_text(TABLE + "jobs = 2")
        assert config.load(str(root)).jobs == 2

    def test_an_empty_file_of_our_own_ends_the_search(self, root: Path) -> None:
        pyproject(root, TABLE + "jobs = 1")
        (root / "a").mkdir()
        (root / "a/.lg-stream-lint.toml").write_text("")
        assert config.load(str(root / "a")).jobs == 0

    def test_isolated_reads_none(self, root: Path) -> None:
        pyproject(root, TABLE + "jobs = 1")
        assert config.load(str(root), isolated=True).jobs == 0

    def test_a_file_that_is_named(self, root: Path) -> None:
        pyproject(root, TABLE + "jobs = 1")
        (root / "a").mkdir()
        (root / "a/other.toml").write_text("jobs = 2")
        settings = config.load(str(root), explicit=str(root / "a/other.toml"))
        assert (settings.jobs, settings.root) == (2, str(root / "a"))

    def test_a_named_file_that_cannot_be_used(self, root: Path) -> None:
        with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file"):
            config.load(str(root), explicit=str(root / "nowhere.toml"))
        with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
            config.load(str(root), explicit=str(root))
        with pytest.raises(ConfigError, match=re.escape("has no [tool.lg-stream-lint] table")):
            config.load(str(root), explicit=str(pyproject(root, "[project]")))

    def test_no_configuration_needs_no_toml(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(config_file, "_read", None)
        pyproject(root, "[project]\nname = 'x'")
        assert config.load(str(root)).source is None


def test_every_setting(root: Path) -> None:
    path = pyproject(
        root,
        TABLE
        + """
        select = ["LGS2", "lgs4"]
        ignore = ["LGS203"]
        extend-select = ["LGS1"]
        extend-ignore = ["LGS404"]
        pedantic = true
        exclude = ["old"]
        extend-exclude = ["older/*.py"]
        force-exclude = true
        respect-gitignore = false
        jobs = 3
        [tool.lg-stream-lint.per-file-ignores]
        "tests/" = ["LGS"]
        [tool.lg-stream-lint.per-resource-ignores]
        "Deployment/api" = ["LGS505"]
        [tool.lg-stream-lint.extend]
        models = ["app.models.Chat", {path = "app.models.Fast", like = "langchain_openai.ChatOpenAI"}]
        """,
    )
    base = str(root)
    settings = config.load(base)
    assert hash(settings) == hash(config.load(base))
    assert settings._replace(origins=()) == Config(
        select=("LGS2", "LGS4"),
        ignore=("LGS203",),
        extend_select=("LGS1",),
        extend_ignore=("LGS404",),
        per_file_ignores=((Scoped(base, "tests/"), ("LGS",)),),
        per_resource_ignores=(("Deployment/api", ("LGS505",)),),
        pedantic=True,
        exclude=(Scoped(base, "old"),),
        extend_exclude=(Scoped(base, "older/*.py"),),
        force_exclude=True,
        respect_gitignore=False,
        jobs=3,
        extend=(
            (
                "models",
                Entries(["app.models.Chat", {"path": "app.models.Fast", "like": "langchain_openai.ChatOpenAI"}]),
            ),
        ),
        root=base,
        source=str(path),
    )
    assert dict(settings.origins) == dict.fromkeys(config_file.READERS, str(path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("selct = ['LGS']", 'pyproject.toml:2: unknown setting "selct"; did you mean "select"?'),
        ("extend_select = ['LGS']", 'pyproject.toml:2: unknown setting "extend_select"; did you mean "extend-select"?'),
        ("\n\ncolour = true", 'pyproject.toml:4: unknown setting "colour"'),
        ("select = 'LGS'", 'pyproject.toml:2: "select" must be a list of strings'),
        ("select = ['LGS', 1]", 'pyproject.toml:2: "select" must be a list of strings'),
        (
            "select = [\n'LGS',\n'LGS2O1',\n]",
            'pyproject.toml:4: no rule has a code that begins with "LGS2O1"; did you mean "LGS201"?',
        ),
        (
            "ignore = ['sync-graph-call-in-async']",
            'pyproject.toml:2: no rule has a code that begins with "sync-graph-call-in-async"; did you mean "LGS201"?',
        ),
        ("ignore = ['']", 'pyproject.toml:2: no rule has a code that begins with ""'),
        ("ignore = ['E501']", 'pyproject.toml:2: no rule has a code that begins with "E501"'),
        ("pedantic = 1", 'pyproject.toml:2: "pedantic" must be true or false'),
        ("jobs = -1", 'pyproject.toml:2: "jobs" must be a whole number, 0 for as many as there are processors'),
        ("jobs = true", 'pyproject.toml:2: "jobs" must be a whole number, 0 for as many as there are processors'),
        ("exclude = [['a']]", 'pyproject.toml:2: "exclude" must be a list of strings'),
        (
            "per-file-ignores = ['a']",
            'pyproject.toml:2: "per-file-ignores" must be a table of patterns with a list of codes each',
        ),
        (
            "[tool.lg-stream-lint.per-file-ignores]\n'a.py' = ['LGS']\n'b.py' = ['LGX']",
            'pyproject.toml:4: no rule has a code that begins with "LGX"',
        ),
        (
            "per-file-ignores.'b.py' = 'LGS'",
            'pyproject.toml:2: "b.py" must be a list of strings',
        ),
        (
            "[tool.lg-stream-lint.extend]\ngraphs = []\nmodles = []",
            "pyproject.toml:4: extend.modles is unknown; known are models, graphs, ",
        ),
        ("extend = ['a']", 'pyproject.toml:2: "extend" must be a table of lists'),
        ("[tool.lg-stream-lint.extend]\nmodels = 'a'", "pyproject.toml:3: extend.models should be a list"),
        ("extend = {models = ['a b']}", 'pyproject.toml:2: extend.models: "a b" is neither'),
    ],
)
def test_wrong_settings(root: Path, text: str, expected: str) -> None:
    message = wrong(root, TABLE + text)
    assert message.startswith(expected)


def test_the_line_is_that_of_our_table(root: Path) -> None:
    text = "[tool.other]\nselct = 1\n[tool.lg-stream-lint]\njobs = 1\nselct = 1\n[tool.third]\nselct = 1\n"
    assert wrong(root, text).startswith("pyproject.toml:5:")


def test_our_table_is_no_table(root: Path) -> None:
    assert wrong(root, "[tool]\nlg-stream-lint = 1\n") == "pyproject.toml:2: [tool.lg-stream-lint] must be a table"


def test_broken_toml(root: Path) -> None:
    text = wrong(root, TABLE + "select = [\n")
    assert text.startswith(("pyproject.toml:3", "pyproject.toml:2"))
    assert "not valid TOML" in text
    assert wrong(root, "[tool.lg-stream-lint]\nselect = = 1\n").startswith("pyproject.toml:2:10: not valid TOML:")


def test_a_file_that_is_not_utf_8(root: Path) -> None:
    path = root / "pyproject.toml"
    path.write_bytes(b"[tool.lg-stream-lint]\njobs = 1 # \xe9\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml:2: not UTF-8"):
        config.load(str(root))


def test_windows_line_ends(root: Path) -> None:
    (root / "pyproject.toml").write_bytes(b"[tool.lg-stream-lint]\r\njobs = 1\r\n")
    assert config.load(str(root)).jobs == 1


class TestSelection:
    """Which findings are shown."""

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, True),
            ({"select": ("LGS2",)}, True),
            ({"select": ("LGS3",)}, False),
            ({"select": ("LGS3",), "extend_select": ("LGS2",)}, True),
            ({"ignore": ("LGS2",)}, False),
            ({"ignore": ("LGS",)}, False),
            ({"ignore": ("LGS2",), "extend_select": ("LGS201",)}, True),
            ({"select": ("LGS201",), "ignore": ("LGS2",)}, True),
            ({"select": ("LGS2",), "extend_ignore": ("LGS201",)}, False),
            ({"select": ()}, False),
        ],
    )
    def test_the_longest_prefix_decides(self, settings: Mapping[str, tuple[str, ...]], expected: bool) -> None:
        assert Config(**settings).is_selected("LGS201") is expected  # type: ignore[arg-type]

    def test_advice_is_shown_on_request_only(self) -> None:
        advice = finding("LGS106", severity=Severity.INFO)
        assert not Config().shows(advice)
        assert not Config(select=("LGS106",)).shows(advice), "selecting it is not asking for advice"
        assert Config(pedantic=True).shows(advice)

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("app/", True),
            ("app/*.py", True),
            ("x.py", True),
            ("/x.py", False),
            ("tests/", False),
            ("!tests/", True),
            ("!app/", False),
        ],
    )
    def test_codes_ignored_in_some_files(self, pattern: str, expected: bool) -> None:
        settings = Config(per_file_ignores=((Scoped("/p", pattern), ("LGS2",)),))
        assert settings.ignored_for("/p/app/x.py", "LGS201") is expected
        assert settings.shows(finding()) is not expected
        assert not settings.ignored_for("/p/app/x.py", "LGS301")

    def test_codes_ignored_in_some_resources(self) -> None:
        settings = Config(per_resource_ignores=(("Deployment/*", ("LGS505",)), ("location /chat", ("LGS6",))))
        assert settings.ignored_in("Deployment/api", "LGS505")
        assert settings.ignored_in("location /chat", "LGS602")
        assert not settings.ignored_in("Deployment/api", "LGS602")
        assert not settings.ignored_in("location /chats", "LGS602")


class TestCommandLine:
    """What options do to the file's settings."""

    def override(self, settings: Config, **options: object) -> Config:
        """The settings with options over them."""
        given = {name.replace("_", "-"): value for name, value in options.items()}
        return config_file.override(settings, given, directory="/w")

    def test_an_option_replaces_and_an_extension_stands_beside(self) -> None:
        settings = Config(select=("LGS2",), ignore=("LGS202",))
        changed = self.override(settings, select=["LGS4"], extend_ignore=["LGS401"])
        assert (changed.select, changed.ignore, changed.extend_ignore) == (("LGS4",), ("LGS202",), ("LGS401",))

    def test_what_is_asked_for_by_name_is_not_refused_by_the_file(self) -> None:
        settings = Config(ignore=("LGS201", "LGS202"), extend_ignore=("LGS2",), extend_select=("LGS4",))
        changed = self.override(settings, select=["LGS201"])
        assert changed.is_selected("LGS201")
        assert not changed.is_selected("LGS202")
        assert not changed.is_selected("LGS401"), "the file's extend-select belongs to the file's select"

    def test_an_option_may_take_back_what_it_gives(self) -> None:
        assert not self.override(Config(), select=["LGS201"], ignore=["LGS201"]).is_selected("LGS201")

    def test_patterns_are_relative_to_the_working_directory(self) -> None:
        changed = self.override(Config(), exclude=["a"], per_file_ignores={"b": ["LGS"]})
        assert changed.exclude == (Scoped("/w", "a"),)
        assert changed.per_file_ignores == ((Scoped("/w", "b"), ("LGS",)),)

    def test_errors_name_the_option(self) -> None:
        with pytest.raises(ConfigError, match=r'^--ignore: no rule has a code that begins with "X1"'):
            self.override(Config(), ignore=["X1"])


def test_the_digest_tells_what_can_change_findings(root: Path) -> None:
    settings = config.load(str(root))
    assert settings.digest() == config.load(str(root)).digest()
    assert settings.digest() == settings._replace(jobs=7, origins=(("jobs", "x"),)).digest()
    for change in ({"select": ("LGS1",)}, {"pedantic": True}, {"extend": (("models", Entries(["a.B"])),)}):
        assert settings.digest() != settings._replace(**change).digest()  # type: ignore[arg-type]
