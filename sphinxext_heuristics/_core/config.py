"""Configuration: each value declared once, for registration, checks and manual."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from sphinx.util.matching import compile_matchers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sphinx.config import Config

PREFIX = "heuristics_"

Value = TypeVar("Value")


class Option(NamedTuple):
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

    def fault(self, value: object) -> str:
        """Return what is wrong with a value, or ``""``."""
        if self.accepts(value):
            return ""
        return (
            f"{self.name} = {value!r}: allowed is {self.allowed}; "
            f"the default {self.default!r} is used"
        )


def _option(
    default: Value,
    meaning: str,
    *,
    allowed: str,
    accepts: Callable[[Any], bool],
    rebuild: Literal["", "env"] = "",
) -> Value:
    """Return the field of an option: what :class:`Option` has but its name."""
    option = Option("", default, meaning, allowed, accepts, rebuild)
    return field(default_factory=lambda: default, metadata={"option": option})


def _matching(pattern: str, *others: object) -> Callable[[Any], bool]:
    """Return whether a value is a string of a pattern, or one of *others*.

    No disk knows a name of what cannot be printed.
    """
    allowed = re.compile(pattern)
    return lambda value: (
        value in others
        or (
            isinstance(value, str)
            and value.isprintable()
            and allowed.fullmatch(value) is not None
        )
    )


def _is_list(value: object) -> bool:
    """Return whether a value is a list of strings."""
    return isinstance(value, list | tuple) and all(
        isinstance(item, str) for item in value
    )


def _is_patterns(value: object) -> bool:
    try:
        compile_matchers(cast("list[str]", value))
    except (re.error, TypeError):  # [z-a], or no string
        return False
    return _is_list(value)


def _is_template(value: object) -> bool:
    if not isinstance(value, str):
        return value is None
    try:
        link = value.format(path="x", line=1, module="x", version="x")
        # A browser runs `javascript:` and shows `data:` as a page.
        return bool(link) and urlsplit(link).scheme in {"", "http", "https"}
    except (AttributeError, LookupError, TypeError, ValueError):
        return False  # another placeholder, a lonely brace


def _is_dict(value: object, *types: type) -> bool:
    """Return whether a value is a dict of strings to one of the *types*."""
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(meaning, types)
        for name, meaning in value.items()
    )


#: What is allowed of the options that name a file, and whether a value is.
PATH = "a path from the source directory, or None"
is_path = _matching(r"(?!/).*\S.*", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration that is in force: checked values, defaults elsewhere."""

    namespace: str = _option(
        "",
        "The prefix of page names outside, such as `huggingface_peft`.",
        allowed="a string of letters, digits, '_', '-' and '.'",
        accepts=_matching(r"[\w.-]*"),
        rebuild="env",
    )
    package: str = _option(
        "",
        "The documented package: short names drop it, its installed version "
        "judges bounds, or `release`.",
        allowed="the name of a package, as a string",
        accepts=_matching(r"([^\W\d][\w-]*(\.[^\W\d][\w-]*)*)?"),
    )
    dir: str | None = _option(
        "heuristics",
        "Where heuristic pages are; each file but `index` is named after its "
        "heuristic, with the namespace.",
        allowed="a path under the source directory, or None",
        accepts=_matching(r"(?!/|\./*$|(.*/)?\.\.(/|$)).*\S.*", None),
    )
    categories: dict[str, str] = _option(
        {},
        "Category → description, in order; empty, any category is allowed.",
        allowed="a dict of category to description, all strings",
        accepts=lambda value: _is_dict(value, str),
    )
    targets: dict[str, str | None] = _option(
        {},
        "Name in `workflow`, `principle` or `env` → document, label, URL, or "
        "`None` for a planned page.",
        allowed="a dict of name to document, label, URL or None",
        accepts=lambda value: _is_dict(value, str, type(None)),
    )
    undocumented: str = _option(
        "warn",
        "What a target is that the source defines and nobody documents: "
        "`warn`, or `planned` (no warning).",
        allowed="'warn' or 'planned'",
        accepts=_matching("warn|planned"),
    )
    sections: Sequence[str] = _option(
        [],
        "Headings that each heuristic page must have, in this order; it may "
        "have others.",
        allowed="a list of headings, as strings",
        accepts=_is_list,
    )
    index_file: str | None = _option(
        None,
        "The path of the Markdown index, from the source directory.",
        allowed=PATH,
        accepts=is_path,
    )
    placement: str = _option(
        "summary",
        "Where in an API entry they are shown: after its `summary`, at its "
        "`top`, or at the `bottom`.",
        allowed="'summary' or 'top' or 'bottom'",
        accepts=_matching("summary|top|bottom"),
        rebuild="env",
    )
    max_shown: int = _option(
        3,
        "How many stand open in one entry; the rest are collapsed.",
        allowed="a whole number from 0",
        accepts=lambda value: (
            isinstance(value, int) and not isinstance(value, bool) and value >= 0
        ),
    )
    inherited: str = _option(
        "once",
        "How inherited copies show them: `once` a page in full, `show`, `link` "
        "(one line) or `none`.",
        allowed="'once' or 'show' or 'link' or 'none'",
        accepts=_matching("once|show|link|none"),
    )
    rollup: bool = _option(
        False,  # noqa: FBT003 - a default, which every option has here
        "Whether a class names, in one line, its inherited members with "
        "heuristics and no entry here.",
        allowed="True or False",
        accepts=lambda value: isinstance(value, bool),
    )
    exclude: Sequence[str] = _option(
        [],
        "Patterns of document names without automatic ones.",
        allowed="a list of patterns, as strings",
        accepts=_is_patterns,
    )
    reach_file: str | None = _option(
        None,
        "The path of the reviewed list of places, from the source directory.",
        allowed=PATH,
        accepts=is_path,
    )
    source_url: str | None = _option(
        None,
        "The link to quoted source, with `{path}`, `{line}`, `{module}` and "
        "`{version}` filled in.",
        allowed="an http, https or relative URL with no other placeholders than "
        "{path}, {line}, {module} and {version}, or None",
        accepts=_is_template,
    )

    @classmethod
    def of(cls, config: Config) -> Settings:
        """Return the settings of a Sphinx configuration; a wrong value is a default."""
        values = {}
        for option in OPTIONS:
            value = getattr(config, option.name)
            name = option.name.removeprefix(PREFIX)
            values[name] = value if option.accepts(value) else option.default
        return cls(**values)

    def strip(self, name: str) -> str:
        """Return a heuristic's name without the namespace."""
        return name.removeprefix(f"{self.namespace}_") if self.namespace else name

    def page_name(self, name: str) -> str:
        """Return a heuristic's name with the namespace."""
        return f"{self.namespace}_{name}" if self.namespace else name

    def is_of_heuristics(self, docname: str) -> bool:
        """Return whether a document is in ``heuristics_dir``."""
        folder = self.dir and posixpath.normpath(self.dir).strip("/")
        return bool(folder) and docname.startswith(f"{folder}/")


OPTIONS = tuple(
    cast("Option", setting.metadata["option"])._replace(name=f"{PREFIX}{setting.name}")
    for setting in fields(Settings)
)
