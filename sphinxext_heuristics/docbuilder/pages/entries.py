"""``[[autodoc]] X``: entries that Sphinx's autodoc makes, with the names and members that doc-builder chooses."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import TYPE_CHECKING

from docutils.parsers.rst import states
from docutils.statemachine import StringList
from sphinx.domains.python import ObjectEntry

from sphinxext_heuristics.docbuilder.objects import Found, chosen_members, find_object, own_name
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docutils import nodes
    from sphinx.environment import BuildEnvironment

#: The options of autodoc about members that conf.py may set for all entries. Here doc-builder's rules choose.
_OFF = ("members", "undoc-members", "inherited-members", "private-members", "special-members", "exclude-members")


class EntryMaker:
    """Makes the entries of one page.

    :param env: The environment.
    :param document: The page.
    :param package: The documented package.
    """

    def __init__(self, env: BuildEnvironment, document: nodes.document, package: str) -> None:
        self.env = env
        self.document = document
        self.package = package
        #: What is wrong with the entries that were made.
        self.problems: list[str] = []

    def find(self, name: str) -> Found | None:
        """Find an object of the package.

        :returns: ``None`` if there is none.
        :raises ImportFailedError: The package or a module in it cannot be imported.
        """
        return find_object(name, self.package, self.env.config.autodoc_mock_imports)

    def make(self, name: str, listed: Sequence[str] | None, line: int) -> list[nodes.Node]:
        """Make the entry of an object.

        :param name: The object's name as it is written.
        :param listed: The members that are listed with it.
        :param line: The line, from 1.
        :returns: The nodes.
        :raises LookupError: There is no such object.
        :raises ImportFailedError: It cannot be imported.
        """
        found = self.find(name)
        if found is None:
            raise LookupError(name)
        chosen = chosen_members(found.object, listed)
        members = [member for member in chosen if hasattr(found.object, member)]
        self.problems += [f"{found.name} has no member {member!r}" for member in chosen if member not in members]
        entries = DocbuilderDomain.of(self.env).note(self.env.docname).entries
        made = self._parse(_directives(found, members, again=found.name in entries), line)
        self._take_entries(entries)
        for member in members:
            shown, own = entries.get(f"{found.name}.{member}"), own_name(found, member, self.package)
            if shown and own:
                entries.setdefault(own, ObjectEntry(shown.docname, shown.node_id, shown.objtype, aliased=True))
        return made

    def _parse(self, lines: list[str], line: int) -> list[nodes.Node]:
        """Read reStructuredText into the page, so that ids are unique in it, and take the nodes."""
        source = self.document["source"]
        text = StringList(lines, items=[(source, line - 1)] * len(lines))
        machine = states.RSTStateMachine(state_classes=states.state_classes, initial_state="Body", debug=False)
        before = len(self.document.children)
        machine.run(text, self.document, inliner=states.Inliner())
        made = self.document.children[before:]
        del self.document.children[before:]
        return list(made)

    def _take_entries(self, entries: dict[str, ObjectEntry]) -> None:
        """Take the page's objects from Sphinx's: which page's entry counts is known when all pages are read."""
        objects = self.env.domains["py"].data["objects"]
        for name in [name for name, entry in objects.items() if entry.docname == self.env.docname]:
            entries.setdefault(name, objects.pop(name))


def _directives(found: Found, members: Sequence[str], *, again: bool) -> list[str]:
    """Write autodoc's directives for an object and its members."""
    kind = _kind(found)
    lines = [f".. auto{kind}:: {found.name}", *(["   :no-index:"] if again else [])]
    lines += [f"   :no-{name}:" for name in _OFF if kind in {"class", "exception", "module"}]
    for member in members:
        kind = _kind(Found(object=getattr(found.object, member), name=member))
        lines += ["", f"   .. auto{kind}:: {found.name}.{member}", *(["      :no-index:"] if again else [])]
    return [*lines, ""]


def _kind(found: Found) -> str:
    """Give the kind of an object, as autodoc's directives name it."""
    if isinstance(found.object, type):
        return "exception" if issubclass(found.object, BaseException) else "class"
    if isinstance(found.object, ModuleType):
        return "module"
    if isinstance(found.object, property):
        return "property"
    if inspect.isroutine(found.object):
        return "method" if "." in getattr(found.object, "__qualname__", "") else "function"
    return "attribute" if found.name.rpartition(".")[0].rpartition(".")[2][:1].isupper() else "data"
