"""The builders, and all that every build warns of."""

from __future__ import annotations

import json
import os.path
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sphinx.builders import Builder
from sphinx.locale import __
from sphinx.util.logging import is_suppressed_warning
from sphinx.util.matching import patmatch

from .. import words
from ..config import PATH, Option, is_path
from ..diagnostics import TYPE, ordered, report
from ..resolve import checks, page_files
from ..view import naming, views_of
from . import conf_py
from .domain import EXTENSION, HeuristicDomain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from ..config import Settings
    from ..files.project_file import ProjectFile
    from ..problems import Problem, Subtype
    from ..resolve.plan import Plan

#: The event for other extensions, emitted once a build with the plan.
RESOLVED = "heuristics-resolved"

#: The options that name files of a project.
INDEX_FILE, REACH_FILE = "heuristics_index_file", "heuristics_reach_file"

#: Option → what its file is called, the command that writes it, and what it may be
#: named.
_FILES = {
    INDEX_FILE: ("index file", "index", "_HeuristicIndex.md"),
    REACH_FILE: ("reach file", "reach", "reach.txt"),
}


class ReadingBuilder(Builder):
    """Reads the pages and writes nothing: all that the command line needs."""

    name = "heuristics-reading"
    allow_parallel = True
    #: The kinds of warnings that a build of it does not give: a command that does so by
    #: itself leaves them to that.
    leaves: AbstractSet[Subtype] = frozenset()

    def get_outdated_docs(self) -> str | list[str]:
        """Return no document: none is written."""
        return []

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """Return where the builder ``html`` puts a document."""
        return quote(docname) + (
            self.config.html_link_suffix or self.config.html_file_suffix or ".html"
        )

    def write_documents(self, _docnames: AbstractSet[str]) -> None:
        """Write nothing."""


class HeuristicsBuilder(ReadingBuilder):
    """Writes ``heuristics.json`` and the Markdown index."""

    name = "heuristics"
    epilog = __("The heuristics are in %(outdir)s.")

    def get_outdated_docs(self) -> str | list[str]:
        """Return that the whole is written: it is little, and depends on everything."""
        return "heuristics.json and the index"

    def write_documents(self, _docnames: AbstractSet[str]) -> None:
        """Write both files."""
        from ..files import index_file  # noqa: PLC0415 - only this builder writes
        from ..files.export import Exporter  # noqa: PLC0415 - likewise

        domain = HeuristicDomain.of(self.env)
        plan, app = domain.plan, domain.app
        path = project_file(app, INDEX_FILE).path
        suppressed = self.config.suppress_warnings
        problems = [
            problem
            for problem in domain.problems
            if not is_suppressed_warning(TYPE, problem.word, suppressed)
        ]
        data = Exporter(plan, self.get_target_uri, Path(app.srcdir)).all(
            self.config, app.extensions[EXTENSION].version, problems
        )
        texts = {
            "heuristics.json": json.dumps(data, ensure_ascii=False, indent=2) + "\n",
            path.name: index_file.content(plan, path, self.env.doc2path),
        }
        for name, text in texts.items():
            Path(self.outdir, name).write_bytes(text.encode("utf-8"))


def project_file(app: Sphinx, option: str) -> ProjectFile:
    """Return the file that an option of ours names."""
    called, command, filename = _FILES[option]
    return configured_file(
        app, option, called=called, filename=filename, command=f"{EXTENSION} {command}"
    )


def configured_file(
    app: Sphinx, option: str, *, called: str, filename: str, command: str
) -> ProjectFile:
    """Return the file that a value of conf.py names as a path from the sources.

    *called* is what messages call it, *filename* what it may be named where the option
    is not set, and *command* what writes it, as it follows ``python -m``.
    """
    from ..files.project_file import ProjectFile, command_line  # noqa: PLC0415 - if there is one

    value = getattr(app.config, option)
    declared = Option(option, None, meaning="", allowed=PATH, accepts=is_path)
    fault = declared.fault(value)
    is_set = value is not None and not fault
    path = Path(app.srcdir, value if is_set else filename)
    source = Path(app.confdir, "conf.py")
    return ProjectFile(
        option=option,
        called=called,
        path=Path(os.path.normpath(path)),
        conf_py=source,
        conf_line=conf_py.assignments(source).get(option, 1),
        command=command_line(command, Path(app.confdir), Path(app.srcdir), Path.cwd()),
        is_set=is_set,
        fault=fault,
    )


def resolve_and_warn(app: Sphinx, env: BuildEnvironment) -> None:
    """Make the plan, and warn of all that is wrong but what a command tells itself.

    Sphinx emits ``env-updated`` on every build, also when no document was read.
    """
    domain = HeuristicDomain.of(env)
    plan = domain.plan_again()
    found: list[Problem] = []
    # First, since other extensions' views may show what these prepare.
    for theirs in app.emit(RESOLVED, plan):
        found += theirs or ()
    found += problems(app, plan)
    leaves = getattr(app.builder, "leaves", ())
    domain.problems = ordered(it for it in found if it.subtype not in leaves)
    report(domain.problems)


def problems(app: Sphinx, plan: Plan) -> Iterator[Problem]:
    """Yield everything that is wrong with a project."""
    yield from conf_py.problems(plan, app)
    yield from checks.problems(plan, app.env.doc2path)
    yield from _unread(app, plan.catalogue.settings)
    views = views_of(app)
    for docname in plan.catalogue.docnames:
        for query in plan.catalogue.pages[docname].queries:
            yield from checks.of_filters(plan, query)
            if view := views.get(query.view):
                with naming(view, docname):
                    found = list(view.problems(plan, query))
                yield from found
    # A translation says the same in other words: its index and headings are not
    # compared.
    is_source = not is_translation(app)
    if is_source:
        yield from checks.sections(plan.catalogue)
    # What a project does not have need not be loaded.
    if plan.catalogue.settings.index_file is not None and is_source:
        from ..files import index_file  # noqa: PLC0415

        file = project_file(app, INDEX_FILE)
        yield from index_file.problems(
            file, index_file.content(plan, file.path, app.env.doc2path)
        )
    if plan.catalogue.settings.reach_file is not None:
        from ..files import reach  # noqa: PLC0415

        yield from reach.problems(plan, project_file(app, REACH_FILE))


def _unread(app: Sphinx, settings: Settings) -> Iterator[Problem]:
    """Yield the problem of each file in ``heuristics_dir`` that nobody reads."""
    folder = Path(app.srcdir, settings.dir or "")
    if not settings.dir or not conf_py.is_folder(folder):
        return
    documents = app.env.found_docs
    left = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in page_files.TEXTS
        and app.env.path2doc(path) not in documents
        and path.is_file()
    ]
    if not left:  # as in most projects
        return
    known = {os.path.realpath(project_file(app, option).path) for option in _FILES}
    # What pages include, or depend on otherwise.
    for files in app.env.dependencies.values():
        known.update(os.path.realpath(Path(app.srcdir, file)) for file in files)
    for path in left:
        if os.path.realpath(path) in known:
            continue
        if pattern := _excluding(app, path):
            yield from page_files.excluded(settings, path, pattern)
        elif path.suffix not in app.config.source_suffix:
            yield page_files.unread(path)


def _excluding(app: Sphinx, path: Path) -> str:
    """Return the pattern that leaves out a file, or a folder above it, or ``""``."""
    inner = path.relative_to(app.srcdir)
    names = [part.as_posix() for part in (inner, *inner.parents)]
    patterns: list[str] = app.config.exclude_patterns
    for pattern in patterns:
        if any(patmatch(name, pattern) for name in names):
            return pattern
    return ""


def is_translation(app: Sphinx) -> bool:
    """Return whether there are message catalogues for the language of the build.

    ``sphinx.po`` and ours are for words of the software and translate no page.
    """
    return any(
        file.stem not in {"sphinx", words.CATALOGUE} for file in words.catalogues(app)
    )
