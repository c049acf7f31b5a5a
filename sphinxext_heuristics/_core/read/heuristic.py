"""The directive ``heuristic``: its name as the argument, the rest as options and body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from docutils import nodes

from sphinxext_heuristics._core.config import Settings
from sphinxext_heuristics._core.diagnostics import closest, did_you_mean
from sphinxext_heuristics._core.model import (
    CONNECTION_TYPES,
    PAGE_TYPES,
    SEVERITIES,
    Connection,
    Heuristic,
    Subtype,
)
from sphinxext_heuristics._core.nodes import (
    heuristic,
    heuristic_entries,
    heuristic_facts,
    heuristic_note,
)
from sphinxext_heuristics._core.notes.inline import freeze
from sphinxext_heuristics._core.notes.links import INVENTORY
from sphinxext_heuristics._core.read.header import body_fault
from sphinxext_heuristics._core.read.options import CheckedDirective, split
from sphinxext_heuristics._core.versions import is_empty_range
from sphinxext_heuristics._core.versions import parse as parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from docutils.nodes import Node

#: A name: letters, digits, ``_``, ``-`` and ``.``, at least one letter or digit.
NAME = re.compile(r"(?=[_.-]*[^\W_])[\w.-]+")
_BAD_IN_NAME = re.compile(r"[^\w.-]+")
_OPTION_LINE = re.compile(r":([A-Za-z][\w-]*):(?:\s|$)")
#: A role, or other markup, where a plain name belongs.
_ROLE = re.compile(r"`+([^`]*)`+")
#: What separates targets that should be separated by commas: those of objects, those of
#: pages.
_SEVERAL = (re.compile(r"[\s;]"), re.compile(";"))
#: What opens a block that may have options of its own.
_MARKUP = re.compile(r"\.\. |`{3}|:{3}|~{3}")


class HeuristicDirective(CheckedDirective):
    """Define a heuristic: its name as the argument, the rest as options and body."""

    known = (
        "title",
        "note",
        "index-note",
        *CONNECTION_TYPES,
        "param",
        "except",
        "category",
        "severity",
        "weight",
        "keywords",
        "former-names",
        "since",
        "until",
        "no-inject",
        "class",
        "name",
    )

    def run(self) -> list[Node]:
        """Return the definition's node with its record, note and body."""
        options = self.check_options()
        name = self._heuristic_name()
        title = " ".join(options.get("title", "").split())
        self._check_indent()
        body = self.parse_content_to_nodes()
        note = self._note(options)
        self._check_body(note, body)
        written = note.rawsource or "\n".join(first_paragraph(self.content, body))
        if "inv:" in written:
            # A link that leads to nothing leaves no trace when MyST has read it.
            self.env.note_dependency(INVENTORY)
        record = self._record(name, options)
        # Problems are complete only when all has been looked at.
        facts = heuristic_facts(record=record._replace(problems=tuple(self.problems)))
        node = heuristic()
        self.set_source_info(node)
        node += self._title(title or name.replace("_", " ") or "Heuristic")
        node += [note, facts, *body, heuristic_entries()]
        self._register(node, record)
        return [node]

    def _check_indent(self) -> None:
        """Take the body as one even where it is indented otherwise than the options."""
        if fault := body_fault(self.lines, self.header):
            self.problem(Subtype.OPTION, fault[1], fault[0])
            self.content.trim_left(
                min(
                    len(text) - len(text.lstrip())
                    for text in self.content
                    if text.strip()
                )
            )

    def _heuristic_name(self) -> str:
        written = " ".join(self.header.argument.split())
        if not written:
            self.problem(
                Subtype.OPTION, "heuristic without a name: the name is missing"
            )
            return ""
        return self._plain_name(written)

    def _plain_name(self, written: str, option: str = "") -> str:
        name = Settings.of(self.config).strip(written)
        if NAME.fullmatch(name):
            return name
        fault = "no letter or digit"
        if _BAD_IN_NAME.search(name):
            fault = "characters other than letters, digits, '_', '-' and '.'"
        better = _BAD_IN_NAME.sub("_", name).strip("_.-")
        read_as = f"it is read as {better!r}" if better else "nothing is left of it"
        self.problem(
            Subtype.OPTION, f"the name {written!r} has {fault}; {read_as}", option
        )
        return better

    def _record(self, name: str, options: dict[str, str]) -> Heuristic:
        source, line = self.place()
        since, until = (self._version(options, bound) for bound in ("since", "until"))
        if is_empty_range(since, until):
            self.problem(
                Subtype.VERSION, f"since {since} lies after until {until}", "since"
            )
        categories = dict.fromkeys(split(options.get("category", "")))
        former_names = (
            self._plain_name(former, "former-names")
            for former in split(options.get("former-names", ""))
        )
        return Heuristic(
            name=name,
            title="",
            note=(),
            index_note=freeze(
                self._inline(options.get("index-note", "")), self.env.docname
            ),
            former_names=tuple(filter(None, former_names)),
            severity=self.choice(options, "severity", SEVERITIES, "tip"),
            categories=tuple(categories),
            keywords=tuple(dict.fromkeys(split(options.get("keywords", "")))),
            connections=tuple(
                connection
                for type_ in CONNECTION_TYPES
                for connection in self._connections(type_, options.get(type_, ""))
            ),
            excepts=tuple(
                dict.fromkeys(t.lstrip("~") for t in split(options.get("except", "")))
            ),
            parameters=tuple(dict.fromkeys(split(options.get("param", "")))),
            since=since,
            until=until,
            weight=self._weight(options.get("weight", "0")),
            inject=not self.flag(options, "no-inject"),
            classes=self.classes(options),
            docname="",
            anchor=anchor_of(name),
            source=source,
            line=line,
            offsets=tuple(self.offsets.items()),
        )

    def _version(self, options: dict[str, str], bound: str) -> str:
        value = options.get(bound, "")
        if value and parse_version(value) is None:
            self.problem(
                Subtype.OPTION,
                f"{bound} {value!r} is not a version such as 0.21 or 0.21.2",
                bound,
            )
            return ""
        return value

    def _weight(self, value: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,9}", value):
            self.problem(
                Subtype.OPTION,
                f"weight {value!r} is not an integer such as 10 or -1",
                "weight",
            )
            return 0
        return int(value)

    def _connections(self, type_: str, value: str) -> Iterator[Connection]:
        for text in split(value):
            connection = parse_connection(type_, text)
            if connection is None:
                message = (
                    f"{type_} {text!r} names no target; allowed is a target or "
                    f"'text <target>'"
                )
                self.problem(Subtype.OPTION, message, type_)
            elif match := _ROLE.search(text):
                plain = match[1].rpartition("<")[2].strip("~!.> ")
                self.problem(
                    Subtype.OPTION,
                    f"{type_} {text!r} is markup: write the plain name {plain!r}",
                    type_,
                )
            elif _SEVERAL[type_ in PAGE_TYPES].search(connection.target):
                message = (
                    f"{type_} {connection.target!r} is several words: separate "
                    f"targets with commas"
                )
                self.problem(Subtype.OPTION, message, type_)
            else:
                yield connection

    def _title(self, text: str) -> nodes.title:
        title = nodes.title(text, text)
        title["support_smartquotes"] = False  # as with the note
        self.set_source_info(title)
        return title

    def _note(self, options: dict[str, str]) -> heuristic_note:
        """Return the note that is given; a transform takes another from the translated body."""
        note = heuristic_note()
        self.set_source_info(note)
        text = " ".join(options.get("note", "").split())
        note += self._inline(text)
        note.rawsource = text  # what a message catalogue holds
        note["given"] = bool(text)
        return note

    def _inline(self, text: str) -> list[Node]:
        """Return one line of text as inline nodes."""
        children, messages = self.parse_inline(
            " ".join(text.split()), lineno=self.lineno
        )
        return [*children, *messages]

    def _check_body(self, note: heuristic_note, body: list[Node]) -> None:
        if not note["given"] and not (body and isinstance(body[0], nodes.paragraph)):
            self.problem(
                Subtype.NOTE,
                "no note: give the option note, or a body that begins with a sentence",
            )
        lines = [text.strip() for text in self.lines]
        for text in first_paragraph(self.content, body):
            if match := _OPTION_LINE.match(text.strip()):
                option = match[1]
                close = () if option in self.known else closest(option, self.known, 1)
                self.problem(
                    Subtype.OPTION,
                    f"the body begins with what looks like the option {option!r}"
                    f"{did_you_mean(close)}: options stand right under the "
                    "directive, without a blank line before them",
                    lines.index(text.strip(), self.header.end)
                    if text.strip() in lines[self.header.end :]
                    else 0,
                )

    def _register(self, node: heuristic, record: Heuristic) -> None:
        """Give the definition its anchor, which no other node of the page may have, and those of its former names."""
        document, wanted = self.state.document, record.anchor
        # Where many are named alike, each begins where the last one has ended.
        counts = cast(
            "dict[str, int]", self.env.temp_data.setdefault("heuristics_anchors", {})
        )
        anchor, number = wanted, counts.get(wanted, 1)
        while anchor in document.ids:
            anchor, number = f"{wanted}-{number}", number + 1
        counts[wanted] = number
        former = dict.fromkeys(map(anchor_of, record.former_names))
        node["ids"] += [
            anchor,
            *(one for one in former if one != anchor and one not in document.ids),
        ]
        if self.options.get("name"):
            self.add_name(node)  # which notes the target, too
        else:
            document.note_explicit_target(node, node)


def parse_connection(type_: str, text: str) -> Connection | None:
    """Return the connection that *text* writes, or ``None`` where no target is named."""
    planned = text.startswith("?")
    text = text.removeprefix("?").strip()
    label, target = _text_and_target(text)
    planned = planned or target.startswith("?")
    target = target.removeprefix("?").strip()
    short = target.startswith("~")
    target = target.removeprefix("~").strip()
    subclasses = type_ == "impl" and target.endswith("+")
    target = target[:-1] if subclasses else target
    if not target:
        return None
    label = " ".join(label.split()) if label else None
    return Connection(
        type=type_,
        target=target,
        text=label,
        short=short,
        planned=planned,
        subclasses=subclasses,
    )


def _text_and_target(written: str) -> tuple[str | None, str]:
    """Return the parts of ``text <target>``; ``None`` and the whole where it is written otherwise."""
    text, opened, target = written.removesuffix(">").rpartition("<")
    if not (text and opened and written.endswith(">")) or ">" in target:
        return None, written
    return text, target.strip()


def anchor_of(name: str) -> str:
    """Return the id of a heuristic's definition."""
    return "heuristic-" + re.sub(r"[_.]", "-", name.lower())


def first_paragraph(content: Iterable[str], body: list[Node]) -> Iterator[str]:
    """Yield the lines of the body's first paragraph, as written; none if it is something else.

    reStructuredText reads lines like options as a field list.
    """
    first = next((node for node in body if not isinstance(node, nodes.Invisible)), None)
    if isinstance(first, nodes.paragraph | nodes.field_list):
        for text in content:
            if not text.strip() or _MARKUP.match(text.strip()):
                return
            yield text
