"""What all directives of ours do with options and text.

They read their options themselves: docutils and MyST would drop what they do not
understand with a warning that only the build which reads the page gives. Everything
that can be wrong is kept in the record and reported later, so that it is reported on
every build.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from docutils.parsers.rst import directives as rst
from sphinx.util.docutils import SphinxDirective

from ..diagnostics import absolute, closest, did_you_mean
from ..problems import Problem, Subtype
from .header import indent_of, read_header, read_myst_header

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from .header import Header


class DirectiveOption(NamedTuple):
    """One option of a directive: reading, messages, manual and JSON follow from it."""

    #: Its name in a directive.
    name: str
    #: Makes a value of its name and text; raises ``ValueError`` with the message of a
    #: problem, and then the option counts as not given.
    read: Callable[[str, str], Any]
    #: What it does, in Markdown.
    meaning: str
    #: What holds without it, in Markdown.
    absent: str = "none"
    #: The record's field that has the value; empty if the directive makes more of it.
    field: str = ""
    #: Its key in ``heuristics.json``, where that is not the field's name.
    key: str = ""


class ListOption(DirectiveOption):
    """An option with several values, each of which is read alone and counts once."""

    __slots__ = ()

    def parts(self, text: str) -> list[str]:
        """Return the values in the option's text."""
        return split(text)


class LinesOption(ListOption):
    """An option whose values are lines, which may have commas."""

    __slots__ = ()

    def parts(self, text: str) -> list[str]:
        """Return the values in the option's text, which may be a list of YAML."""
        lines = (line.strip().removeprefix("- ") for line in text.splitlines())
        return [line for line in lines if line]


class CheckedDirective(SphinxDirective):
    """A directive that keeps what is wrong with it for later."""

    # All that is written comes as argument or content, and nothing is refused before we
    # have seen it.
    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = {}
    #: The options that it knows, docutils' own included.
    #:
    #: :meta hide-value:
    known: ClassVar[tuple[DirectiveOption, ...]] = ()
    #: Whether its argument may take several lines.
    argument_continues: ClassVar[bool] = False
    #: What a line is like that may be of the header in MyST.
    in_header: ClassVar[re.Pattern[str]] = re.compile(r"\s*\S")

    def read_options(self) -> dict[str, Any]:
        """Return the values of the options that are given.

        Call it first: it notes what is wrong in ``problems``, and leaves the body in
        ``content``.
        """
        self.problems: list[Problem] = []
        self.lines = (self.block_text or "").splitlines()
        texts = self._texts()
        values: dict[str, Any] = {}
        for option in self.known:
            if option.name not in texts:
                continue
            text = texts[option.name].strip()
            self.options[option.name] = text
            if isinstance(option, ListOption):
                read = self._read(option, option.parts(text))
                values[option.name] = tuple(dict.fromkeys(read))
            else:
                for value in self._read(option, [text]):
                    values[option.name] = value
        self._note_faults()
        return values

    def _texts(self) -> dict[str, str]:
        """Map each option that is given to its text; note what is no option."""
        known = [option.name for option in self.known]
        self.header = self._header(known)
        texts: dict[str, str] = {}
        for name, text, line in self.header.options:
            if name not in known:
                allowed = ", ".join(known) or "none"
                suggestion = did_you_mean(closest(name, known, 1))
                message = f"unknown option {name!r}: allowed are {allowed}{suggestion}"
                self.problem(message, line)
            elif name in texts:
                message = (
                    f"option {name!r} is given more than once: the last one counts"
                )
                self.problem(message, line)
            texts[name] = text
        return texts

    def _note_faults(self) -> None:
        """Note what is wrong with the header.

        Of an option whose value is wrong, that says more than that MyST cannot read it.
        """
        _source, first = self.place()
        known_at = {problem.line - first for problem in self.problems}
        for line, message in self.header.faults:
            if line not in known_at:
                self.problem(message, line)

    def _read(self, option: DirectiveOption, texts: list[str]) -> Iterator[Any]:
        """Yield the value of each text; note which one is wrong."""
        for text in texts:
            if type(option) is ListOption and ";" in text:
                message = (
                    f"{option.name} {text!r} has a semicolon: write commas between "
                    "several values"
                )
                self.problem(message, option.name)
                continue
            try:
                yield option.read(option.name, text)
            except ValueError as error:
                self.problem(str(error), option.name)

    def _header(self, known: Collection[str]) -> Header:
        """Return the argument and the options, and leave the body as the content."""
        first, *lines = self.lines or [""]
        if self.syntax == "reStructuredText":
            indents = [indent_of(text) for text in self.content if text.strip()]
            self.content.trim_left(min(indents, default=0))
            return read_header(
                first.partition("::")[2],
                list(takewhile(str.strip, lines)),
                known,
                continues=self.argument_continues,
            )
        # MyST drops an empty first line from the content.
        is_body = bool(lines) and not lines[0].strip()
        header = read_myst_header(
            " ".join(self.arguments),
            [] if is_body else list(self.content),
            known,
            in_header=self.in_header,
            continues=self.argument_continues,
        )
        taken = header.end - 1
        if self.content[taken:] and not self.content[taken].strip():
            taken += 1
        self.content = self.content[taken:]
        self.content_offset += taken
        return header

    def problem(
        self, message: str, at: str | int = 0, subtype: Subtype = Subtype.OPTION
    ) -> None:
        """Note a problem at an option or a line of the directive, from 0."""
        source, line = self.place()
        option = at if isinstance(at, str) else ""
        offset = self.offsets.get(at, 0) if isinstance(at, str) else at
        self.problems.append(
            Problem(subtype, message, source, line + offset, option=option)
        )

    @property
    def syntax(self) -> str:
        """The syntax in which it is written."""
        is_rst = self.block_text.lstrip().startswith("..")
        return "reStructuredText" if is_rst else "Markdown"

    @property
    def offsets(self) -> dict[str, int]:
        """Map each option to its line in the directive, from 0."""
        return {option.name: option.at for option in reversed(self.header.options)}

    def place(self) -> tuple[str, int]:
        """Return the file and line of the directive."""
        source, line = self.get_source_info()
        return absolute(source), line or 1


def split(value: str) -> list[str]:
    """Return the parts of a list that commas or line ends separate.

    The two ways in which YAML writes a list are understood.
    """
    if value.startswith("[") and value.endswith("]"):
        value = value[1:-1]
    parts = [text.strip() for text in re.split(r"[,\n]", value)]
    return [part for text in parts if (part := text.removeprefix("- ").strip())]


def as_written(_name: str, text: str) -> str:
    """Read a text as it is."""
    return text


def one_line(_name: str, text: str) -> str:
    """Read a text as one line."""
    return " ".join(text.split())


def one_of(*allowed: str) -> Callable[[str, str], str]:
    """Return what reads one of the allowed words."""

    def read(name: str, text: str) -> str:
        if text in allowed:
            return text
        suggestion = did_you_mean(closest(text, allowed, 1))
        raise ValueError(
            f"{name} {text!r} is not one of {', '.join(allowed)}{suggestion}"
        )

    return read


def classes(name: str, text: str) -> tuple[str, ...]:
    """Read CSS classes."""
    try:
        return tuple(rst.class_option(text)) if text else ()
    except ValueError as error:
        raise ValueError(f"{name} {text!r}: {error}") from error


def flag(name: str, text: str) -> bool:
    """Read whether a flag is set; YAML's words for yes and no are understood."""
    if text.casefold() in {"false", "no"}:
        return False
    if text.casefold() in {"", "true", "yes"}:
        return True
    raise ValueError(f"{name} is a flag and takes no value: {text!r}")
