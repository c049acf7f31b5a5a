"""Which alerts each docstring shows: all is decided here, when the hook writes.

doc-builder makes a *card* of each object, of its docstring. A member that has none is
named at the card of its class.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .hook_code import parameter_of, summary_of
from .lookup import address_of, function_of, own_docstring, repeated_in, walk

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from types import ModuleType

Json = dict[str, Any]

#: How many alerts are open in a docstring, those at parameters counted.
MAX_SHOWN = 3
#: How many links a line has, besides one to all others.
MAX_LINKS = 5
_SEVERITIES = ("danger", "caution", "warning", "important", "note", "tip")
_REACHES = ("named", "inherited", "wide")
#: A docstring is reStructuredText for doc-builder, where code has two backticks.
_RST = re.compile(
    r"(?:^|[^`])``[^`]+``(?:[^`]|$)|:(?:obj|func|class|meth):`[^`]+`"
    r"|^[ \t]*Example.*::\s*$",
    re.MULTILINE,
)


class AlertPlace(NamedTuple):
    """Where an alert stands: a line of the selection."""

    heuristic: str
    #: What it is about: an object with a card, or a member of one.
    object: str
    #: The parameter whose description it is in, or ``""``.
    parameter: str = ""

    def __str__(self) -> str:
        """Return the line."""
        return " ".join(filter(None, self))


class Insertion(NamedTuple):
    """What is inserted of a heuristic at a card."""

    place: AlertPlace
    item: Json
    #: Whether it is only named, in a line of links.
    is_link: bool
    #: The member that it is about, which has no card.
    member: str
    #: What comes first has the lowest.
    rank: tuple[object, ...]

    @property
    def parameter(self) -> str:
        """The parameter whose description it is in, or ``""``."""
        return self.place.parameter


class Card(NamedTuple):
    """An object whose docstring takes insertions."""

    name: str
    #: Where the docstring is, and where subclasses repeat it: doc-builder would list
    #: those methods if they differed.
    addresses: tuple[str, ...]
    docstring: str
    insertions: list[Insertion]

    def ranked(self) -> list[Insertion]:
        """Return the insertions in their order, each heuristic once.

        An alert goes before a link, what is about the object itself before a member,
        and a parameter before none.
        """
        nearest = sorted(
            self.insertions, key=lambda it: (it.is_link, it.member, not it.parameter)
        )
        first: dict[str, Insertion] = {}
        for insertion in nearest:
            first.setdefault(insertion.place.heuristic, insertion)
        return sorted(first.values(), key=lambda it: it.rank)


@dataclass
class Cards:
    """The cards of a package that show something."""

    package: ModuleType
    #: The names that have a card.
    documented: Container[str]
    #: By the identity of their objects.
    found: dict[int, Card] = field(default_factory=dict)
    #: Object → why it shows nothing.
    left_out: dict[str, str] = field(default_factory=dict)
    #: The names of which there is no object; the build has said so.
    missing: set[str] = field(default_factory=set)

    def add(
        self,
        item: Json,
        name: str,
        rank: tuple[object, ...],
        parameter: str = "",
        *,
        is_link: bool = False,
    ) -> None:
        """Add a heuristic to the card of an object, or of the class that it is in."""
        try:
            owner, found = _walked(self.package, name)
        except LookupError:
            self.missing.add(name)
            return
        except ImportError as error:
            self.left_out[name] = str(error)
            return
        target, shown, member = function_of(found), name, ""
        docstring = own_docstring(target) if name in self.documented else None
        if docstring is None and isinstance(owner, type):
            shown, _, member = name.rpartition(".")
            target, owner, docstring = owner, None, own_docstring(owner)
        problem = self._problem(name, docstring)
        if docstring is None or problem:
            self.left_out[name] = problem
            return
        if member or not _describes(docstring, parameter):
            if is_link:
                return
            parameter = ""
        place = AlertPlace(item["name"], name, parameter)
        insertion = Insertion(place, item, is_link, member, rank)
        if id(target) not in self.found:
            addresses = [address_of(self.package, shown)]
            addresses += repeated_in(owner, shown.rpartition(".")[2], docstring)
            card = Card(shown, tuple(addresses), docstring, [])
            self.found[id(target)] = card
        self.found[id(target)].insertions.append(insertion)

    def _problem(self, name: str, docstring: str | None) -> str:
        """Return why a docstring takes no alert, or ``""``."""
        if docstring is None:
            is_documented = name in self.documented
            return (
                "no docstring of its own" if is_documented else "no page documents it"
            )
        try:
            summary_of(docstring.split("\n"))
        except LookupError as error:
            return str(error)
        return ""


def _walked(package: ModuleType, name: str) -> tuple[object, object]:
    """Return what a dotted name is an attribute of, and the object; see `walk`."""
    return walk(package, name.removeprefix(f"{package.__name__}."))


def _describes(docstring: str, parameter: str) -> bool:
    try:
        parameter_of(docstring.split("\n"), parameter)
    except LookupError:
        return False
    return True


@dataclass
class Decision:
    """What the files hold, and what is said of it."""

    #: Docstring → its alerts, in their order.
    docstrings: dict[str, list[Json]] = field(default_factory=dict)
    #: Docstring → its object; one that subclasses repeat is that of one object.
    objects: dict[str, str] = field(default_factory=dict)
    #: The places of the alerts that are exported.
    shown: list[AlertPlace] = field(default_factory=list)
    #: The places that the rules allow, before the selection.
    allowed: list[AlertPlace] = field(default_factory=list)
    #: The places that a selection may name.
    possible: set[AlertPlace] = field(default_factory=set)
    #: Object → why it shows nothing.
    left_out: dict[str, str] = field(default_factory=dict)
    #: The names of which there is no object; the build has said so.
    missing: set[str] = field(default_factory=set)


def decide(
    items: Sequence[Json],
    package: ModuleType,
    base_url: str = "",
    selected: Mapping[AlertPlace, str] | None = None,
) -> Decision:
    """Return what docstrings show of heuristics, always in the same order.

    *items* are the heuristics, as ``heuristics.json`` has them. *base_url* may be
    empty: then nothing is only linked. *selected* are the places that are exported,
    each with a text that replaces the note, or ``""``; ``None``: all are that the rules
    allow.
    """
    entries: set[str] = set()
    for item in items:
        entries.update(entry["name"] for entry in item["entries"])
    cards = Cards(package, entries)
    for position, item in enumerate(items):
        _add(cards, item, position)
    decision = Decision(left_out=cards.left_out, missing=cards.missing)
    for card in sorted(cards.found.values(), key=lambda card: card.name):
        decision.objects |= dict.fromkeys(card.addresses, card.name)
        shown = list(_shown(card, base_url, selected, decision))
        if shown:
            decision.docstrings |= dict.fromkeys(card.addresses, shown)
    return decision


def _add(cards: Cards, item: Json, position: int) -> None:
    """Add a heuristic to the cards at which it is shown."""
    severity = _SEVERITIES.index(item["severity"])
    weight = (severity > 0, -item["weight"], severity)
    named = _named_at(cards.package, item)
    for entry in item["entries"]:
        name, parameter = entry["name"], entry["parameter"] or ""
        reach = entry["reach"]
        if named and reach == "wide" and _function(cards.package, name) in named:
            reach = "named"
        is_wide = reach == "wide"
        if parameter or not is_wide:
            rank = (*weight, _REACHES.index(reach), position)
            cards.add(item, name, rank, parameter, is_link=is_wide)
    if not (item["holds"] and item["inject"]):
        return
    for connection in item["connections"]:
        target = connection["target"]
        is_missing = connection["type"] == "impl" and not connection["names"]
        is_inside = target.startswith(f"{cards.package.__name__}.")
        # a member that is documented nowhere is named at its class's card
        if is_missing and is_inside and not re.search(r"[+*]", target):
            cards.add(item, target, (*weight, 0, position))


def _named_at(package: ModuleType, item: Json) -> list[object]:
    """Return the functions that ``C+.m`` names: ``m`` of ``C`` itself."""
    targets = [it["target"] for it in item["connections"] if it["type"] == "impl"]
    names = [target.replace("+", "") for target in targets if "+." in target]
    return [found for name in names if (found := _function(package, name))]


def _function(package: ModuleType, name: str) -> object:
    """Return the function of a dotted name, ``None`` where there is none."""
    try:
        return function_of(_walked(package, name)[1])
    except (LookupError, ImportError):
        return None


def _shown(
    card: Card,
    base_url: str,
    selected: Mapping[AlertPlace, str] | None,
    decision: Decision,
) -> Iterator[Json]:
    """Yield the entries of a docstring: alerts, and lines of links."""
    ranked = card.ranked()
    alerts = [it for it in ranked if not it.is_link]
    decision.possible.update(it.place for it in alerts)
    decision.allowed += [it.place for it in alerts[:MAX_SHOWN]]
    if selected is not None:
        alerts = [it for it in alerts if it.place in selected]
    for insertion in alerts[:MAX_SHOWN]:
        own_text = (selected or {}).get(insertion.place, "")
        decision.shown.append(insertion.place)
        text = _for(card, _alert(insertion, base_url, own_text))
        where = {"parameter": insertion.parameter} if insertion.parameter else {}
        yield {"heuristic": insertion.place.heuristic, **where, "text": text}
    if not base_url:
        return
    if more := alerts[MAX_SHOWN:]:
        line = f"{len(more)} more: {_links(more, base_url)}."
        yield {"text": _for(card, line)}
    at_parameters: dict[str, list[Insertion]] = {}
    for insertion in ranked:
        if insertion.is_link:
            at_parameters.setdefault(insertion.parameter, []).append(insertion)
    for parameter, links in at_parameters.items():
        line = f"See {_links(links, base_url)}."
        yield {"parameter": parameter, "text": _for(card, line)}


def _for(card: Card, text: str) -> str:
    """Return a text with its code as a docstring has it."""
    if _RST.search(card.docstring):
        return re.sub(r"(?<!`)`([^`\n]+)`(?!`)", r"``\1``", text)
    return text


def _alert(insertion: Insertion, base_url: str, own_text: str) -> str:
    """Return an alert; a text of its own replaces the note, and in bold the title."""
    item = insertion.item
    # doc-builder has no danger
    kind = item["severity"].upper().replace("DANGER", "CAUTION")
    bold = re.match(r"\*\*(.+?)\*\* ", own_text)
    title = bold[1] if bold else _escaped(item["title"])
    text = (
        own_text[bold.end() :] if bold else own_text or _plain(item["note"]["markdown"])
    )
    about = f"`{insertion.member}`: " if insertion.member and not bold else ""
    linked = _linked(title, item, base_url) + _stop(title)
    # text that begins with a link does not become an alert
    return f"> [!{kind}]\n> **{about}{linked}** {text}{_stop(text)}"


def _stop(text: str) -> str:
    return "" if text.endswith((".", "!", "?")) else "."


def _links(insertions: Sequence[Insertion], base_url: str) -> str:
    """Return links to the first insertions, and to where the others are."""
    several = len(insertions) > MAX_LINKS + 1
    shown = insertions[:MAX_LINKS] if several else insertions
    links = []
    for insertion in shown:
        about = f"`{insertion.member}`: " if insertion.member else ""
        title = _escaped(insertion.item["title"])
        links.append(f"{about}{_linked(title, insertion.item, base_url)}")
    if several:
        links.append(f"[{len(insertions) - MAX_LINKS} others]({base_url})")
    return "; ".join(links)


def _linked(title: str, item: Json, base_url: str) -> str:
    return f"[{title}]({base_url.rstrip('/')}/{item['url']})" if base_url else title


def _escaped(title: str) -> str:
    """Return a title that Markdown reads as text."""
    return re.sub(r"[\\`*\[\]<]|(?<!\w)_|_(?!\w)", r"\\\g<0>", " ".join(title.split()))


def _plain(note: str) -> str:
    """Return a note as Markdown outside of a table, with one backtick around code.

    The index has code that holds backticks in tags; doc-builder takes code in several
    backticks for reStructuredText.
    """
    note = re.sub(r"(?<!\\)\\\|", "|", " ".join(note.split()))

    def code(found: re.Match[str]) -> str:
        text = re.sub(r"\\(.)", r"\1", found[1])
        return "`" + text.replace("`", "'") + "`"

    return re.sub(r"(?<!\\)<code>(.*?)</code>", code, note)
