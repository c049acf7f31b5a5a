"""Objects and their entries: ``[[autodoc]] X``.

Objects are found as doc-builder does: by an attribute walk that imports modules on the
way. Sphinx's autodoc makes the entries, with the names and members that doc-builder
chooses.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from functools import reduce
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.parsers.rst import states
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.ext.autodoc.mock import mock  # type: ignore[attr-defined, unused-ignore]

from .lookup import attribute, function_of, walk
from .store import DocbuilderDomain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinx.environment import BuildEnvironment


#: How the names of modules' files end.
_MODULES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)


def import_package(name: str, mocked: Sequence[str] = ()) -> ModuleType:
    """Import a package or a module.

    The modules *mocked* need not be installed (``autodoc_mock_imports``). Raises
    ImportError where it cannot be imported, or does not exist.
    """
    try:
        with mock([*mocked]):
            return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it may exit as it is imported
        message = f"cannot import {name}: {type(error).__name__}: {error}"
        raise ImportError(message) from error


def source_state(package: str) -> str:
    """Return what changes with the source of a package, which is not imported."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # mocked, or not of a file
        spec = None
    if spec is None:
        return ""
    files = [Path(spec.origin or "")]
    for folder in spec.submodule_search_locations or ():
        files += Path(folder).rglob("*")
    times = [
        (str(file), file.stat().st_mtime_ns)
        for file in sorted(files)
        if file.name.endswith(_MODULES) and file.is_file()
    ]
    return hashlib.blake2b(repr(times).encode(), digest_size=16).hexdigest()


def find_object(env: BuildEnvironment, name: str, package: str) -> tuple[object, str]:
    """Return an object of a package, and the name that it is shown under.

    That is the shortest path to it, package included. *name* may lack the package's.
    Raises LookupError where there is no such object, and ImportError where a module on
    the way cannot be imported.
    """
    inside = name.removeprefix(f"{package}.")
    with mock(env.config.autodoc_mock_imports):
        _, found = walk(import_package(package), inside)
        return found, shortest_path(found, package) or f"{package}.{inside}"


def shortest_path(found: object, package: str) -> str | None:
    """Return the path through the first module that has the object's name.

    ``None`` for what does not say where it is defined, or is defined in another
    package.
    """
    function = function_of(found)
    module_name = str(attribute(function, "__module__"))
    long_name = str(attribute(function, "__qualname__", "<"))
    if "<" in long_name or not f"{module_name}.".startswith(f"{package}."):
        return None
    module: object = sys.modules[package]
    path = package
    for part in module_name.split(".")[path.count(".") + 1 :]:
        current = reduce(attribute, long_name.split("."), module)
        # each look at a class method makes a new object
        if function_of(current) is function:
            break
        module = attribute(module, part)
        path = f"{path}.{part}"
    return f"{path}.{long_name}"


def note_modules(env: BuildEnvironment, name: str) -> None:
    """Let the page that is read depend on a module, and on the packages above it.

    What they import gives objects their names. Autodoc only watches the module itself.
    """
    while name:
        file = attribute(sys.modules.get(name), "__file__")
        if isinstance(file, str):
            env.note_dependency(file)
        name = name.rpartition(".")[0]


def documented_methods(cls: type) -> list[str]:
    """Return the public methods with a docstring that no superclass has for them.

    They are in the order of their names.
    """
    names = []
    for name in dir(cls):
        method = None if name.startswith("_") else attribute(cls, name)
        is_method = callable(method) and not isinstance(method, type)
        docstring = attribute(method, "__doc__")
        if is_method and docstring and is_listed(cls, name, docstring):
            names.append(name)
    return names


def is_listed(cls: type, name: str, docstring: object) -> bool:
    """Return whether doc-builder lists a method: no superclass has its docstring."""
    return all(
        attribute(attribute(base, name), "__doc__") != docstring
        for base in cls.__mro__[1:]
    )


def chosen_members(found: object, listed: Sequence[str]) -> list[str]:
    """Return the members of a class that are shown with it.

    *listed* is the list below ``[[autodoc]]``: ``all`` adds the documented methods, as
    does no list; ``none`` leaves all out.
    """
    if not isinstance(found, type):
        return []
    if not listed or "all" in listed:
        listed = [*listed, *documented_methods(found)]
    return [name for name in dict.fromkeys(listed) if name not in {"all", "none"}]


def make_entry(
    document: nodes.document, package: str, name: str, listed: Sequence[str], line: int
) -> tuple[list[nodes.Node], list[str]]:
    """Return the nodes of an object's entry on a page, and what is wrong.

    *name* is as it is written in a *line*, from 1, with the members *listed*. Raises
    LookupError where there is no such object, and ImportError where it cannot be
    imported.
    """
    env: BuildEnvironment = document.settings.env
    shown, path = find_object(env, name, package)
    note_modules(env, str(attribute(function_of(shown), "__module__")))
    chosen = chosen_members(shown, listed)
    members = [member for member in chosen if attribute(shown, member, env) is not env]
    entries = DocbuilderDomain.of(env).notes[env.docname].entries
    lines = _directives(shown, path, members, again=path in entries)
    module, _, last_name = path.rpartition(".")
    if module in sys.modules:
        # it may be hidden by an attribute of its name: let autodoc find the object
        setattr(sys.modules[module], last_name, shown)
    made = _parse(document, lines, line)
    # which page's entry of an object counts is known when all pages are read
    objects = env.domains["py"].data["objects"]
    for full_name, entry in list(objects.items()):
        if entry.docname == env.docname:
            entries.setdefault(full_name, objects.pop(full_name))
    descs = [desc for node in made for desc in node.findall(addnodes.desc)]
    for desc in descs:
        _add_ids(document, desc)
    for member in members:
        entry = entries.get(f"{path}.{member}")
        # in the class that defines it
        own = shortest_path(attribute(shown, member), package)
        if entry and own:
            entries.setdefault(own, entry._replace(aliased=True))
    problems = [
        f"{path} has no member {member!r}" for member in chosen if member not in members
    ]
    if not descs and not isinstance(shown, ModuleType):
        problems.append(f"autodoc shows nothing of {path}")
    return made, problems


def _parse(document: nodes.document, lines: list[str], line: int) -> list[nodes.Node]:
    """Return the nodes of reStructuredText, read into the page for its unique ids."""
    text = StringList(lines, items=[(document["source"], line - 1)] * len(lines))
    machine = states.RSTStateMachine(states.state_classes, "Body")
    before = len(document.children)
    machine.run(text, document)
    made = document.children[before:]
    del document.children[before:]
    return made


def _add_ids(document: nodes.document, desc: addnodes.desc) -> None:
    """Add doc-builder's ids to parameters and examples of an entry.

    They are ``X.rank``, ``X.example``, ``X.example-2``.
    """
    signature = next(desc.findall(addnodes.desc_signature))
    content = next(desc.findall(addnodes.desc_content))
    for name, node in _described(content) if signature["ids"] else ():
        identifier = f"{signature['ids'][0]}.{name}"
        if identifier not in document.ids:
            node["ids"].append(identifier)
            document.ids[identifier] = node


def _described(content: nodes.Element) -> Iterator[tuple[str, nodes.Element]]:
    """Yield the parameters and the examples of an entry, each with its name."""
    numbers = count(1)
    for child in content.children:
        if isinstance(child, nodes.field_list):
            for name in child.findall(addnodes.literal_strong):
                for part in name.astext().split(","):
                    yield part.strip(" *"), name
        elif not isinstance(child, addnodes.desc):
            for block in child.findall(nodes.literal_block):
                yield f"example-{next(numbers)}".removesuffix("-1"), block


def _directives(
    shown: object, path: str, members: Sequence[str], *, again: bool
) -> list[str]:
    """Return autodoc's directives for an object and its members.

    conf.py may choose members for all entries; here doc-builder's rules choose.
    """
    lines = [f".. auto{_kind(shown, path)}:: {path}"]
    if isinstance(shown, type | ModuleType):
        lines += ["   :no-members:", "   :no-inherited-members:"]
    no_index = ":no-index:" if again else ""
    lines += [f"   {no_index}", ""]
    for member in members:
        name = f"{path}.{member}"
        kind = _kind(attribute(shown, member), name)
        lines += [f"   .. auto{kind}:: {name}", f"      {no_index}", ""]
    return lines


def _kind(shown: object, path: str) -> str:
    """Return the kind of an object, as autodoc's directives name it."""
    if isinstance(shown, type):
        return "exception" if issubclass(shown, BaseException) else "class"
    if isinstance(shown, ModuleType):
        return "module"
    if isinstance(shown, property):
        return "property"
    in_module = path.rpartition(".")[0] in sys.modules
    if inspect.isroutine(shown):
        return "function" if in_module else "method"
    return "data" if in_module else "attribute"
