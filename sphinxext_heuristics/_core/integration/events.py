"""What is done at the events of a build, beside warning."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._output import OutputRecord
from .. import words
from ..config import Settings
from ..model import INDEX_PAGE
from ..notes import links
from ..read.collect import collect
from ..read.identity import OBJECTS, identify
from ..resolve import page_files
from ..show import parts
from ..show.parts import SEARCH_SCRIPT, STYLE
from ..view import views_of
from .domain import EXTENSION, HeuristicDomain

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from docutils import nodes
    from sphinx import addnodes
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

#: The folder of our style sheets and scripts.
_STATIC = Path(__file__).parents[2] / "static"

#: The record's file in the output folder.
RECORD = ".heuristics.json"

#: What smart quotes are made of, and what is made of it.
_QUOTES = re.compile(r"""['"]|--|\.\.\.|[\u2013\u2014\u2018-\u201e\u2026]""")


def begin(app: Sphinx, env: BuildEnvironment, *_documents: object) -> list[str]:
    """Begin a build (``env-get-outdated``); no document is to be read for that."""
    HeuristicDomain.of(env).begin_build(app)
    return []


def read_again(
    app: Sphinx,
    env: BuildEnvironment,
    _added: AbstractSet[str],
    _changed: AbstractSet[str],
    _removed: AbstractSet[str],
) -> list[str]:
    """Return the documents whose text has the quotes of another builder.

    Sphinx makes them round as it reads, for some builders, and some of a page's text is
    shown on other pages.
    """
    domain = HeuristicDomain.of(env)
    has_smart_quotes = _makes_smart_quotes(app)
    return [
        docname
        for docname, page in domain.pages.items()
        if page.has_smart_quotes != has_smart_quotes
        and any(map(_QUOTES.search, page.titles))
    ]


def _makes_smart_quotes(app: Sphinx) -> bool:
    return app.builder.name not in app.config.smartquotes_excludes.get("builders", [])


def note_document(app: Sphinx, document: nodes.document) -> None:
    """Collect what a document that was just read holds.

    This is not the domain's ``process_doc``, which Sphinx calls (850) before MyST has
    resolved the links to anchors of the page (879): a note on another page needs them
    resolved.
    """
    env = app.env
    domain = HeuristicDomain.of(env)
    objects: dict[str, object] = env.temp_data.get(OBJECTS) or {}
    reexports = domain.reexports
    reexports.begin_page()
    identified = partial(identify, objects, reexports)
    modules = env.domains.python_domain.modules
    page = collect(document, env.docname, identified, modules)
    page = page._replace(has_smart_quotes=_makes_smart_quotes(app))
    if Settings.of(env.config).is_of_heuristics(env.docname):
        conflict = tuple(page_files.conflict(env.doc2path(env.docname)))
        page = page._replace(problems=conflict or page.problems)
    domain.pages[env.docname] = page
    # Whether a member is inherited depends on all bases, and what a name means on all
    # imports that lead to it. Autodoc watches neither.
    files = set(reexports.files())
    for record in page.heuristics:
        files.update(links.files(env, record))
    if page.heuristics:
        files.update(words.compiled(app, env.docname))
    for path in files:
        env.note_dependency(path)


def leave_out_of_books(app: Sphinx, settings: Config) -> None:
    """Leave out of e-books what their readers, and EPUBCheck, do not know."""
    names = [STYLE, *(style.name for style in _styles(app))]
    excluded = [f"_static/{name}" for name in names]
    settings.epub_exclude_files = [*settings.epub_exclude_files, *excluded]


def _styles(app: Sphinx) -> list[Path]:
    return [view.style for view in views_of(app).values() if view.style]


def bring_files(app: Sphinx, builder: Builder) -> None:
    """Let a site that needs them have our style sheets and scripts, and those of views.

    Sphinx copies them after this, and has compared the configuration with the last
    build's before.
    """
    if builder.format != "html":
        return
    ours = [str(_STATIC), *map(str, _styles(app))]
    paths = [path for path in app.config.html_static_path if path not in ours]
    if HeuristicDomain.of(app.env).has_anything:
        paths += ours
    else:
        for file in (*_STATIC.iterdir(), *_styles(app)):
            Path(app.outdir, "_static", file.name).unlink(missing_ok=True)
    app.config.html_static_path = paths


def link_files(
    app: Sphinx,
    page: str,
    _template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Link them on the pages that need them."""
    if HeuristicDomain.of(app.env).has_anything:
        parts.link_files(app, page, context, doctree)


def rewrite(app: Sphinx, _env: BuildEnvironment) -> list[str]:
    """Return the documents that show something else now than what is written.

    Sphinx emits ``env-get-updated`` on every build, when sections and figures have
    their numbers, and before it stores the environment.
    """
    domain = HeuristicDomain.of(app.env)
    version = f"{app.extensions[EXTENSION].version} {words.state(app)}"
    domain.output = OutputRecord(
        Path(app.outdir, RECORD), f"{app.builder.name} {version}"
    )
    return domain.output.stale(domain.digests)


def link_search(
    app: Sphinx,
    page: str,
    _template: str,
    context: dict[str, Any],
    _doctree: nodes.document | None,
) -> None:
    """Let the search page tell of heuristics by their notes."""
    if page != "search" or "css_files" not in context:
        return
    if HeuristicDomain.of(app.env).has_anything:
        app.add_js_file(SEARCH_SCRIPT, loading_method="defer")


def end_writing(app: Sphinx, exception: Exception | None) -> None:
    """Keep the record when all pages are written."""
    if exception is not None:
        return
    domain = HeuristicDomain.of(app.env)
    if domain.output is not None:
        domain.output.save(domain.digests)
    # When no heuristic is left, Sphinx would keep the domain's index page.
    path_of = getattr(app.builder, "get_outfilename", None)
    is_stale = (
        not domain.plan.catalogue.heuristics and INDEX_PAGE not in app.env.found_docs
    )
    if path_of and is_stale:
        Path(path_of(INDEX_PAGE)).unlink(missing_ok=True)


def leave_unlinked(
    _app: Sphinx,
    _env: BuildEnvironment,
    node: addnodes.pending_xref,
    contnode: nodes.Element,
) -> nodes.Element | None:
    """Leave the text of an unknown heuristic unlinked: that warning is ours."""
    return contnode if node.get("refdomain") == "heuristic" else None
