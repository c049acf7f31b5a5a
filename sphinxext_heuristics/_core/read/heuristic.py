"""The directive ``heuristic``: its options, and what becomes of them."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.nodes import make_id

from .. import versions
from ..config import Settings
from ..diagnostics import closest, did_you_mean
from ..model import CONNECTION_TYPES, SEVERITIES, Heuristic
from ..nodes import heuristic, heuristic_entries, heuristic_facts, heuristic_note
from ..notes.inline import freeze
from ..notes.links import INVENTORY
from ..problems import Subtype
from .connection import connection
from .header import OPTION
from .options import (
    CheckedDirective,
    DirectiveOption,
    LinesOption,
    ListOption,
    as_written,
    classes,
    flag,
    one_line,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from docutils.nodes import Node
    from markdown_it.token import Token

#: A name: letters, digits, ``_``, ``-`` and ``.``, at least one letter or digit.
NAME = re.compile(r"(?=[_.-]*[^\W_])[\w.-]+")
_BAD_IN_NAME = re.compile(r"[^\w.-]+")
#: What looks like an option and is no role; a name alone may be a word.
_LIKE_OPTION = re.compile(r"(:?)([A-Za-z][\w-]*)(:(?!`)|\s|$)")
#: What one syntax reads as markup, and the other shows as text.
_MARKUP_OF = {
    "reStructuredText": re.compile(r"(?<![\w`]):[\w:+-]+:`[^`]+`"),
    "Markdown": re.compile(r"(?<!\S)\[[^\]]+\]\(\S+\)|(?<!`)\{[\w:+-]+\}`[^`]+`"),
}
_CODE = re.compile(r"(`+)[^`]+\1")
#: Options that are fields of other markup, too: docutils' own, and Sphinx's `param`.
_OF_OTHERS = {"class", "name", "param"}
#: What opens a block that may have options of its own.
_MARKUP = re.compile(r"\.\. |`{3}|:{3}|~{3}")


def _without_tilde(_name: str, text: str) -> str:
    return text.lstrip("~")


def _version(name: str, text: str) -> str:
    if text and versions.parse(text) is None:
        raise ValueError(f"{name} {text!r} is not a version such as 0.21 or 0.21.2")
    return text


def _integer(name: str, text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,9}", text):
        raise ValueError(f"{name} {text!r} is not an integer such as 10 or -1")
    return int(text)


_TARGETS = "Targets, separated by commas or line ends"


class HeuristicDirective(CheckedDirective):
    """Define a heuristic: its name as the argument, the rest as options and body."""

    known = (
        DirectiveOption(
            "title",
            one_line,
            "What readers see",
            "the name, with spaces for its underscores",
        ),
        DirectiveOption(
            "note",
            one_line,
            "The one line that API entries, pages and the index show; inline markup is "
            "allowed",
            "the first sentence of the body; neither is a warning",
        ),
        DirectiveOption(
            "index-note",
            one_line,
            "The text for the Markdown index file only",
            "the note",
        ),
        ListOption(
            "impl",
            connection,
            f"{_TARGETS}: Python objects; `C+` is a class and its documented "
            f"subclasses, `C+.m` the member `m` of each of them",
        ),
        ListOption("workflow", connection, f"{_TARGETS}: how-to pages or sections"),
        ListOption(
            "principle", connection, f"{_TARGETS}: explanation pages or sections"
        ),
        ListOption(
            "env", connection, f"{_TARGETS}: pages or sections about an environment"
        ),
        ListOption(
            "param",
            as_written,
            "The parameters that it is about: it is shown where they are described; "
            "of what `C+` or `*.name` reaches, only entries that show one of them in "
            "their signature or documentation show it",
            field="parameters",
        ),
        ListOption(
            "except",
            _without_tilde,
            "API entries that `impl` reaches and that shall not show it; a class "
            "covers its members",
            field="excepts",
            key="except",
        ),
        ListOption(
            "category",
            as_written,
            "One or more categories, separated by commas",
            field="categories",
        ),
        DirectiveOption(
            "severity",
            one_of(*SEVERITIES),
            f"One of {', '.join(f'`{word}`' for word in SEVERITIES)}",
            "`tip`",
            "severity",
        ),
        DirectiveOption(
            "weight",
            _integer,
            "An integer: how often readers run into it; higher is shown first, after "
            "each danger",
            "0",
            "weight",
        ),
        ListOption(
            "keywords",
            as_written,
            "What readers search for and the text does not say, separated by commas; "
            "the page shows it, and the search finds the page by it",
            field="keywords",
        ),
        LinesOption(
            "messages",
            as_written,
            "Errors and warnings that readers paste and that no evidence can prove, "
            "one a line; a `…` stands for anything",
            field="messages",
            key="reported",
        ),
        ListOption(
            "former-names", as_written, "Earlier names; links to them keep working"
        ),
        DirectiveOption(
            "since",
            _version,
            "The first version of the documented package that it holds for",
            "no bound",
            "since",
        ),
        DirectiveOption(
            "until",
            _version,
            "The last one; `0.20` includes 0.20.2",
            "no bound",
            "until",
        ),
        DirectiveOption(
            "no-inject",
            lambda name, text: not flag(name, text),
            "A flag: API entries and pages do not show it by themselves",
            "off",
            "inject",
        ),
        DirectiveOption(
            "class",
            classes,
            "More CSS classes, for the definition and for what is shown of it "
            "elsewhere",
            field="classes",
        ),
        DirectiveOption("name", as_written, "A label for the role `ref`"),
    )

    def run(self) -> list[Node]:
        """Return the definition's node: title, note, facts, body and end.

        The node of the facts carries the record: it outlives the transform that gives
        the definition its form, and `collect` completes the record and takes it out.
        """
        options = self.read_options()
        self._check_below()
        name = self._plain_name(self.header.argument)
        for option in ("title", "note", "index-note"):
            self._check_markup(option, options.get(option, ""))
        body = self.parse_content_to_nodes()
        note = self._note(options.get("note", ""))
        self._check_body(note, body)
        written = note.rawsource or "\n".join(first_paragraph(self.content, body))
        if "inv:" in written:
            # A link that leads to nothing leaves no trace when MyST has read it.
            self.env.note_dependency(INVENTORY)
        record = self._record(name, options)
        node = heuristic()
        self.set_source_info(node)
        title = options.get("title") or name.replace("_", " ") or "Heuristic"
        # Without smart quotes, as the note.
        node += nodes.title(title, title, support_smartquotes=False)
        node += [note, heuristic_facts(record=record), *body, heuristic_entries()]
        self._register(node, record)
        return [node]

    def _check_markup(self, option: str, text: str) -> None:
        """Look for markup that readers would see as text."""
        code = {"code": _CODE} if option == "title" else {}
        for syntax, markup in (_MARKUP_OF | code).items():
            found = markup.search(text)
            if found and (option == "title" or syntax != self.syntax):
                why = f"it is {syntax}, and this page is {self.syntax}"
                if option == "title":
                    why = "a title has no markup"
                self.problem(f"{option} shows {found[0]!r} as text: {why}", option)
                break

    def _plain_name(self, written: str, option: str = "") -> str:
        """Return a name without the namespace, and without what it cannot have."""
        written = " ".join(written.split())
        if not written:
            self.problem("heuristic without a name: the name is missing")
            return ""
        name = Settings.of(self.config).strip(written)
        if NAME.fullmatch(name):
            return name
        better = _BAD_IN_NAME.sub("_", name).strip("_.-")
        message = (
            f"a name has letters or digits, '_', '-' and '.': {written!r} is read as "
            f"{better!r}"
        )
        self.problem(message, option)
        return better

    def _record(self, name: str, options: dict[str, Any]) -> Heuristic:
        """Return the record, once all has been looked at and all problems are known."""
        since, until = options.get("since", ""), options.get("until", "")
        if versions.is_empty_range(since, until):
            message = f"since {since} lies after until {until}"
            self.problem(message, "since", Subtype.VERSION)
        fields = {
            option.field: options[option.name]
            for option in self.known
            if option.field and option.name in options
        }
        connections = (options.get(type_, ()) for type_ in CONNECTION_TYPES)
        former = options.get("former-names", ())
        former_names = [self._plain_name(it, "former-names") for it in former]
        source, line = self.place()
        index_note = self._inline(options.get("index-note", ""), "index-note")
        return Heuristic(
            name=name,
            anchor=anchor_of(name),
            source=source,
            line=line,
            index_note=freeze(index_note),
            connections=tuple(chain.from_iterable(connections)),
            former_names=tuple(filter(None, former_names)),
            offsets=tuple(self.offsets.items()),
            problems=tuple(self.problems),
            **fields,
        )

    def _inline(self, text: str, option: str) -> list[Node]:
        """Return the text of an option as inline nodes."""
        line = self.lineno + self.offsets.get(option, 0)
        # MyST counts the lines of what it is given from 1.
        lineno = line - 1 if self.syntax == "Markdown" else line
        children, messages = self.parse_inline(text, lineno=lineno)
        return [*children, *messages]

    def _note(self, text: str) -> nodes.paragraph:
        """Return the given note, or where a transform puts that of the body."""
        if not text:
            return heuristic_note()
        note = nodes.paragraph(classes=["heuristic-note"])
        self.set_source_info(note)
        note += self._inline(text, "note")
        note.rawsource = text  # what a message catalogue holds
        return note

    def _check_body(self, note: nodes.paragraph, body: list[Node]) -> None:
        known = [option.name for option in self.known]
        line, name = self._stray_option(body, known)
        if line:
            suggestion = "" if name in known else did_you_mean(closest(name, known, 1))
            message = (
                f"the body has the line {line!r}, which looks like the option {name!r}"
                f"{suggestion}: options (':name: value') come right below the "
                f"directive's first line, without an empty line before them"
            )
            self.problem(message, self._line_of(line))
        self._check_fences()
        is_sentence = bool(body) and isinstance(body[0], nodes.paragraph)
        has_note = not isinstance(note, heuristic_note) or is_sentence
        if not has_note and not self.problems:
            message = (
                "no note: give the option note, or a body that begins with a sentence"
            )
            if self.syntax == "reStructuredText":
                message += " and is indented as the options are"
            self.problem(message, subtype=Subtype.NOTE)

    def _stray_option(self, body: list[Node], known: list[str]) -> tuple[str, str]:
        """Return the first line of the body that looks like an option, and its name."""
        for number, text in enumerate(first_paragraph(self.content, body)):
            line = text.strip()
            found = _LIKE_OPTION.match(line)
            # In running text a word may have a colon after it.
            if found is None or not (found[1] or (found[3] == ":" and number == 0)):
                continue
            name = found[2]
            if name in _OF_OTHERS and found[3].isspace():
                continue  # `:param x: text`
            is_misspelled = OPTION.fullmatch(line) and closest(name, known, 1)
            if name in known or is_misspelled:
                return line, name
        own = set(known) - _OF_OTHERS
        for line in _first_lines(body):
            option = OPTION.fullmatch(line)
            if option and option[1] in own:
                return line, option[1]
        return "", ""

    def _check_fences(self) -> None:
        """Look for a fence of Markdown that the end of the directive cuts off."""
        # MyST has no other way to the parser with the extensions of this page.
        renderer = getattr(self.state, "_renderer", None)
        if renderer is None:
            return
        text = "".join(f"{line}\n" for line in self.content)
        tokens: list[Token] = []
        renderer.md.block.parse(text, renderer.md, {}, tokens)
        for token in tokens:
            first, end = token.map or (0, 0)
            is_last = token.type.endswith("fence") and not self.content[end:]
            # A fence without end has no line that is not content, but its first.
            if is_last and token.content.count("\n") == end - first - 1:
                message = (
                    f"the fence {token.markup + token.info!r} has no end in the "
                    "directive: its end is taken for that of the directive, which must "
                    "begin and end with more backticks or colons"
                )
                # MyST counts the lines below the directive's first.
                self.problem(message, self.content_offset + 1 + first)

    def _line_of(self, line: str) -> int:
        """Return the number of a line of the body in the directive, from 0."""
        written = [other.strip() for other in self.lines[self.header.end :]]
        return self.header.end + written.index(line) if line in written else 0

    def _check_below(self) -> None:
        """Look for options of reStructuredText below the directive."""
        if self.syntax != "reStructuredText" or self.header.options:
            return
        machine = self.state_machine
        below = list(machine.input_lines or ())[machine.line_offset + 1 :]
        option = OPTION.fullmatch(below[0]) if below else None
        if option and option[1] in {option.name for option in self.known}:
            message = (
                f"{below[0]!r} is not indented: options come right below the "
                "directive's first line, indented"
            )
            self.problem(message, len(self.lines))

    def _register(self, node: heuristic, record: Heuristic) -> None:
        """Give the definition an anchor of its own, and those of its former names."""
        document = self.state.document
        anchor = record.anchor
        if anchor in document.ids:
            anchor = make_id(self.env, document, anchor)
        anchors = dict.fromkeys([anchor, *map(anchor_of, record.former_names)])
        node["ids"] += [name for name in anchors if name not in document.ids]
        if self.options.get("name"):
            self.add_name(node)  # which notes the target, too
        else:
            document.note_explicit_target(node, node)


def _first_lines(body: Iterable[Node]) -> Iterator[str]:
    """Yield the first line of each paragraph and list of fields in a body."""
    for block in body:
        if isinstance(block, nodes.paragraph):
            yield block.rawsource.partition("\n")[0]
        elif isinstance(block, nodes.field_list):
            name, value = next(block.findall(nodes.field)).children
            yield f":{name.astext()}: {value.astext()}".partition("\n")[0].rstrip()


def anchor_of(name: str) -> str:
    """Return the id of a heuristic's definition."""
    return "heuristic-" + re.sub(r"[_.]", "-", name.lower())


def first_paragraph(content: Iterable[str], body: list[Node]) -> Iterator[str]:
    """Yield the lines of the first paragraph, as written, if the body begins with one.

    reStructuredText reads lines like options as a field list.
    """
    first = next((node for node in body if not isinstance(node, nodes.Invisible)), None)
    if isinstance(first, nodes.paragraph | nodes.field_list):
        for text in content:
            if not text.strip() or _MARKUP.match(text.strip()):
                return
            yield text
