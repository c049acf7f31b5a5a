"""Write: the builder ``heuristics``, and the comparison of the index file on every build."""

from __future__ import annotations

import json
import os.path
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sphinx.builders import Builder
from sphinx.locale import __

from sphinxext_heuristics import config, index_file
from sphinxext_heuristics.diagnostics import report
from sphinxext_heuristics.domain import HeuristicDomain
from sphinxext_heuristics.export import Exporter

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.config import Settings

#: Our name among the extensions.
EXTENSION = "sphinxext_heuristics"

#: What the builder writes beside the Markdown index.
JSON_NAME = "heuristics.json"


class ReadingBuilder(Builder):
    """Reads the pages and writes nothing: all that the command line needs."""

    name = "heuristics-reading"
    epilog = ""
    allow_parallel = True
    #: Whether a build of it compares the index file: a command that does so by itself says no.
    compares = True

    def get_outdated_docs(self) -> str | list[str]:
        """Return no document: none is written."""
        return []

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """Return where the builder ``html`` puts a document."""
        return quote(docname) + (self.config.html_link_suffix or self.config.html_file_suffix or ".html")

    def write_documents(self, _docnames: AbstractSet[str]) -> None:
        """Write nothing, and leave no record of pages written."""
        HeuristicDomain.of(self.env).written = None

    def write_doc(self, docname: str, doctree: nodes.document) -> None:
        """Do nothing: it is never called."""


class HeuristicsBuilder(ReadingBuilder):
    """Writes ``heuristics.json`` and the Markdown index."""

    name = "heuristics"
    epilog = __("The heuristics are in %(outdir)s.")

    def __init__(self, app: Sphinx, env: BuildEnvironment) -> None:
        """Take the extension's version, which the data names."""
        super().__init__(app, env)
        self._extension = app.extensions[EXTENSION].version

    def get_outdated_docs(self) -> str | list[str]:
        """Return that the whole is written: it is little, and depends on everything."""
        return "heuristics.json and the index"

    def write_documents(self, docnames: AbstractSet[str]) -> None:
        """Write both files; one that holds the same already is left alone."""
        super().write_documents(docnames)
        plan = HeuristicDomain.of(self.env).plan
        path = index_path(self.env, plan.settings)
        exporter = Exporter(plan, Path(self.srcdir), self.get_target_uri)
        data = exporter.all(
            project=self.config.project,
            release=self.config.release,
            extension=self._extension,
        )
        self._write(JSON_NAME, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
        self._write(path.name, index_file.content(plan, path, path_of(self.env)))

    def _write(self, name: str, text: str) -> None:
        path = Path(self.outdir, name)
        raw = text.encode("utf-8")
        if not path.is_file() or path.read_bytes() != raw:
            path.write_bytes(raw)


# -- the index file -------------------------------------------------------------------


def path_of(env: BuildEnvironment) -> index_file.PathOf:
    """Return the function from a document to its file."""
    return partial(_path_of, env)


def _path_of(env: BuildEnvironment, docname: str) -> str:
    return str(env.doc2path(docname))


def index_path(env: BuildEnvironment, settings: Settings) -> Path:
    """Return where the index file is, or would be by default."""
    return Path(os.path.normpath(Path(env.srcdir, settings.index_file or index_file.FILENAME)))


def index_place(app: Sphinx, settings: Settings) -> index_file.Place:
    """Return the index file of a project with all that a message about it needs."""
    conf_py = Path(app.confdir, "conf.py")
    lines = config.assignments(conf_py)
    return index_file.Place(
        path=index_path(app.env, settings),
        srcdir=Path(app.srcdir),
        conf_py=conf_py,
        conf_line=lines.get("heuristics_index_file", 1),
        command=index_file.command(Path(app.confdir), Path(app.srcdir), Path.cwd()),
    )


def compare(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of an index file that differs from the pages.

    A translation says the same in other words: it is compared in the source language only.
    """
    plan = HeuristicDomain.of(env).plan
    if plan.settings.index_file is None or not getattr(app.builder, "compares", True) or is_translation(app):
        return
    place = index_place(app, plan.settings)
    report(place.problems(index_file.content(plan, place.path, path_of(env))))


def is_translation(app: Sphinx) -> bool:
    """Return whether there are message catalogues for the language of the build, as Sphinx finds them.

    ``sphinx.po`` is for Sphinx's own words and translates no page.
    """
    language: str = app.config.language
    return any(
        file.suffix in {".po", ".mo"} and file.stem != "sphinx"
        for folder in app.config.locale_dirs
        for name in {language, language.partition("_")[0]}
        for file in Path(app.srcdir, folder, name, "LC_MESSAGES").rglob("*")
    )
