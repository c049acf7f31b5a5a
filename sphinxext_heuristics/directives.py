"""Text to nodes: what authors write.

Everything that can be wrong with it is kept in the record and told later, so that it
is told on every build, not only on those that read the page.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, cast

from docutils import nodes
from docutils.parsers.rst import directives as rst
from sphinx.roles import XRefRole
from sphinx.util.docutils import SphinxDirective

from sphinxext_heuristics.config import namespace_of, strip_namespace
from sphinxext_heuristics.diagnostics import absolute, closest, did_you_mean
from sphinxext_heuristics.model import (
    CATEGORY,
    CONNECTION_TYPES,
    PAGE_TYPES,
    SEVERITIES,
    Connection,
    Evidence,
    Heuristic,
    Problem,
    Query,
    Subtype,
)
from sphinxext_heuristics.nodes import (
    EVIDENCE,
    heuristic,
    heuristic_entries,
    heuristic_facts,
    heuristic_note,
    heuristic_query,
)
from sphinxext_heuristics.notes.inline import freeze
from sphinxext_heuristics.versions import is_empty_range
from sphinxext_heuristics.versions import parse as parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from docutils.nodes import Node, system_message

    Result: TypeAlias = tuple[list[Node], list[system_message]]

_NAME = re.compile(r"[\w.-]+")
_BAD_IN_NAME = re.compile(r"[^\w.-]+")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
#: What opens another direction of writing, and what closes it.
_DIRECTIONS = (("\u202a\u202b\u202d\u202e", "\u202c"), ("\u2066\u2067\u2068", "\u2069"))
_OPTION_LINE = re.compile(r":([A-Za-z][\w-]*):(?:\s|$)")
_TARGETS = re.compile(rf"{CATEGORY}[^,\n]+|[^\s,]+")
_OBJECT = re.compile(r"\w+(\.\w+)*(:\w+(\.(\w+|<locals>))*)?")
#: What opens a block that may have options of its own.
_MARKUP = re.compile(r"\.\. |`{3}|:{3}|~{3}")
_LAYOUTS = ("table", "cards")


class AnyOption(dict[str, Any]):
    """An option specification that takes every option as it is written.

    docutils and MyST would drop an unknown option with a warning that only the build
    which reads the page gives.
    """

    def __missing__(self, _name: str) -> Any:  # noqa: ANN401 - docutils' converter
        return lambda value: value

    def __bool__(self) -> bool:
        """Tell MyST that there may be options."""
        return True


class CheckedDirective(SphinxDirective):
    """A directive that keeps what is wrong with it for later."""

    option_spec: ClassVar[Any] = AnyOption()
    #: The options that it knows, docutils' own included.
    known: ClassVar[tuple[str, ...]] = ()

    def check_options(self) -> dict[str, str]:
        """Return the known options as text and note the others as problems."""
        self.problems: list[Problem] = []
        for name, value in self.options.items():
            if name not in self.known:
                self.problem(
                    Subtype.OPTION,
                    f"unknown option {name!r}: allowed are {', '.join(self.known) or 'none'}"
                    f"{did_you_mean(closest(name, self.known, 1))}",
                    name,
                )
            elif self._lost_comment(name, value):
                self.problem(
                    Subtype.OPTION,
                    f"{name} ends before ' #', which begins a comment in YAML: put the value in quotes",
                    name,
                )
        for name in self._repeated():
            self.problem(Subtype.OPTION, f"option {name!r} is given more than once: the last one counts", name)
        return {name: self._showable(name, value) for name, value in self.options.items() if name in self.known}

    def _repeated(self) -> list[str]:
        """Return the options that MyST has seen several times; docutils lets no such directive run."""
        text = self.block_text or ""
        if text.lstrip().startswith(".."):
            return []
        # The fence, the options, the body: MyST counts from the fence.
        lines = text.splitlines()[1 : self.content_offset + 1]
        names = Counter(line.removeprefix(":").partition(":")[0] for line in lines)
        return [name for name in self.options if names[name] > 1]

    def _showable(self, name: str, value: object) -> str:
        """Return an option's value as text, without characters that would act on what stands around it."""
        return self.without_controls(name, "" if value is None else str(value).strip()).strip()

    def without_controls(self, name: str, text: str) -> str:
        """Return a text that is called *name* without characters that would act on what stands around it."""
        dropped = controls(text)
        if dropped:
            named = ", ".join(f"U+{ord(char):04X}" for char in dropped)
            self.problem(Subtype.OPTION, f"{name} has control characters, which are left out: {named}", name)
        return "".join(char for char in text if char not in dropped)

    def _lost_comment(self, name: str, value: object) -> bool:
        """Return whether the source has more of a value than MyST has left of it."""
        kept = str(value or "").strip()
        return any(
            " #" in text and text.partition(" #")[0].strip() == kept for _at, text in self._option_lines.get(name, ())
        )

    def problem(self, subtype: Subtype, message: str, option: str = "") -> None:
        """Note a problem at the directive, or at an option's line where it is found."""
        source, line = self.place()
        self.problems.append(
            Problem(
                subtype=subtype,
                message=message,
                source=source,
                line=line + self._offset(option),
            )
        )

    def place(self) -> tuple[str, int]:
        """Return the file and line of the directive."""
        source, line = self.get_source_info()
        return absolute(source), line or 1

    def _offset(self, option: str) -> int:
        lines = self._option_lines.get(option, ()) if option else ()
        return lines[0][0] if lines else 0

    @cached_property
    def _option_lines(self) -> dict[str, list[tuple[int, str]]]:
        """Name → the lines of the directive, from 0, that begin with it and a colon, and what follows there."""
        found: dict[str, list[tuple[int, str]]] = {}
        for at, text in enumerate((self.block_text or "").splitlines()):
            name, colon, value = text.strip().removeprefix(":").partition(":")
            if colon:
                found.setdefault(name, []).append((at, value))
        return found

    def choice(self, options: dict[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return an option that is one of the *allowed* words, or the default."""
        value = options.get(name, default)
        if value in allowed:
            return value
        self.problem(
            Subtype.OPTION,
            f"{name} {value!r} is not one of {', '.join(allowed)}{did_you_mean(closest(value, allowed, 1))}",
            name,
        )
        return default

    def classes(self, options: dict[str, str]) -> tuple[str, ...]:
        """Return the CSS classes that the author gives."""
        value = options.get("class", "")
        try:
            return tuple(rst.class_option(value)) if value else ()
        except ValueError as error:
            self.problem(Subtype.OPTION, f"class {value!r}: {error}", "class")
            return ()

    def flag(self, options: dict[str, str], name: str) -> bool:
        """Return whether a flag is set; YAML's words for yes and no are understood."""
        value = options.get(name)
        if value is None:
            return False
        if value.casefold() in {"", "true", "yes"}:
            return True
        if value.casefold() not in {"false", "no"}:
            self.problem(Subtype.OPTION, f"{name} is a flag and takes no value: {value!r}", name)
        return False


class HeuristicDirective(CheckedDirective):
    """Define a heuristic: its name as the argument, the rest as options and body."""

    has_content = True
    optional_arguments = 1  # none at all is a problem of ours, not of docutils
    final_argument_whitespace = True
    known = (
        "title",
        "note",
        "index-note",
        *CONNECTION_TYPES,
        "except",
        "category",
        "severity",
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
        body = self.parse_content_to_nodes()
        note = self._note(options)
        self._check_body(note, body)
        record = self._record(name, options)
        # Problems are complete only when all has been looked at.
        facts = heuristic_facts(record=replace(record, problems=tuple(self.problems)))
        node = heuristic()
        self.set_source_info(node)
        node += self._title(title or name.replace("_", " ") or "Heuristic")
        node += [note, facts, *body, heuristic_entries()]
        self._register(node, record.anchor)
        return [node]

    def _heuristic_name(self) -> str:
        written = " ".join(self.arguments[0].split()) if self.arguments else ""
        if not written:
            self.problem(Subtype.OPTION, "heuristic without a name: the name is missing")
            return ""
        name = strip_namespace(written, namespace_of(self.config))
        if _NAME.fullmatch(name):
            return name
        better = _BAD_IN_NAME.sub("_", name).strip("_")
        read_as = f"it is read as {better!r}" if better else "nothing is left of it"
        self.problem(
            Subtype.OPTION,
            f"the name {written!r} has characters other than letters, digits, '_', '-' and '.'; {read_as}",
        )
        return better

    def _record(self, name: str, options: dict[str, str]) -> Heuristic:
        source, line = self.place()
        since, until = (self._version(options, bound) for bound in ("since", "until"))
        if is_empty_range(since, until):
            self.problem(Subtype.VERSION, f"since {since} lies after until {until}", "since")
        categories = dict.fromkeys(split(options.get("category", "")))
        return Heuristic(
            name=name,
            title="",
            note=(),
            index_note=freeze(self._inline(options.get("index-note", "")), self.env.docname),
            severity=self.choice(options, "severity", SEVERITIES, "tip"),
            categories=tuple(categories),
            connections=tuple(
                connection
                for type_ in CONNECTION_TYPES
                for connection in self._connections(type_, options.get(type_, ""))
            ),
            excepts=tuple(dict.fromkeys(t.lstrip("~") for t in split(options.get("except", "")))),
            since=since,
            until=until,
            inject=not self.flag(options, "no-inject"),
            classes=self.classes(options),
            docname="",
            anchor=anchor_of(name),
            source=source,
            line=line,
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

    def _connections(self, type_: str, value: str) -> Iterator[Connection]:
        for text in split(value):
            connection = parse_connection(type_, text)
            if connection is None:
                self.problem(
                    Subtype.OPTION,
                    f"{type_} {text!r} names no target; allowed is a target or 'text <target>'",
                    type_,
                )
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
        children, messages = self.parse_inline(" ".join(text.split()), lineno=self.lineno)
        return [*children, *messages]

    def _check_body(self, note: heuristic_note, body: list[Node]) -> None:
        if not note["given"] and not (body and isinstance(body[0], nodes.paragraph)):
            self.problem(
                Subtype.NOTE,
                "no note: give the option note, or a body that begins with a sentence",
            )
        for text in first_paragraph(self.content, body):
            if match := _OPTION_LINE.match(text.strip()):
                option = match[1]
                close = () if option in self.known else closest(option, self.known, 1)
                self.problem(
                    Subtype.OPTION,
                    f"the body begins with what looks like the option {option!r}"
                    f"{did_you_mean(close)}: options stand right under the "
                    "directive, without a blank line before them",
                    option,
                )

        if self.content and self._continues_option(self.content[0]):
            self.problem(
                Subtype.OPTION,
                f"the body begins with the line {self.content[0].strip()!r}, which looks like the continuation "
                "of the option above it: MyST wants a value of several lines in a YAML block between '---' lines",
            )

    def _continues_option(self, first: str) -> bool:
        """Return whether the body's first line stands indented right under an option."""
        lines = (self.block_text or "").splitlines()
        for above, text in pairwise(lines):
            if text.strip() == first.strip() and _OPTION_LINE.match(above.lstrip()):
                return _indent(text) > _indent(above)
        return False

    def _register(self, node: heuristic, wanted: str) -> None:
        """Give the definition its anchor, which no other node of the page may have."""
        document = self.state.document
        # Where many are named alike, each begins where the last one has ended.
        counts = cast("dict[str, int]", self.env.temp_data.setdefault("heuristics_anchors", {}))
        anchor, count = wanted, counts.get(wanted, 1)
        while anchor in document.ids:
            anchor, count = f"{wanted}-{count}", count + 1
        counts[wanted] = count
        node["ids"].append(anchor)
        if self.options.get("name"):
            self.add_name(node)  # which notes the target, too
        else:
            document.note_explicit_target(node, node)


class EvidenceDirective(CheckedDirective):
    """Quote code of an installed package: its object as the argument, the quote as the body."""

    has_content = True
    optional_arguments = 1  # none at all is a problem of ours, not of docutils
    final_argument_whitespace = True
    known = ("text", "class", "name")

    def run(self) -> list[Node]:
        """Return a code block whose caption is completed when the installed source is known."""
        options = self.check_options()
        module, qualname = self._object()
        quote = self._quote()
        prose = self.flag(options, "text")
        source, line = self.place()
        node = nodes.container(
            "",
            self._caption(qualname, module),
            self._block(quote, "none" if prose else "python"),
            literal_block=True,
            classes=["literal-block-wrapper", "heuristic-evidence", *self.classes(options)],
        )
        node[EVIDENCE] = Evidence(
            module=module,
            qualname=qualname,
            quote=quote,
            prose=prose,
            source=source,
            line=line,
            problems=tuple(self.problems),
        )
        self.set_source_info(node)
        if self.options.get("name"):  # docutils cannot read an empty one
            self.add_name(node)
        return [node]

    def _object(self) -> tuple[str, str]:
        """Return the module and the object in it that the argument names, empty where it names none."""
        written = " ".join(self.arguments[0].split()).lstrip("~") if self.arguments else ""
        written = re.sub(r" ?: ?", ":", written)
        if not written:
            self.problem(Subtype.OPTION, "evidence without an object: write 'module:Class.method', or 'module'")
        elif not _OBJECT.fullmatch(written):
            better = written.replace(" ", ":", 1).removesuffix("()")
            alike = (better,) if _OBJECT.fullmatch(better) else ()
            self.problem(
                Subtype.OPTION,
                f"evidence {written!r} is neither 'module:Class.method' nor 'module'{did_you_mean(alike)}",
            )
        else:
            module, _colon, qualname = written.partition(":")
            return module, qualname
        return "", ""

    def _quote(self) -> str:
        quote = "\n".join(self.content).strip("\n")
        if not quote.strip():
            self.problem(Subtype.OPTION, "evidence without a quote: the body is what is quoted")
        return self.without_controls("the quote", quote)

    def _caption(self, qualname: str, module: str) -> nodes.caption:
        caption = nodes.caption("", ", ".join(filter(None, (module, qualname))))
        caption["translatable"] = False
        self.set_source_info(caption)
        return caption

    def _block(self, quote: str, language: str) -> nodes.literal_block:
        # A fragment is no program: what the highlighter cannot read is shown as it is.
        block = nodes.literal_block(quote, quote, language=language, force=True)
        self.set_source_info(block)
        return block


class QueryDirective(CheckedDirective):
    """Place a view: its name is the directive's, and a placeholder is filled when all pages are known."""

    # What it does not take is a problem of ours, not of docutils, which would drop it all.
    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    #: Whether it takes an argument.
    takes_argument: ClassVar[bool] = False
    #: Whether, in an API entry, it replaces what the entry shows automatically.
    by_hand: ClassVar[bool] = False

    def run(self) -> list[Node]:
        """Return the placeholder."""
        options = self.check_options()
        if self.arguments and not self.takes_argument:
            self.problem(Subtype.OPTION, f"{self.name} takes no argument: {self.arguments[0]!r}")
        if self.content:
            self.problem(Subtype.OPTION, f"{self.name} takes no body: {self.content[0].strip()!r}")
        asked = tuple(self.asked(options).items())
        source, line = self.place()
        node = heuristic_query(by_hand=self.by_hand)
        self.set_source_info(node)
        node["record"] = Query(view=self.name, options=asked, source=source, line=line, problems=tuple(self.problems))
        return [node]

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return option → value, as plain data, of what the view is asked for."""
        return dict(options)


class FilteredDirective(QueryDirective):
    """Place a view of the heuristics that options choose."""

    known = ("category", "severity", *CONNECTION_TYPES)

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return filter → the values, of which any will do."""
        filters = {name: tuple(split(options[name])) for name in FilteredDirective.known if name in options}
        for value in filters.get("severity", ()):
            self.choice({"severity": value}, "severity", SEVERITIES, "tip")
        return filters


class HeuristicIndexDirective(FilteredDirective):
    """List heuristics with their connections, the categories and the legend."""

    known = (*FilteredDirective.known, "missing", "layout")

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return the filters and the form."""
        layout = self.choice(options, "layout", _LAYOUTS, "table")
        return {**super().asked(options), "layout": layout, "missing": self.flag(options, "missing")}


class HeuristicsForDirective(QueryDirective):
    """Show what applies to the given objects, pages or categories."""

    takes_argument = True
    by_hand = True

    def asked(self, options: dict[str, str]) -> dict[str, Any]:
        """Return the targets."""
        targets = split_targets(self.arguments[0]) if self.arguments else []
        if not targets:
            self.problem(
                Subtype.OPTION,
                "heuristics-for without a target: name an object, a page or 'category:NAME'",
            )
        return {"target": tuple(targets)}


class HeuristicRole(XRefRole):
    """A link to a heuristic whose text is the title, unless the author gives another."""

    def __init__(self) -> None:
        """Write the text as running text, not as code."""
        super().__init__(innernodeclass=nodes.inline, warn_dangling=False)

    def run(self) -> Result:
        """Return the link; the short name of the role means the domain's."""
        self.name = "heuristic:ref"
        return super().run()


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def controls(text: str) -> str:
    """Return the characters of a text that would act on what stands around it, each once.

    They are control characters, halves of surrogate pairs, and the marks of the writing direction where
    not each that opens is closed.
    """
    found = _CONTROL.findall(text)
    for opening, closing in _DIRECTIONS:
        open_now = 0
        for char in text:
            open_now += (char in opening) - (char == closing)
            if open_now < 0:
                break
        if open_now:
            found += [char for char in text if char in opening or char == closing]
    return "".join(sorted(set(found)))


def split(value: str) -> list[str]:
    """Return the parts of a list that commas or line ends separate."""
    return [part for text in re.split(r"[,\n]", unbracketed(value)) if (part := text.strip())]


def unbracketed(value: str) -> str:
    """Return a list without the brackets that YAML puts around it."""
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value


def split_targets(value: str) -> list[str]:
    """Return the targets of ``heuristics-for``; only a category's name holds spaces."""
    return [target.strip().lstrip("~") for target in _TARGETS.findall(value)]


def parse_connection(type_: str, text: str) -> Connection | None:
    """Return the connection that *text* writes, or ``None`` where no target is named."""
    planned = text.startswith("?")
    text = text.removeprefix("?").strip()
    label, target = _text_and_target(text)
    planned = planned or target.startswith("?")
    target = target.removeprefix("?").strip()
    short = target.startswith("~")
    target = target.removeprefix("~").strip()
    if not target or (type_ not in PAGE_TYPES and re.search(r"\s", target)):
        return None
    return Connection(
        type=type_,
        target=target,
        text=" ".join(label.split()) if label else None,
        short=short,
        planned=planned,
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
