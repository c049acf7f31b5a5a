"""``[[autodoc]] X``: entries that Sphinx's autodoc makes, with the names and members that doc-builder chooses."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import TYPE_CHECKING

from docutils.parsers.rst import states
from docutils.statemachine import StringList
from sphinx import addnodes

from sphinxext_heuristics.docbuilder.objects import (
    Found,
    chosen_members,
    find_object,
    import_package,
    mocked,
    second_names,
)
from sphinxext_heuristics.docbuilder.store import DocbuilderDomain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docutils import nodes
    from sphinx.environment import BuildEnvironment


#: The kinds of entries that may have members.
_WITH_MEMBERS = frozenset({"class", "exception", "module"})
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
        self.names: set[str] = set()
        #: What is wrong with the entries that were made.
        self.problems: list[str] = []

    def find(self, name: str) -> Found | None:
        """Find an object of the package.

        :returns: ``None`` if there is none.
        :raises ImportFailedError: The package or a module in it cannot be imported.
        """
        with mocked(self.env.config.autodoc_mock_imports):
            return find_object(name, import_package(self.package))

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
        held = self._is_held_here(found.name)
        elsewhere = [member for member in members if not self._is_held_here(f"{found.name}.{member}")] if held else []
        own = [member for member in members if member not in elsewhere]
        nodes_ = self._parse(_directive(found, own, elsewhere, index=held), line)
        for node in nodes_:
            _sort(node, members)
            self._add_ids(node)
        if held and members:
            names = second_names(found, members, import_package(self.package))
            DocbuilderDomain.of(self.env).note(self.env.docname).second_names.extend(names)
        return nodes_

    def _is_held_here(self, name: str) -> bool:
        first = name not in self.names
        self.names.add(name)
        claimants = DocbuilderDomain.of(self.env).state.claimants.get(name, (self.env.docname,))
        return first and claimants[0] == self.env.docname

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

    def _add_ids(self, root: nodes.Node) -> None:
        """Give the entries of an object that another page holds their anchors."""
        for signature in root.findall(addnodes.desc_signature):
            name = f"{signature.get('module') or ''}.{signature.get('fullname') or ''}".strip(".")
            if not signature["ids"] and name not in self.document.ids:
                signature["ids"].append(name)
                self.document.ids[name] = signature


def _directive(found: Found, members: Sequence[str], elsewhere: Sequence[str], *, index: bool) -> list[str]:
    """Write autodoc's directive for an object; *elsewhere* are members whose entries another place holds."""
    kind = _kind(found)
    lines = [f".. auto{kind}:: {found.name}"]
    lines += [f"   :no-{name}:" for name in _OFF if kind in _WITH_MEMBERS]
    lines += [f"   :members: {', '.join(members)}", "   :undoc-members:"] if members else []
    lines += [] if index else ["   :no-index:"]
    for member in elsewhere:
        kind = _kind(Found(object=getattr(found.object, member), name=member))
        lines += ["", f"   .. auto{kind}:: {found.name}.{member}", "      :no-index:"]
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


def _sort(root: nodes.Node, members: Sequence[str]) -> None:
    """Put the members of an entry in the order in which they are listed."""
    places = {name: place for place, name in enumerate(members)}
    for content in list(root.findall(addnodes.desc_content))[:1]:
        entries = [node for node in content.children if isinstance(node, addnodes.desc)]
        names = {id(node): str(node[0].get("fullname", "")).rpartition(".")[2] for node in entries}  # type: ignore[attr-defined]
        order = sorted(entries, key=lambda node: places.get(names[id(node)], len(places)))
        slots = [content.index(node) for node in entries]
        for slot, node in zip(slots, order, strict=True):
            content.children[slot] = node
