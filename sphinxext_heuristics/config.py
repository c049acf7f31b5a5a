"""Configuration: declared once, as data, read by registration, checks and manual."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, cast

from sphinx.util.matching import compile_matchers

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.config import Config

PREFIX = "heuristics_"
PLACEMENTS = ("summary", "top", "bottom")
UNDOCUMENTED = ("warn", "planned")
INHERITED = ("once", "show", "link", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One configuration value."""

    #: Its name in conf.py.
    name: str
    #: What holds without it.
    default: Any
    #: What it does, in a sentence of Markdown.
    meaning: str
    #: What is allowed, as a message says it.
    allowed: str
    #: Whether a value is allowed.
    accepts: Callable[[Any], bool]
    #: What Sphinx must do again when it changes: ``env`` reads all pages, ``""``
    #: nothing, since the pages that show something else are found by comparison.
    rebuild: Literal["", "env"] = ""


def _is_path(value: object) -> bool:
    # No disk knows a name of what cannot be printed.
    return value is None or (
        isinstance(value, str) and bool(value.strip()) and value.isprintable() and not value.startswith("/")
    )


def _is_folder(value: object) -> bool:
    return _is_path(value) and not os.path.normpath(str(value)).startswith("..")


def _is_namespace(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w.-]*", value) is not None


def _is_package(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"([^\W\d][\w-]*(\.[^\W\d][\w-]*)*)?", value) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_strings(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)


def _is_patterns(value: object) -> bool:
    if not _is_strings(value):
        return False
    try:
        compile_matchers(cast("list[str]", value))
    except re.error:  # [z-a]
        return False
    return True


def _is_template(value: object) -> bool:
    try:
        return value is None or (
            isinstance(value, str) and bool(value.format(path="x", line=1, module="x", version="x"))
        )
    except (AttributeError, LookupError, TypeError, ValueError):  # another placeholder, a lonely brace
        return False


def _is_categories(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(part, str) for pair in value.items() for part in pair)


def _is_targets(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and (meant is None or isinstance(meant, str)) for name, meant in value.items()
    )


OPTIONS = (
    Option(
        name="heuristics_namespace",
        default="",
        meaning="The prefix of page names outside, such as `huggingface_peft`.",
        allowed="a string of letters, digits, '_', '-' and '.'",
        accepts=_is_namespace,
        rebuild="env",
    ),
    Option(
        name="heuristics_package",
        default="",
        meaning="The documented package: short names drop it, its installed version judges bounds, or `release`.",
        allowed="the name of a package, as a string",
        accepts=_is_package,
    ),
    Option(
        name="heuristics_dir",
        default="heuristics",
        meaning="Where heuristic pages are; each file but `index` is named after its heuristic, with the namespace.",
        allowed="a path under the source directory, or None",
        accepts=_is_folder,
    ),
    Option(
        name="heuristics_categories",
        default={},
        meaning="Category → description, in order; empty, any category is allowed.",
        allowed="a dict of category to description, all strings",
        accepts=_is_categories,
    ),
    Option(
        name="heuristics_targets",
        default={},
        meaning="Name in `workflow`, `principle` or `env` → document, label, URL, or `None` for a planned page.",
        allowed="a dict of name to document, label, URL or None",
        accepts=_is_targets,
    ),
    Option(
        name="heuristics_undocumented",
        default="warn",
        meaning="What a target is that the source defines and nobody documents: `warn`, or `planned` (no warning).",
        allowed=" or ".join(map(repr, UNDOCUMENTED)),
        accepts=lambda value: isinstance(value, str) and value in UNDOCUMENTED,
    ),
    Option(
        name="heuristics_index_file",
        default=None,
        meaning="The path of the Markdown index, from the source directory.",
        allowed="a path from the source directory, or None",
        accepts=_is_path,
    ),
    Option(
        name="heuristics_index_title",
        default=None,
        meaning="The first heading of that file; by default it names the namespace.",
        allowed="a string, or None",
        accepts=lambda value: value is None or isinstance(value, str),
    ),
    Option(
        name="heuristics_placement",
        default="summary",
        meaning="Where in an API entry they are shown: after its `summary`, at its `top`, or at the `bottom`.",
        allowed=" or ".join(map(repr, PLACEMENTS)),
        accepts=lambda value: isinstance(value, str) and value in PLACEMENTS,
    ),
    Option(
        name="heuristics_max_shown",
        default=5,
        meaning="How many stand open in one entry; the rest are collapsed.",
        allowed="a whole number from 0",
        accepts=_is_count,
    ),
    Option(
        name="heuristics_inherited",
        default="once",
        meaning="How inherited copies show them: `once` a page in full, `show`, `link` (one line) or `none`.",
        allowed=" or ".join(map(repr, INHERITED)),
        accepts=lambda value: isinstance(value, str) and value in INHERITED,
    ),
    Option(
        name="heuristics_rollup",
        default=False,
        meaning="Whether a class names, in one line, its inherited members with heuristics and no entry here.",
        allowed="True or False",
        accepts=lambda value: isinstance(value, bool),
    ),
    Option(
        name="heuristics_exclude",
        default=[],
        meaning="Patterns of document names without automatic ones.",
        allowed="a list of patterns, as strings",
        accepts=_is_patterns,
    ),
    Option(
        name="heuristics_reach_file",
        default=None,
        meaning="The path of the reviewed list of places, from the source directory.",
        allowed="a path from the source directory, or None",
        accepts=_is_path,
    ),
    Option(
        name="heuristics_releases_file",
        default=None,
        meaning="The path, from the source directory, of the record of which heuristic holds in which release.",
        allowed="a path from the source directory, or None",
        accepts=_is_path,
    ),
    Option(
        name="heuristics_source_url",
        default=None,
        meaning=("The link to quoted source, with `{path}`, `{line}`, `{module}` and `{version}` filled in."),
        allowed="a string with no other placeholders than {path}, {line}, {module} and {version}, or None",
        accepts=_is_template,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration that is in force: checked values, defaults elsewhere."""

    namespace: str
    package: str
    dir: str | None
    categories: dict[str, str]
    targets: dict[str, str | None]
    undocumented: str
    index_file: str | None
    index_title: str | None
    placement: str
    max_shown: int
    inherited: str
    rollup: bool
    exclude: tuple[str, ...]
    reach_file: str | None
    releases_file: str | None
    source_url: str | None

    @classmethod
    def of(cls, config: Config) -> Settings:
        """Return the settings of a Sphinx configuration; a wrong value is a default."""
        values = {option.name: value_of(option, config) for option in OPTIONS}
        values["heuristics_exclude"] = tuple(values["heuristics_exclude"])
        return cls(**{f.name: values[f"heuristics_{f.name}"] for f in fields(cls)})

    def strip(self, name: str) -> str:
        """Return a heuristic's name without the namespace."""
        return strip_namespace(name, self.namespace)

    def page_name(self, name: str) -> str:
        """Return a heuristic's name with the namespace."""
        return f"{self.namespace}_{name}" if self.namespace else name


def strip_namespace(name: str, namespace: str) -> str:
    """Return *name* without a leading ``namespace_``."""
    return name.removeprefix(f"{namespace}_") if namespace else name


def value_of(option: Option, config: Config) -> Any:  # noqa: ANN401 - as conf.py has it
    """Return an option's value, or its default where the value is not allowed."""
    value = getattr(config, option.name)
    return value if option.accepts(value) else option.default


def option(name: str) -> Option:
    """Return an option by its name."""
    return next(one for one in OPTIONS if one.name == name)


def namespace_of(config: Config) -> str:
    """Return the namespace alone, for those who need no more."""
    value: str = value_of(option("heuristics_namespace"), config)
    return value
