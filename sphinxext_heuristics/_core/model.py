"""The records: plain data, free of Sphinx, that may be pickled anywhere.

Two notions of identity recur. The *aliases* of an object are all names under which it
may be documented: where it is defined (its identity), where packages above re-export
it, and what ``:canonical:`` says. The *lineage* of a member is its names along the
classes through which it is inherited: its own class's first, the defining class's last.
That of any other object is its identity alone.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from .problems import Problem

#: An inline node frozen to plain data: a text, or (node name, attributes, children).
Inline: TypeAlias = "str | tuple[str, tuple[tuple[str, Any], ...], tuple[Inline, ...]]"


class Note(NamedTuple):
    """A heuristic's note as other pages show it."""

    #: The inline content, with links that lead from anywhere.
    inline: tuple[Inline, ...]
    #: The document that it is written on.
    home: str


#: Severities in ascending order; each is also the admonition's type.
SEVERITIES = ("tip", "note", "important", "warning", "caution", "danger")

#: Connection types in the order in which the index writes them.
CONNECTION_TYPES = ("impl", "workflow", "principle", "env")

#: The document name of the domain's own index page.
INDEX_PAGE = "heuristic-index"

#: What a target of ``heuristics-for`` begins with when it names a category.
CATEGORY = "category:"

#: Connection types whose targets are pages.
PAGE_TYPES = CONNECTION_TYPES[1:]

#: The options of a query that choose heuristics; ``target`` is an object, a page, a
#: heuristic or a category.
FILTERS = ("category", "severity", *CONNECTION_TYPES, "target")


class Connection(NamedTuple):
    """One target of a heuristic, as the author wrote it."""

    #: ``impl``, ``workflow``, ``principle`` or ``env``.
    type: str
    #: The object or page meant, without ``~`` and ``?``.
    target: str
    #: The text given in ``text <target>``, or ``None``.
    text: str | None = None
    #: Whether ``~`` asks for the last part of the target only.
    short: bool = False
    #: Whether ``?`` declares the target planned.
    planned: bool = False
    #: The class whose documented subclasses are meant, too: what ``+`` follows.
    subclasses_of: str = ""

    @property
    def pattern(self) -> str:
        """The target with its ``+``."""
        if not self.subclasses_of:
            return self.target
        member = self.target.removeprefix(self.subclasses_of)
        return f"{self.subclasses_of}+{member}"

    @property
    def is_wide(self) -> bool:
        """Whether it means more than the object that it names: by ``+`` or ``*``."""
        return bool(self.subclasses_of) or self.target.startswith("*.")


class Address(NamedTuple):
    """Where a link leads: a place here, or a URI elsewhere."""

    docname: str = ""
    anchor: str = ""
    uri: str = ""


class Evidence(NamedTuple):
    """Code or words that a page quotes from an installed package."""

    #: The module, as in an import.
    module: str
    #: The object in it, ``Class.method``; empty for the whole module.
    qualname: str
    #: What is quoted.
    quote: str
    #: Whether it is prose from a docstring, comment or message, and not code.
    prose: bool
    #: The file of the directive.
    source: str
    #: The directive's line in it, from 1.
    line: int
    #: What was wrong with the directive's text.
    problems: tuple[Problem, ...] = ()
    #: Whether it is in a part of the page that is collapsed.
    collapsed: bool = False

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.module.partition(".")[0]

    def is_of(self, package: str) -> bool:
        """Return whether it is quoted from a package or a part of one."""
        return self.module == package or self.module.startswith(f"{package}.")

    @property
    def object(self) -> str:
        """The object as the directive names it, ``module:Class.method``."""
        return f"{self.module}:{self.qualname}".rstrip(":")


class Found(NamedTuple):
    """Where a quote is now."""

    #: The source file.
    path: Path
    #: The passage's first line, from 1.
    line: int
    #: Its last line.
    end_line: int
    #: The module of the file: another one than is named if the object is defined there.
    module: str
    #: The object's name in that module.
    qualname: str


class LostReason(enum.StrEnum):
    """Why a quote was not found."""

    NO_PACKAGE, NO_MODULE, NO_OBJECT = "no-package", "no-module", "no-object"
    #: A module written in C, a folder without code, …
    NO_SOURCE = "no-source"
    #: The source file is not Python.
    UNPARSABLE = "unparsable"
    #: The object does not contain the quote, or the quote is not Python.
    NOT_THERE = "not-there"


class Lost(NamedTuple):
    """A quote that was not found."""

    #: Why.
    reason: LostReason
    #: The same in words, one line.
    message: str
    #: The closest passage now, dedented; empty if there is none or it is the quote.
    nearest: str = ""
    #: The file that was read, if one was.
    path: Path | None = None
    #: The line in it where the closest passage begins, or else the object; 0 if
    #: neither.
    line: int = 0
    #: The other object that has it, ``module:Class.method``; empty if that is none, or
    #: several have it.
    holder: str = ""
    #: If it is prose: what can be quoted of the closest passage.
    words: str = ""
    #: Which quoted messages are others in the closest passage, in words.
    changes: tuple[str, ...] = ()


class Message(NamedTuple):
    """What an error, a warning or a log entry says."""

    #: The class of the error or warning, or ``log``; and its text in one line, with
    #: ``…`` for what is put in.
    kind: str
    text: str


class Heuristic(NamedTuple):
    """One definition, as its directive was read.

    A field that an option gives has as its default what holds without the option.
    """

    #: The name without the namespace.
    name: str
    #: The id of its definition in its document.
    anchor: str
    #: The file it is written in, which a docstring or an include makes another one.
    source: str
    #: The line of its directive.
    line: int
    #: The document it is written in.
    docname: str = ""
    #: What readers see.
    title: str = ""
    #: The one line shown in API entries, frozen; empty if there is none.
    note: tuple[Inline, ...] = ()
    #: The text that the index file has in place of the note, frozen; empty for the
    #: note.
    index_note: tuple[Inline, ...] = ()
    #: Connections in the author's order.
    connections: tuple[Connection, ...] = ()
    #: The parameters that it is about. Of what a target with ``+`` or ``*`` reaches,
    #: only entries with one of them count.
    parameters: tuple[str, ...] = ()
    #: API entries where it does not apply.
    excepts: tuple[str, ...] = ()
    #: Categories in the author's order, each once.
    categories: tuple[str, ...] = ()
    #: One of :data:`SEVERITIES`.
    severity: str = "tip"
    #: How often readers run into it: higher is shown first, after each danger.
    weight: int = 0
    #: What readers search for and the text does not say.
    keywords: tuple[str, ...] = ()
    #: Errors and warnings that readers paste and that no evidence can prove; a ``…``
    #: stands for anything.
    messages: tuple[str, ...] = ()
    #: Earlier names, which the role and the inventory still know.
    former_names: tuple[str, ...] = ()
    #: First version it holds for, or ``""``.
    since: str = ""
    #: Last version it holds for, or ``""``.
    until: str = ""
    #: Whether it is shown in API entries and pages automatically.
    inject: bool = True
    #: Classes that the author added to it.
    classes: tuple[str, ...] = ()
    #: All ids of its definition, those of labels and of former names included.
    ids: tuple[str, ...] = ()
    # Each option that is given, with its line in the directive, from 0.
    offsets: tuple[tuple[str, int], ...] = ()
    # Whether it is in an API entry, whose docstring may be shown again elsewhere.
    in_entry: bool = False
    #: What it quotes, in the order of the page.
    evidence: tuple[Evidence, ...] = ()
    #: What was wrong with the directive's text.
    problems: tuple[Problem, ...] = ()

    def __hash__(self) -> int:
        """Return the hash of its place, which no other definition has."""
        return hash((self.docname, self.anchor))

    def fits(self, entry: Entry) -> bool:
        """Return whether an entry has one of the parameters, if there are any."""
        wanted = self.parameters
        return not wanted or not set(wanted).isdisjoint(entry.parameters)


class Entry(NamedTuple):
    """One API entry: a ``desc`` node with all its signatures, or a module."""

    #: The full documented names, one a signature.
    names: tuple[str, ...]
    # What the object told, or else a guess by its documented name; empty where autodoc
    # had no object in hand, and only the source may know it.
    lineage: tuple[str, ...]
    #: The id of the first signature that has one; empty under ``:no-index:``.
    anchor: str
    #: The positions, among the page's queries, of each ``heuristics-for`` in it, which
    #: replaces the automatic ones.
    by_hand: tuple[int, ...] = ()
    # Not empty if the lineage is a guess: that of the source counts instead if it
    # begins with one of these names.
    may_be: tuple[str, ...] = ()
    #: Whether it is that of a class, as the object or the directive says.
    is_class: bool = False
    #: Whether it is a module, which has no ``desc`` node but a target where its
    #: documentation begins.
    is_module: bool = False
    #: The parameters that it has: its page shows them.
    parameters: tuple[str, ...] = ()
    #: A class's bases, and theirs, by identity.
    bases: tuple[str, ...] = ()
    #: The parameters that its documentation describes: those it has a place for.
    described: tuple[str, ...] = ()
    #: The positions, among the page's heuristics, of those that its documentation
    #: defines.
    defines: tuple[int, ...] = ()


class Query(NamedTuple):
    """What the directive of a view asks for."""

    #: The view's name, which is also its directive's.
    view: str
    #: Option → value; the value of a filter is a tuple, of which any will do.
    options: tuple[tuple[str, Any], ...] = ()
    #: The directive's place.
    source: str = ""
    line: int = 0
    #: The id of the section that it is in; empty for the document's own.
    section: str = ""
    # Each option that is given, with its line in the directive, from 0.
    offsets: tuple[tuple[str, int], ...] = ()
    #: What was wrong with the directive's text.
    problems: tuple[Problem, ...] = ()

    def option(self, name: str) -> Any:  # noqa: ANN401 - plain data of the view's own
        """Return the value of an option, ``None`` where it is not given."""
        return dict(self.options).get(name)

    @property
    def filters(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the options that choose heuristics."""
        return tuple((name, value) for name, value in self.options if name in FILTERS)


class RoleUse(NamedTuple):
    """One use of the role."""

    #: The name in the role.
    target: str
    #: Whether it shows a text of its own.
    has_text: bool
    #: Its place.
    source: str
    line: int


class Mention(NamedTuple):
    """A link that may lead to a heuristic, by what it names."""

    #: The heuristic, or ``""``.
    name: str = ""
    #: A label, or ``""``.
    label: str = ""
    #: A document, or ``""``, and an id in it.
    docname: str = ""
    anchor: str = ""
    #: The first ids of the sections around it.
    sections: tuple[str, ...] = ()
    #: Whether it is in the page's own text, not in a docstring or an included file.
    is_own: bool = False


class Page(NamedTuple):
    """All that was read from one document."""

    #: Its heuristics in the order of the page.
    heuristics: tuple[Heuristic, ...] = ()
    #: Its API entries in the order of the page.
    entries: tuple[Entry, ...] = ()
    #: Its uses of the role.
    roles: tuple[RoleUse, ...] = ()
    #: The targets of its links of any other kind that may mean a heuristic, each once,
    #: and whether the link shows a text of its own.
    links: tuple[tuple[str, bool], ...] = ()
    #: All its links that may lead to a heuristic, each once.
    mentions: tuple[Mention, ...] = ()
    #: Its index and ``heuristics-for`` directives.
    queries: tuple[Query, ...] = ()
    #: All that it quotes, in heuristics or not, in the order of the page.
    evidence: tuple[Evidence, ...] = ()
    #: The ids of each of its sections, the document's own first.
    sections: tuple[tuple[str, ...], ...] = ()
    #: Their titles.
    titles: tuple[str, ...] = ()
    #: Whether its quotes are smart, as those of the builder that read it are.
    has_smart_quotes: bool = True
    #: Each label's id with the first id of the section around it, or ``""``.
    anchors: tuple[tuple[str, str], ...] = ()
    #: What was wrong with its text, beside what its directives know of.
    problems: tuple[Problem, ...] = ()

    @property
    def targets(self) -> tuple[tuple[str, bool], ...]:
        """Return the targets of all its links that may mean a heuristic.

        With each is whether the link shows a text of its own.
        """
        return (*((role.target, role.has_text) for role in self.roles), *self.links)
