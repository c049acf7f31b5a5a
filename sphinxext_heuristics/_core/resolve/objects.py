"""Which API entries a target means: identity of objects, never likeness of names."""

from __future__ import annotations

from functools import cache, cached_property
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING

from ..diagnostics import ClosestNames, closest
from .records import Resolved, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..model import Entry
    from ..source.answers import Answers
    from ..source.packages import Sources


class Objects:
    """The documented objects under all their names.

    *entries* come in the order of the documentation; *canonical* has the Python
    domain's other names of a documented name. The *sources* of packages are asked only
    for a name that no entry has.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        canonical: Mapping[str, tuple[str, ...]],
        sources: Answers | Sources,
    ) -> None:
        """Index the entries by name; nothing is read until a target asks for it."""
        #: Documented name → its entry: of several one whose object told its lineage.
        self._entries: dict[str, Entry] = {}
        self._canonical = canonical
        self._sources = sources
        self._modules: set[str] = set()
        self.find = cache(self._find)
        #: What an `except` target means: as `find`, but for ``+``.
        self.find_without_subclasses = cache(self._find_without_subclasses)
        self.aliases = cache(self._all_names)
        self.lineage = cache(self._lineage)
        self._known_as = cache(self._names_known_as)
        self._excepted = cache(self._names_excepted)
        #: The last part of a name → the documented names that end so, to be asked for
        #: those like another.
        self._alike = cache(lambda last: ClosestNames(self._by_last[last]))
        for entry in entries:
            for name in entry.names:
                if entry.is_module:
                    self._modules.add(name)
                if entry.lineage or name not in self._entries:
                    self._entries[name] = entry

    @property
    def names(self) -> Iterable[str]:
        """Return all documented names in the order of the documentation."""
        return self._entries.keys()

    @cached_property
    def _classes(self) -> dict[str, tuple[str, ...]]:
        """Documented class → its bases, and theirs, by identity."""
        found: dict[str, tuple[str, ...]] = {}
        for name, entry in self._entries.items():
            if entry.is_class:
                found[name] = (
                    entry.bases if entry.lineage else self._sources.bases(name)
                )
        return found

    @cached_property
    def _told(self) -> dict[str, list[str]]:
        """Every name of an object → the documented names that show this object.

        They are those that objects told; without an object the source is asked, but of
        a class's member only when a target asks for one of its name.
        """
        known: dict[str, list[str]] = {}
        for name, entry in self._entries.items():
            lineage = entry.lineage
            if not lineage and not self._is_member(name):
                lineage = self.lineage(name)
            names = (name, *lineage, *self._canonical.get(name, ()))
            for known_name in dict.fromkeys(names):
                known.setdefault(known_name, []).append(name)
        return known

    @cached_property
    def _untold(self) -> dict[str, list[str]]:
        """The last part of a name → the names of which the source may know more.

        Whatever a member is inherited from, it has the same last part there.
        """
        return _by_last_part(
            name
            for name, it in self._entries.items()
            if it.may_be or (not it.lineage and self._is_member(name))
        )

    def _is_member(self, name: str) -> bool:
        """Return whether a class is documented that a name is in."""
        owner = self._entries.get(name.rpartition(".")[0])
        return owner is not None and owner.is_class

    def _names_known_as(self, name: str) -> list[str]:
        """Return the documented names that show the object of a name."""
        untold = self._untold.get(name.rpartition(".")[2], ())
        others = [it for it in untold if name in self.lineage(it)]
        return [*dict.fromkeys([*self._told.get(name, ()), *others])]

    @cached_property
    def _by_last(self) -> dict[str, list[str]]:
        """The last part of a documented name → the documented names that end so."""
        return _by_last_part(self._entries)

    @cached_property
    def _told_by_last(self) -> dict[str, list[str]]:
        """The last part of any name that objects told → these names."""
        return _by_last_part(self._told)

    def _known_endings(self, tail: str) -> list[str]:
        """Return the names of objects that end with *tail* at a dot."""
        untold = self._untold.get(tail.rpartition(".")[2], ())
        names = chain.from_iterable(map(self.lineage, untold))
        found = [*_ending(tail, self._told_by_last), *names]
        return _ending(tail, _by_last_part(dict.fromkeys(found)))

    @cached_property
    def _last_parts(self) -> ClosestNames:
        return ClosestNames(self._by_last)

    def _find(self, target: str) -> Resolved:
        """Return what *target* means.

        It is a dotted, partly dotted, bare or starred name, a class with ``+``, or a
        member of such a class.
        """
        owner, plus, member = target.partition("+")
        if plus:
            classes = self._with_subclasses(owner)
            return self._members(classes, member) if member else classes
        return self.find_without_subclasses(target)

    def _find_without_subclasses(self, target: str) -> Resolved:
        """Return what a name means: a class is itself, and not its subclasses."""
        if target.startswith("*."):
            ending = _ending(target[2:], self._by_last)
            return Resolved(reached=dict.fromkeys(ending, Rule.STAR))
        if reached := self._reached(target):
            return Resolved(reached=reached)
        ending = _ending(target, self._by_last)
        known = [] if ending else self._known_endings(target)
        meant = ending or [*chain.from_iterable(map(self._known_as, known))]
        # A function may have the name of its module.
        meant = [name for name in meant if name not in self._modules] or meant
        ending = [name for name in ending if name in meant]
        objects = dict.fromkeys(map(self.identity, meant))
        if len(objects) > 1:
            return Resolved(several=tuple(objects))
        # Each entry was meant: the same as its name written out.
        written_out = self._reached(*ending, *known)
        return Resolved(reached=written_out | dict.fromkeys(ending, Rule.ENDING))

    def _with_subclasses(self, target: str) -> Resolved:
        """Return a class, if it is documented, and its documented subclasses."""
        own = self.find(target)
        if own.several:
            return own
        classes = {
            name: rule for name, rule in own.reached.items() if name in self._classes
        }
        spelled = map(self.identity, classes) if own.reached else self.aliases(target)
        reached: dict[str, Rule] = {}
        for spelling in spelled:
            reached |= dict.fromkeys(self._below.get(spelling, ()), Rule.SUBCLASS)
        reached |= classes
        in_order = {name: reached[name] for name in self._in_order(reached)}
        return Resolved(reached=in_order)

    def _members(self, classes: Resolved, member: str) -> Resolved:
        """Return the documented *member*, such as ``.merge``, of each class."""
        reached: dict[str, Rule] = {}
        for name, rule in classes.reached.items():
            is_below = rule is Rule.SUBCLASS
            if f"{name}{member}" in self._entries:
                reached[f"{name}{member}"] = Rule.OVERRIDE if is_below else Rule.MEMBER
        return classes._replace(reached=reached)

    @cached_property
    def _below(self) -> dict[str, list[str]]:
        """The name of a base by identity → the documented classes below it."""
        found: dict[str, list[str]] = {}
        for name, bases in self._classes.items():
            for base in bases:
                found.setdefault(base, []).append(name)
        return found

    def _reached(self, *targets: str) -> dict[str, Rule]:
        """Return the documented names of the objects with exactly these names."""
        spelled = set(chain.from_iterable(map(self.aliases, targets)))
        reached: set[str] = set()
        for spelling in spelled:
            reached.update(self._known_as(spelling))
        return {
            name: Rule.ITSELF if name in targets else self._rule(name, spelled)
            for name in self._in_order(reached)
        }

    def _rule(self, name: str, spelled: Iterable[str]) -> Rule:
        """Return why a target that is *spelled* in these ways reaches another name."""
        own = set(self._own_names(name))
        is_copy = self.is_inherited(name) and own.isdisjoint(spelled)
        return Rule.INHERITED if is_copy else Rule.ALIAS

    def _in_order(self, names: Iterable[str]) -> list[str]:
        """Return documented names in the order of the documentation."""
        return sorted(names, key=self._rank.__getitem__)

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {name: rank for rank, name in enumerate(self._entries)}

    def _lineage(self, name: str) -> tuple[str, ...]:
        """Return the names by identity of the object of a name."""
        entry = self._entries.get(name)
        if entry and entry.lineage and not entry.may_be:
            return entry.lineage
        found = self._sources.lineage(name)
        if entry is None or not entry.lineage:
            return found
        return found if {*found[:1]} & {*entry.may_be} else entry.lineage

    def is_inherited(self, name: str) -> bool:
        """Return whether an entry's object is defined on another class than its own."""
        return len(self.lineage(name)) > 1

    def _all_names(self, target: str) -> tuple[str, ...]:
        """Return all names under which the object named *target* may be documented."""
        names = self._own_names(target)
        owner, _, member = target.rpartition(".")
        own = self.lineage(owner)[:1] if owner in self._entries else ()
        owners = [*own, *self._known_as(owner)]
        names += [f"{name}.{member}" for name in owners]
        if not any(map(self._known_as, names)):
            for name in tuple(names):
                names += self.aliases_in_source(name)
        return tuple(dict.fromkeys(names))

    def aliases_in_source(self, name: str) -> Iterator[str]:
        """Yield the names that the source gives an object, without those of modules.

        What is documented as a module is no other object, whatever its package binds to
        its name.
        """
        for alias in self._sources.aliases(name):
            if alias not in self._modules:
                yield alias

    def identity(self, name: str) -> str:
        """Return the name of the object that the entry *name* documents."""
        if lineage := self.lineage(name):
            return lineage[-1]
        return next(iter(self._canonical.get(name, ())), name)

    def excludes(self, target: str, names: Iterable[str]) -> bool:
        """Return whether an `except` target names an entry or a class that it is in.

        *names* are the entry's own.
        """
        meant = self._excepted(target)
        for name in names:
            if name in meant:
                return True
            for owner in accumulate(name.split(".")[:-1], "{}.{}".format):
                if owner in meant and self.is_class(owner):
                    return True
        return False

    def _names_excepted(self, target: str) -> set[str]:
        """Return all names of the objects that an `except` target means."""
        found = self.find_without_subclasses(target)
        if found.several:
            return set()
        # A copy has the name of another class.
        own = [
            name for name, rule in found.reached.items() if rule is not Rule.INHERITED
        ]
        return set(chain.from_iterable(map(self.aliases, [target, *own])))

    def is_class(self, name: str) -> bool:
        """Return whether a name is a class's, documented or not."""
        if entry := self._entries.get(name):
            return entry.is_class
        return bool(self._sources.lineage(name))  # a module has none

    def own_names(self, entry: Entry) -> list[str]:
        """Return the names that `except` judges an entry by.

        They are the documented ones and those of the object as its own class spells
        them, not those of the class that defines it.
        """
        return [*chain.from_iterable(map(self._own_names, entry.names))]

    def _own_names(self, name: str) -> list[str]:
        lineage = self.lineage(name) if name in self._entries else ()
        return [name, *lineage[:1], *self._canonical.get(name, ())]

    def closest(self, target: str) -> tuple[str, ...]:
        """Return the documented names most like *target*."""
        owner, _dot, last = target.rpartition(".")
        is_last = last in self._by_last
        ends = [last] if is_last else self._last_parts.closest(last, 2)
        alike = chain.from_iterable(self._by_last[end] for end in ends)
        near = chain.from_iterable(self._alike(end).closest(target) for end in ends)
        if found := closest(target, near):
            return found
        # The same last part is meant wherever it is; of a bare name, like ones will do.
        is_meant = is_last or owner in {"", "*"}
        return tuple(islice(alike, 3)) if is_meant else ()


def _ending(tail: str, by_last: Mapping[str, list[str]]) -> list[str]:
    """Return the names that end with *tail* at a dot."""
    alike = by_last.get(tail.rpartition(".")[2], ())
    return [name for name in alike if f".{name}".endswith(f".{tail}")]


def _by_last_part(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.rpartition(".")[2], []).append(name)
    return found
