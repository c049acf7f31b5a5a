"""Knowledge about an API, shown where the API is documented, and never out of date.

The architecture on one page. Data goes one way, through the folders of ``_core``, which
only this package and ``api`` import:

read         directives make nodes, autodoc gives the names of its objects, and plain
             records are taken from each document's nodes (read, model)
resolve      once a build: which entries and pages a heuristic reaches and what becomes
             of it there (resolve), what its note says elsewhere (notes), where quoted
             code is in the installed source (evidence, source)
show         views say as plain data what a page shows, and make nodes of that
             (view, show)
integration  Sphinx's side: events, transforms that place views, builders, and a digest
             of each page's views, by which a page that shows something else now is
             written again (integration)
files        what is written beside the site, and compared on every build (files)
cli          the commands

``api`` is what other extensions import. Two are written on it: ``ask``, the box for a
text, which is always there, and ``releases``, which is loaded by whoever lists it.
``docbuilder`` knows nothing of the rest but ``_output``, by which files are replaced.

Each of these words means one thing, in code, messages and manual.

What authors write:

heuristic    a rule of thumb or a pitfall: one directive, and its record
name         what the role takes and its file is called, without the namespace
title, note  what other pages show of it; the note is one line
record       a heuristic as read, or another named tuple of ``model``
connection   a thing that it is about: a type (impl, workflow, principle, env), a target
target       an object or a page as a connection, ``except`` or ``heuristics-for`` names
             it; one that does not exist yet may be planned
evidence     a quote, with the object of an installed package that has it
message      the text of an error, a warning or a log entry
bounds       the versions of the package that it holds for

What the documentation has:

page         a document, and all that was read from it; a place is a page or a section
entry        an API entry: the block that documents an object
query        what the directive of a view asks for
mention      a link that may lead to a heuristic

What names mean:

object       what a Python name stands for; its aliases are all its names, its identity
             is the one where it is defined
lineage      the names of a member along the classes that inherit it, its identity last
reach        a target reaches the entries of the objects that it means; the rule is why,
             the nearness whether it names them, what they inherit, or many by + or *
namesake     an entry whose name ends as a target does, and whose object is another
address      where a link leads

What becomes of it:

verdict      what becomes of a heuristic at an entry that it reaches: how it is shown
             there, or why not
form         how it is shown: in full, folded, by its title (and where it is in full),
             in a line, or by the definition itself
box          a heuristic in an entry, at a parameter or on a page, in one of these forms
roll-up      the line of a class about inherited members that have no entry
contents     all that is placed on a page: boxes, facts below titles, captions of
             quotes, ends of definitions, views; as plain data, then nodes of that
view         what a directive such as ``heuristic-index`` asks for
digest       of the contents of a page: one that has another now is written again
found, lost  where a quote is now, or why it is nowhere
problem      a fault with its place, which every build warns of
plan         all that is known when the pages are read, as four values: the catalogue
             (what there is), meanings (what names mean), quotes (what source has) and
             placing (what is shown where)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core import nodes, words
from ._core.config import OPTIONS
from ._core.integration import builders, events, place
from ._core.integration.domain import HeuristicDomain
from ._core.read import identity, queries, transforms
from ._core.read.evidence import EvidenceDirective
from ._core.read.heuristic import HeuristicDirective
from ._core.show import boxes, index
from ._core.versions import records_version
from ._core.view import add_view

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__version__ = "0.1.0"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register everything."""
    for option in OPTIONS:
        # Sphinx would warn of a wrong type as well.
        app.add_config_value(option.name, option.default, option.rebuild, Any)
    words.load(app)
    nodes.register(app)
    app.add_event(builders.RESOLVED)
    app.add_domain(HeuristicDomain)
    app.add_role("heuristic", queries.HeuristicRole())
    app.add_directive("heuristic", HeuristicDirective)
    app.add_directive("evidence", EvidenceDirective)
    add_view(app, index.IndexView(), queries.HeuristicIndexDirective)
    add_view(app, boxes.ForView(), queries.HeuristicsForDirective)
    app.add_builder(builders.HeuristicsBuilder)
    app.add_builder(builders.ReadingBuilder)
    app.add_transform(transforms.PlaceDefinitions)
    app.add_post_transform(place.ShowHeuristics)
    app.add_post_transform(place.RemoveLeftovers)
    app.connect("config-inited", identity.listen_to_autodoc)
    app.connect("config-inited", events.leave_out_of_books)
    app.connect("env-get-outdated", events.begin)
    app.connect("env-get-outdated", events.read_again)
    app.connect("doctree-read", events.note_document)
    app.connect("env-updated", builders.resolve_and_warn)
    app.connect("env-get-updated", events.rewrite)
    # After all who may know, intersphinx (500) among them.
    app.connect("missing-reference", events.leave_unlinked, priority=900)
    app.connect("write-started", events.bring_files)
    app.connect("html-page-context", events.link_files)
    app.connect("html-page-context", events.link_search)
    app.connect("build-finished", events.end_writing)
    # An extension of its own, on ``api`` alone, which every project has.
    app.setup_extension("sphinxext_heuristics.ask")
    return {
        "version": __version__,
        "env_version": records_version(__version__),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
