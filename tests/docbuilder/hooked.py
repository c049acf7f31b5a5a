"""A package, and doc-builder's pages of it with the hook: for tests, no test itself."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import runpy
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from conftest import forget_project, others_may_warn

from sphinxext_heuristics.docbuilder import hook, hook_code
from sphinxext_heuristics.docbuilder.export import CODE, DATA

if TYPE_CHECKING:
    from pathlib import Path

ZOO = '''\
"""A zoo."""
import tensors

__version__ = "1.5.0.dev0"


class Base(tensors.Module):
    """The base."""

    def feed(self, food=None, water=None):
        """
        Feed it.

        Args:
            food: What.
        """

    def wash(self):
        """Wash it."""

    def silent(self):
        pass

    @classmethod
    def load(cls):
        """Load it."""

    @property
    def name(self):
        """The name."""


class Child(Base):
    """A child.
    Two lines."""

    def feed(self, food=None, water=None):
        """
        Feed it.

        Args:
            food: What.
        """

    def silent(self):
        pass


class Grandchild(Child):
    """Its child."""

    def wash(self):
        """Wash it well."""


def silent():
    pass


@tensors.no_grad()
def clean(where):
    """Clean it, with ``soap``.

    Returns:
        `bool`: Whether.
    """


def build(parts):
    """
    Args:
        parts: Which.
    """
'''
#: What a mock of doc-builder's does: any attribute, any decorator, a base class that
#: has any attribute.
TENSORS = '''\
class _Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Mock()


class Mock:
    """A mock."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Mock()

    def __call__(self, *args):
        return args[0] if args else self

    def __mro_entries__(self, bases):
        return (_Meta("Module", (), {}),)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Mock()
'''
PACKAGE = {
    "zoo/__init__.py": ZOO,
    "zoo/deep/__init__.py": "",
    "zoo/deep/cage.py": 'def lock():\n    """Lock it."""\n',
    "zoo/broken.py": "raise RuntimeError('no backend')\n",
    "zoo/needy.py": "import not_there\n",
    "tensors.py": TENSORS,
}
CONF = """\
extensions = ["sphinxext_heuristics", "sphinxext_heuristics.docbuilder"]
docbuilder_packages = ["zoo"]
project, release = "Zoo", "1.5"
heuristics_package = "zoo"
heuristics_dir = None
heuristics_undocumented = "planned"
"""
REFERENCE = """\
Zoo
===

.. toctree::

   heuristics/all

.. autoclass:: zoo.Base
   :members: feed, wash, silent
   :undoc-members:

.. autoclass:: zoo.Child

.. autofunction:: zoo.build
"""
PAGE = """\
Heuristics
==========

.. heuristic:: Late
   :title: Wash_ it [late]
   :note: Use ``a|b`` or ``x`y``.
   :impl: zoo.Base.wash
   :severity: tip

.. heuristic:: Hot
   :note: Do not.
   :impl: zoo.Base.wash, zoo.Base.feed
   :severity: danger
   :since: 1.2

.. heuristic:: Quiet
   :note: Say nothing.
   :impl: zoo.Base.silent

.. heuristic:: Hidden
   :note: Never.
   :impl: zoo.Base.feed
   :no-inject:

.. heuristic:: Old
   :note: Then.
   :impl: zoo.Base.feed
   :until: 1.0

.. heuristic:: Wide
   :note: All of them.
   :impl: zoo.Base+

.. heuristic:: Food
   :note: What it eats.
   :impl: *.feed
   :param: food

.. heuristic:: Bare
   :note: No page documents it.
   :impl: zoo.Child.wash
   :severity: note
"""
CONFIG = f'{hook.LINES}\n# docstyle-ignore\nINSTALL_CONTENT = ""\n'


def forget() -> None:
    """Let the package be imported anew."""
    for name in list(sys.modules):
        if name.partition(".")[0] in {"zoo", "tensors"}:
            del sys.modules[name]


def data_of(docstrings: dict[str, list[Any]]) -> str:
    """Return the text of the data: each alert is a line of a list."""
    lines = [
        json.dumps({"object": name, **alert} if isinstance(alert, dict) else alert)
        for name, alerts in docstrings.items()
        for alert in alerts
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


class Run(NamedTuple):
    """What a run of the command gave."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()


class Docs:
    """A package in a folder, and in it doc-builder's, which holds the hook's files."""

    def __init__(self, root: Path) -> None:
        """Write the package and ``pages/_config.py``."""
        self.root = root
        self.pages = root / "pages"
        self.write({**PACKAGE, "pages/_config.py": CONFIG})

    def write(self, files: dict[str, str]) -> None:
        """Write files of it."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def change(self, file: str, *pairs: tuple[str, str]) -> None:
        """Replace in a file what each pair has first by what it has second."""
        text = (self.root / file).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        self.write({file: text})

    # -- the code ----------------------------------------------------------------------

    def run(self, docstrings: Any) -> Any:  # noqa: ANN401 - of any form; a module
        """Add alerts to the docstrings of the package, and give it."""
        self.write({f"pages/{DATA}": data_of(docstrings)})
        hook_code.add_alerts(str(self.pages / CODE))
        return importlib.import_module("zoo")

    def show(self, docstrings: Any) -> Any:  # noqa: ANN401 - of any form; a module
        """Do so with the package imported anew."""
        forget()
        return self.run(docstrings)

    def run_config(self) -> Any:  # noqa: ANN401 - a module
        """Do it as doc-builder does, which uses the copies in its folder."""
        forget()
        runpy.run_path(str(self.pages / "_config.py"))
        return importlib.import_module("zoo")

    # -- the command -------------------------------------------------------------------

    def write_site(self) -> None:
        """Write a Sphinx project beside doc-builder's folder."""
        self.write(
            {
                "source/conf.py": CONF,
                "source/heuristics/all.rst": PAGE,
                "pages/index.rst": REFERENCE,
            }
        )

    def command(self, *options: str) -> Run:
        """Run the command in this process, in the folder, which is the current one."""
        out, err = io.StringIO(), io.StringIO()
        forget()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            others_may_warn(),
        ):
            code = hook.main(["hook", "source", "pages", *options])
        forget()
        forget_project()
        return Run(code, out.getvalue(), err.getvalue())

    def ok(self, *options: str) -> Run:
        """Run the command, which must have nothing to complain of."""
        done = self.command(*options)
        assert (done.code, done.err) == (0, ""), done
        return done

    def data(self) -> dict[str, list[dict[str, str]]]:
        """Return the alerts that are written, by docstring."""
        text = (self.pages / DATA).read_text(encoding="utf-8")
        found: dict[str, list[dict[str, str]]] = {}
        for alert in json.loads(text):
            found.setdefault(alert.pop("object"), []).append(alert)
        return found
