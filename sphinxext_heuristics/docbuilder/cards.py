"""Which alerts each docstring shows: all is decided here, when the hook writes.

doc-builder makes a *card* of each object, of its docstring. What has none of its own,
or no card, is named at the card of its class.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .hook_code import (
    attribute,
    function_of,
    own_docstring,
    parameter_of,
    subclasses,
    walk,
)
from .objects import shortest_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from types import ModuleType

Json = dict[str, Any]

#: How many alerts are open in a docstring, and how many more at each parameter.
MAX_SHOWN, MAX_AT_PARAMETER = 3, 2
#: How many links a line has, besides one to all others.
MAX_LINKS = 5
#: On more cards than these, a heuristic is named by the command.
_MANY = 10
_SEVERITIES = ("danger", "caution", "warning", "important", "note", "tip")
_REACHES = ("named", "inherited", "wide")


class Insertion(NamedTuple):
    """What is inserted of a heuristic at a card: an alert, or only a link."""

    is_link: bool
    #: The member that it is about, which has no card.
    member: str
    parameter: str
    #: What comes first has the lowest.
    rank: tuple[object, ...]
    item: Json


class Card(NamedTuple):
    """An object whose docstring takes insertions."""

    name: str
    target: object
    #: The class that it is a member of.
    owner: type | None
    docstring: str
    insertions: list[Insertion]


@dataclass
class Cards:
    """The cards of a package that show something."""

    package: ModuleType
    #: The names that have a card.
    documented: frozenset[str]
    #: By the identity of their objects.
    found: dict[int, Card] = field(default_factory=dict)
    #: Object → why it shows nothing.
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, insertion: Insertion) -> None:
        """Add to the card of an object, or of the class that it belongs to."""
        try:
            owner, found = walk(self.package, self._inside(name))
        except (LookupError, ImportError) as error:
            self.left_out[name] = str(error)
            return
        cls = owner if isinstance(owner, type) else None
        target = function_of(found)
        docstring = own_docstring(target) if name in self.documented else None
        if docstring is None and cls:
            class_name, _, member = name.rpartition(".")
            is_link = insertion.is_link or member not in vars(cls)
            insertion = insertion._replace(member=member, parameter="", is_link=is_link)
            name, target, cls, docstring = class_name, cls, None, own_docstring(cls)
        if docstring is None:
            is_documented = name in self.documented
            reason = (
                "it has no docstring of its own" if is_documented else "it has no card"
            )
            self.left_out[name] = reason
            return
        self._put(Card(name, target, cls, docstring, [insertion]))

    def _inside(self, name: str) -> str:
        return name.removeprefix(f"{self.package.__name__}.")

    def _put(self, card: Card) -> None:
        """Add a card, or its insertions to those that its object has."""
        known = self.found.setdefault(id(card.target), card._replace(insertions=[]))
        known.insertions.extend(card.insertions)

    def add_heirs(self) -> None:
        """Let classes that inherit a method without a card of it link its alerts."""
        for card in list(self.found.values()):
            for cls in subclasses(card.owner) if card.owner else ():
                self._inherit(cls, card)

    def _inherit(self, cls: type, card: Card) -> None:
        member = card.name.rpartition(".")[2]
        docstring = own_docstring(cls)
        package = self.package.__name__
        long_name = f"{cls.__module__}.{cls.__qualname__}"
        name = shortest_path(cls, package) or long_name
        names = {name, long_name}
        is_inherited = attribute(cls, member) is card.target
        has_card = any(f"{it}.{member}" in self.documented for it in names)
        if docstring is None or not is_inherited or has_card:
            return
        insertions = [
            insertion._replace(member=member, parameter="", is_link=True)
            for insertion in card.insertions
            if not insertion.is_link and not names & {*insertion.item["except"]}
        ]
        if insertions:
            self._put(Card(name, cls, None, docstring, insertions))


@dataclass
class Decision:
    """What the files hold, and what is said of it."""

    data: Json
    #: Object → why it shows nothing.
    left_out: dict[str, str]
    #: Heuristic → on how many cards it is open, parameters aside.
    on_cards: Counter[str] = field(default_factory=Counter)
    at_parameters: int = 0

    def leaves_out(self, target: str) -> bool:
        """Return whether nothing is shown for a target that has no entry."""
        is_one = re.fullmatch(rf"{self.data['package']}\.[\w.]+", target)
        return not is_one or target in self.left_out

    def report(self, told: Collection[str] = ()) -> Iterator[str]:
        """Yield lines: how much is open, what is on many cards, what shows nothing.

        Of the last, what is *told* already is passed over.
        """
        count = len(self.data["docstrings"])
        yield (
            f"{self.on_cards.total()} alerts stand open, and {self.at_parameters} at "
            f"parameters; {count} docstrings"
        )
        for name, number in self.on_cards.most_common():
            if number > _MANY:
                yield f"{name}: open on {number} cards"
        for name, reason in self.left_out.items():
            if name not in told:
                yield f"{name}: {reason}"


def decide(
    items: Sequence[Json],
    package: ModuleType,
    base_url: str,
    *,
    everything: bool = False,
) -> Decision:
    """Return what docstrings show of heuristics, always in the same order.

    *items* are the heuristics, as ``heuristics.json`` has them. *base_url* may be
    empty: then nothing is only linked. What only ``+`` or ``*`` reaches is left out,
    but for links at parameters, unless *everything* is exported.
    """
    entries: set[str] = set()
    for item in items:
        entries.update(entry["name"] for entry in item["entries"])
    cards = Cards(package, frozenset(entries))
    for position, item in enumerate(items):
        for name, insertion in _places(item, position, everything=everything):
            if name.startswith(f"{package.__name__}."):
                cards.add(name, insertion)
    if base_url:
        cards.add_heirs()
    data: Json = {"package": package.__name__, "alerts": {}, "docstrings": {}}
    decision = Decision(data, cards.left_out)
    for card in sorted(cards.found.values(), key=lambda card: card.name):
        if shown := list(_shown(card, base_url, decision)):
            data["docstrings"][card.name] = shown
    data["alerts"] = dict(sorted(data["alerts"].items()))
    return decision


def _places(
    item: Json, position: int, *, everything: bool
) -> Iterator[tuple[str, Insertion]]:
    """Yield the objects at which a heuristic is shown."""
    severity = _SEVERITIES.index(item["severity"])
    for entry in item["entries"]:
        is_wide = entry["reach"] == "wide"
        parameter = entry["parameter"] or ""
        reach = _REACHES.index(entry["reach"])
        rank = (severity > 0, -item["weight"], severity, reach, position)
        if parameter or everything or not is_wide:
            is_link = bool(parameter) and is_wide and not everything
            yield entry["name"], Insertion(is_link, "", parameter, rank, item)
    if item["holds"] and item["inject"]:
        rank = (severity > 0, -item["weight"], severity, 0, position)
        # a member that is documented nowhere may be named at its class's card
        for connection in item["connections"]:
            is_missing = connection["type"] == "impl" and not connection["names"]
            if is_missing and not re.search(r"[+*]", connection["target"]):
                yield connection["target"], Insertion(True, "", "", rank, item)  # noqa: FBT003


def _shown(card: Card, base_url: str, decision: Decision) -> Iterator[Json]:
    """Yield the entries of a docstring: alerts, and lines of links."""
    lines = card.docstring.split("\n")
    places: dict[tuple[int, str], list[Insertion]] = {}
    for insertion in _once(card.insertions):
        try:
            name = insertion.parameter
            place = (parameter_of(lines, name)[0] if name else 0, name)
        except LookupError:  # it is described elsewhere
            place = (0, "")
        places.setdefault(place, []).append(insertion)
    for (_, parameter), insertions in sorted(places.items(), key=lambda pair: pair[0]):
        limit = MAX_AT_PARAMETER if parameter else MAX_SHOWN
        shown = [it for it in insertions if not it.is_link][:limit]
        where = {"parameter": parameter} if parameter else {}
        for insertion in shown:
            name = f"{insertion.item['name']} {insertion.member}".strip()
            decision.data["alerts"][name] = _alert(insertion, base_url)
            yield {"alert": name, **where}
        if parameter:
            decision.at_parameters += len(shown)
        else:
            decision.on_cards.update(insertion.item["name"] for insertion in shown)
        more = [it for it in insertions if it not in shown]
        if more and base_url:
            intro = f"{len(more)} more: " if shown else "See "
            yield {"line": f"{intro}{_links(more, base_url)}.", **where}


def _once(insertions: Iterable[Insertion]) -> list[Insertion]:
    """Return insertions in their order, each heuristic once.

    An alert goes before a link, what is about the object itself before a member, and a
    parameter before none.
    """
    first: dict[str, Insertion] = {}
    for insertion in sorted(
        insertions, key=lambda it: (it.is_link, it.member, not it.parameter)
    ):
        first.setdefault(insertion.item["name"], insertion)
    return sorted(first.values(), key=lambda it: it.rank)


def _alert(insertion: Insertion, base_url: str) -> str:
    item = insertion.item
    # doc-builder has no danger
    kind = item["severity"].upper().replace("DANGER", "CAUTION")
    about = f"`{insertion.member}`: " if insertion.member else ""
    title = _title(item, base_url) + _stop(item["title"])
    text = _plain(item["note"]["markdown"])
    # text that begins with a link does not become an alert
    return f"> [!{kind}]\n> **{about}{title}** {text}{_stop(text)}"


def _stop(text: str) -> str:
    return "" if text.endswith((".", "!", "?")) else "."


def _links(insertions: Sequence[Insertion], base_url: str) -> str:
    """Return links to the first insertions, and to where the others are."""
    several = len(insertions) > MAX_LINKS + 1
    shown = insertions[:MAX_LINKS] if several else insertions
    links = []
    for insertion in shown:
        about = f"`{insertion.member}`: " if insertion.member else ""
        links.append(f"{about}{_title(insertion.item, base_url)}")
    if several:
        links.append(f"[{len(insertions) - MAX_LINKS} others]({base_url})")
    return "; ".join(links)


def _title(item: Json, base_url: str) -> str:
    """Return a title that Markdown reads as text, linked if there is an address."""
    title = re.sub(
        r"[\\`*\[\]<]|(?<!\w)_|_(?!\w)", r"\\\g<0>", " ".join(item["title"].split())
    )
    return f"[{title}]({base_url.rstrip('/')}/{item['url']})" if base_url else title


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
