"""Inject: which pages show something else now, and the transforms that place it."""

from __future__ import annotations

import re
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import NoUri
from sphinx.locale import get_translation
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from sphinxext_heuristics.build.contents import contents, digest
from sphinxext_heuristics.build.domain import ANSWERS, HeuristicDomain, app_of
from sphinxext_heuristics.build.outputs import Written
from sphinxext_heuristics.model import INDEX_PAGE
from sphinxext_heuristics.nodes import (
    EVIDENCE,
    heuristic,
    heuristic_entries,
    heuristic_facts,
    heuristic_note,
    heuristic_query,
    is_evidence,
)
from sphinxext_heuristics.notes import links
from sphinxext_heuristics.notes.inline import COPY, first_sentence
from sphinxext_heuristics.read.collect import entry_names
from sphinxext_heuristics.read.identity import answers, files_of_bases
from sphinxext_heuristics.resolve import listing as index
from sphinxext_heuristics.show.boxes import box_nodes
from sphinxext_heuristics.show.definition import caption_nodes, entries_nodes, facts_nodes
from sphinxext_heuristics.view import Here, views_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

    from sphinxext_heuristics.build.contents import Contents
    from sphinxext_heuristics.model import Heuristic
    from sphinxext_heuristics.resolve.plan import Plan
    from sphinxext_heuristics.show.boxes import Box
    from sphinxext_heuristics.view import Content, View

#: The name that the extension is loaded by.
EXTENSION = "sphinxext_heuristics"

#: Nodes that may stand before a heuristic that opens its document.
_BEFORE = (
    nodes.comment,
    nodes.docinfo,
    nodes.field_list,
    nodes.meta,
    nodes.substitution_definition,
    nodes.system_message,
    nodes.target,
    addnodes.highlightlang,
    addnodes.index,
    addnodes.tabular_col_spec,
)


# -- reading --------------------------------------------------------------------------


def read_again(
    _app: Sphinx,
    env: BuildEnvironment,
    added: AbstractSet[str],
    _changed: AbstractSet[str],
    removed: AbstractSet[str],
) -> list[str]:
    """Return the documents in which a note links to a file that came or went: MyST reads the link otherwise then."""
    came_or_went = {*removed, *(str(env.doc2path(docname, base=False)) for docname in added)}
    return [
        docname
        for docname, page in HeuristicDomain.of(env).pages.items()
        for record in page.heuristics
        if not came_or_went.isdisjoint(links.files(record.note, docname))
    ]


def note_identity(app: Sphinx, _what: str, name: str, obj: object, *_others: object) -> None:
    """Note the names that the object of an autodoc entry has by identity."""
    noted = cast("dict[str, tuple[str, ...]]", app.env.temp_data.setdefault(ANSWERS, {}))
    noted[name] = answers(name, obj)
    # Whether a member is inherited depends on all bases, which autodoc does not watch.
    for path in files_of_bases(name, obj):
        app.env.note_dependency(path)


def listen_to_autodoc(app: Sphinx, _config: object) -> None:
    """Connect to autodoc where it is loaded: its events exist only then."""
    if "sphinx.ext.autodoc" in app.extensions:
        app.connect("autodoc-process-docstring", note_identity)


def note_document(app: Sphinx, document: nodes.document) -> None:
    """Collect what a document that was just read holds."""
    HeuristicDomain.of(app.env).note_document(app.env.docname, document)


class KeepQuotes(SphinxTransform):
    """Keep quoted code out of message catalogues, whatever ``gettext_additional_targets`` says of code blocks."""

    # Between the transform that follows that option (10) and Locale (20), which translates.
    default_priority = 15

    def apply(self, **kwargs: Any) -> None:  # noqa: ANN401 - docutils' signature
        """Mark every quote."""
        for node in filter(is_evidence, self.document.findall(nodes.container)):
            for block in node.findall(nodes.literal_block):
                block["translatable"] = False


class PlaceDefinitions(SphinxTransform):
    """Give each definition its form: a section, or an admonition-like block."""

    # After Locale (20), which translates titles and notes where they stand, and before
    # PropagateTargets (260), which moves a label to the node that follows it.
    default_priority = 200

    def apply(self, **kwargs: Any) -> None:  # noqa: ANN401 - docutils' signature
        """Replace every definition."""
        for node in list(self.document.findall(heuristic)):
            if node.parent is self.document and self._opens(node):
                self._to_section(node)
            else:
                self._replace(node, nodes.admonition())

    def _opens(self, node: heuristic) -> bool:
        before = self.document.children[: self.document.index(node)]
        return all(isinstance(sibling, _BEFORE) or is_html_comment(sibling) for sibling in before)

    def _to_section(self, node: heuristic) -> None:
        after = self.document.index(node) + 1
        rest = self.document.children[after:]
        del self.document[after:]
        section = nodes.section()
        self._replace(node, section)
        section += rest

    def _complete_note(self, note: heuristic_note, body: list[nodes.Node]) -> None:
        """Take the first sentence of the body where there is no note."""
        if not note["given"] and body and isinstance(body[0], nodes.paragraph):
            note += first_sentence(body[0])
            for reference in note.findall(nodes.reference):
                if "refname" in reference:
                    self.document.note_refname(reference)
        for element in note.findall(nodes.Element):
            # The quotes that a builder makes round would make the note depend on it.
            element["support_smartquotes"] = False

    def _replace(self, node: heuristic, form: nodes.Element) -> None:
        _title, note, facts, *body = node.children
        self._complete_note(cast("heuristic_note", note), body)
        record: Heuristic = cast("heuristic_facts", facts)["record"]
        form.source, form.line = node.source, node.line
        form["ids"], form["names"] = node["ids"], node["names"]
        form["classes"] = ["heuristic", f"heuristic-{record.severity}"]
        if isinstance(form, nodes.admonition):
            form["classes"] += [record.severity]
        form["classes"] += record.classes
        form += node.children
        for i in form["ids"]:
            self.document.ids[i] = form
        node.parent.replace(node, form)


def is_html_comment(node: nodes.Node) -> bool:
    """Return whether a node is a comment as Markdown has it, such as a licence."""
    return isinstance(node, nodes.raw) and node.astext().lstrip().startswith("<!--")


#: The styles of pages for browsers and of those for e-books.
_STYLE, _BOOK_STYLE = "heuristics.css", "heuristics-epub.css"


def add_style(_app: Sphinx, settings: Config) -> None:
    """Bring our style sheets to HTML pages.

    This is done before Sphinx compares the configuration with the last build's.
    """
    here = str(Path(__file__).parent / "static")
    settings.html_static_path = [*settings.html_static_path, here]
    # What e-book readers, and EPUBCheck, do not know has no place in the book.
    settings.epub_exclude_files = [*settings.epub_exclude_files, f"_static/{_STYLE}"]


def link_style(app: Sphinx) -> None:
    """Link the style sheet that the builder's readers know."""
    app.add_css_file(_BOOK_STYLE if app.builder.name == "epub" else _STYLE)


# -- between reading and writing ------------------------------------------------------


def rewrite(app: Sphinx, _env: BuildEnvironment) -> list[str]:
    """Return the documents that show something else now than what is written.

    Sphinx emits ``env-get-updated`` on every build, when sections and figures have their
    numbers, and before it stores the environment.
    """
    return written_by(app).stale(digests(app))


def digests(app: Sphinx) -> dict[str, str]:
    """Return document → digest of all that is shown there."""
    plan = HeuristicDomain.of(app.env).plan
    return {docname: digest(plan, views_of(app), docname) for docname in plan.catalogue.pages}


def written_by(app: Sphinx) -> Written:
    """Return the record of what the builder at work has written."""
    version = app.extensions[EXTENSION].version
    return Written(Path(app.outdir), app.builder.name, version)


def begin_writing(app: Sphinx, builder: Builder) -> None:
    """Take the record away before the first page is written."""
    domain = HeuristicDomain.of(builder.env)
    domain.written = written_by(app)
    domain.written.forget()


def end_writing(app: Sphinx, exception: Exception | None) -> None:
    """Put the record back when all pages are written."""
    if exception is None and getattr(app, "env", None) is not None:
        domain = HeuristicDomain.of(app.env)
        if domain.written is not None:
            domain.written.save(digests(app), domain.resolved_docs)
        remove_empty_index(app.builder, domain)


def remove_empty_index(builder: Any, domain: HeuristicDomain) -> None:  # noqa: ANN401 - an HTML builder
    """Remove the domain's index page when no heuristic is left: Sphinx would keep it."""
    has_pages = builder.format == "html" and hasattr(builder, "get_outfilename")
    if has_pages and not domain.plan.heuristics and INDEX_PAGE not in builder.env.found_docs:
        Path(builder.get_outfilename(INDEX_PAGE)).unlink(missing_ok=True)


def leave_unlinked(
    _app: Sphinx,
    _env: BuildEnvironment,
    node: addnodes.pending_xref,
    contnode: nodes.Element,
) -> nodes.Element | None:
    """Leave the text of what nobody could resolve unlinked, where its warning is given.

    That of an unknown heuristic is ours; that of a broken link in a note is given on the
    note's own page, not wherever a copy stands.
    """
    return contnode if COPY in node or node.get("refdomain") == "heuristic" else None


# -- writing --------------------------------------------------------------------------


class ShowHeuristics(SphinxPostTransform):
    """Put heuristics into API entries and pages, and fill all placeholders."""

    # Before MyST's resolver (9) and Sphinx's (10), which then resolve the links we make.
    default_priority = 5

    def run(self, **kwargs: Any) -> None:  # noqa: ANN401 - Sphinx's signature
        """Place what each document in this tree shows."""
        domain = HeuristicDomain.of(self.env)
        parts = list(self._parts())
        domain.resolved_docs.update(docname for docname, _tree in parts)
        for docname, tree in parts:
            if docname in domain.plan.catalogue.pages:
                Placer(self, domain.plan, docname, tree).run()

    def _parts(self) -> Iterator[tuple[str, nodes.Element]]:
        """Yield each document in the tree: LaTeX and singlehtml merge all into one."""
        yield self.env.docname, self.document
        for part in self.document.findall(addnodes.start_of_file):
            yield part["docname"], part

    def relative(self, docname: str, other: str) -> str:
        """Return the URI from one document to another, or ``""`` where none is known."""
        try:
            return self.env_builder.get_relative_uri(docname, other)
        except NoUri:
            return ""

    @property
    def env_builder(self) -> Builder:
        """Return the builder at work."""
        return app_of(self.env).builder

    @property
    def views(self) -> Mapping[str, View]:
        """Return the views by name."""
        return views_of(app_of(self.env))


class RemoveLeftovers(SphinxPostTransform):
    """Remove notes that stay out of sight, and what is left of a deleted document.

    Sphinx merges a deleted document into singlehtml and LaTeX as long as the toctree that
    names it is not read again.
    """

    # After the resolvers (9, 10), which warn of a note's broken links here and once.
    default_priority = 15

    def run(self, **kwargs: Any) -> None:  # noqa: ANN401 - Sphinx's signature
        """Remove every node that no writer knows."""
        ours = heuristic_note | heuristic_facts | heuristic_entries | heuristic_query
        for node in list(self.document.findall(lambda node: isinstance(node, ours))):
            node.parent.remove(node)


class Placer:
    """Places what one document shows, which may be a part of a merged tree."""

    def __init__(self, transform: ShowHeuristics, plan: Plan, docname: str, tree: nodes.Element) -> None:
        """Take the document and the means to make links from it."""
        self._plan = plan
        self._views = transform.views
        self._docname = docname
        self._tree = tree
        self._builder = transform.env_builder
        self._document = transform.document
        self._here = Here(docname, transform.relative)

    def run(self) -> None:
        """Place what is shown automatically, and replace the placeholders."""
        # A message catalogue wants what authors wrote, and that once.
        if self._builder.name == "gettext":
            for node in self._own(heuristic_facts, heuristic_entries, heuristic_query):
                node.parent.remove(node)
            self._unfold_notes(always=True)
            return
        shown = contents(self._plan, self._views, self._docname)
        self._place_in_entries(shown.entries)
        for anchor, boxes in shown.sections:
            self._place_under_title(anchor, box_nodes(boxes, self._here))
        self._fill(shown)
        self._unfold_notes(always=False)

    def _own(self, *classes: type[nodes.Element]) -> list[Any]:
        """Return the nodes of these classes that belong to this document."""
        found: list[Any] = []
        stack = [*reversed(self._tree.children)]
        while stack:
            node = stack.pop()
            if isinstance(node, classes):
                found.append(node)
            # A merged document stands in its parent's tree but is not part of it.
            if not isinstance(node, addnodes.start_of_file):
                stack.extend(reversed(blocks_in(node)))
        return found

    # -- API entries --

    def _place_in_entries(self, entries: Sequence[tuple[Box, ...]]) -> None:
        """Place the boxes of API entries, which are found by their names: other extensions may have removed some."""
        if not any(entries):
            return
        waiting: dict[tuple[str, ...], list[tuple[Box, ...]]] = {}
        for entry, boxes in zip(self._plan.catalogue.pages[self._docname].entries, entries, strict=True):
            waiting.setdefault(entry.names, []).append(boxes)
        for desc in self._own(addnodes.desc):
            names = entry_names(desc) if desc.get("domain") == "py" else ()
            content = desc.children[-1]
            if waiting.get(names) and isinstance(content, addnodes.desc_content):
                made = box_nodes(waiting[names].pop(0), self._here)
                at = self._position(content) if made else 0
                content.children[at:at] = made
                for node in made:
                    content.setup_child(node)

    def _position(self, content: addnodes.desc_content) -> int:
        placement = self._plan.settings.placement
        if placement == "top":
            return 0
        if placement == "bottom":
            return first_member(content)
        return after_summary(content)

    # -- pages --

    def _place_under_title(self, anchor: str, made: list[nodes.Node]) -> None:
        section = self._sections.get(anchor, self._tree)
        title = section.first_child_matching_class(nodes.title)
        at = 0 if title is None else title + 1
        for node in reversed(made):
            section.insert(at, node)

    @cached_property
    def _sections(self) -> dict[str, nodes.Element]:
        """Id → the section with it; ``""`` → the page's first."""
        found: dict[str, nodes.Element] = {}
        for section in self._own(nodes.section):
            for i in ("", *section["ids"]):
                found.setdefault(i, section)
        return found

    # -- placeholders --

    def _fill(self, shown: Contents) -> None:
        for node in filter(is_evidence, self._own(nodes.container)):
            caption = cast("nodes.caption", node[0])
            caption.clear()
            caption += caption_nodes(shown.captions[node[EVIDENCE]])
        make: dict[type[nodes.Element], Callable[[int], list[nodes.Node]]] = {
            heuristic_facts: lambda i: facts_nodes(shown.facts[i], self._here),
            heuristic_entries: lambda i: entries_nodes(shown.shown[i], self._here),
            heuristic_query: lambda i: self._view(shown.queries[i]),
        }
        for node in self._own(*make):
            block = node.parent
            made = make[type(node)](node["position"])
            keep_ids_apart(made, self._document)
            self._replace(node, made)
            if self._builder.format == "latex":
                for child in made:
                    draw_signs(child)
                    keep_on_one_page(child)
                if isinstance(block, nodes.admonition):
                    anchor_before(block)

    def _view(self, content: Content | None) -> list[nodes.Node]:
        return self._views[content.view].nodes(content.data, self._here) if content else []

    @staticmethod
    def _replace(node: nodes.Element, new: list[nodes.Node]) -> None:
        parent, at = node.parent, node.parent.index(node)
        parent.remove(node)
        for child in reversed(new):
            parent.insert(at, child)

    def _unfold_notes(self, *, always: bool) -> None:
        """Show a definition's note where it is all that the author wrote."""
        for note in self._own(heuristic_note):
            position = note.parent.index(note)
            rest = note.parent.children[position + 1 :]
            body = [n for n in rest if not isinstance(n, nodes.field_list | nodes.section)]
            if note["given"] and note.children and (always or not body):
                paragraph = nodes.paragraph(note.rawsource, "", *note.children)
                paragraph.source, paragraph.line = note.source, note.line
                # What Sphinx knows the message by; without it none is extracted.
                vars(paragraph).update({"uid": note.uid} if hasattr(note, "uid") else {})
                note.parent.replace(note, paragraph)


def blocks_in(node: nodes.Node) -> Sequence[nodes.Node]:
    """Return the children that may be or hold a block of ours.

    A paragraph may: Sphinx puts all that describes a parameter into one.
    """
    if isinstance(node, nodes.TextElement):
        return [child for child in node.children if not isinstance(child, nodes.Inline | nodes.Text)]
    return node.children


#: Our signs → what draws them in LaTeX with every engine and font, as Sphinx does for others.
_DRAWN = {
    index.EXISTS: r"\(\checkmark\)",
    index.MISSING: r"\(\square\)",
    "≥": r"\(\geq\)",
    "≤": r"\(\leq\)",
}
_SIGN = re.compile(f"([{''.join(_DRAWN)}])")


def draw_signs(tree: nodes.Node) -> None:
    """Draw our signs: pdfLaTeX stops at them, and a font without them leaves a gap."""
    for text in list(tree.findall(nodes.Text)):
        parts = _SIGN.split(text)
        if len(parts) > 1:
            made: list[nodes.Node] = [
                nodes.raw("", _DRAWN[part], format="latex") if part in _DRAWN else nodes.Text(part)
                for part in parts
                if part
            ]
            text.parent.replace(text, made)


def keep_on_one_page(tree: nodes.Node) -> None:
    """Make no table over several pages inside of a box, which LaTeX cannot break."""
    parent = tree.parent
    while parent is not None and not isinstance(parent, nodes.entry | nodes.Admonition):
        parent = parent.parent
    if parent is not None and isinstance(tree, nodes.table):
        tree["classes"] = [name for name in tree["classes"] if name != "longtable"]


def keep_ids_apart(made: Iterable[nodes.Node], document: nodes.document) -> None:
    """Take from new nodes the ids that the document has already: a message that is listed twice is linked once."""
    for term in (term for node in made for term in node.findall(nodes.term)):
        term["ids"] = [i for i in term["ids"] if document.ids.setdefault(i, term) is term]


def anchor_before(block: nodes.Element) -> None:
    """Give a block's ids to a target before it: LaTeX knows no ids of admonitions."""
    ids = block["ids"]
    if ids:
        block["ids"] = []
        block.parent.insert(block.parent.index(block), nodes.target(ids=ids))


def after_summary(content: addnodes.desc_content) -> int:
    """Return the position after an entry's summary paragraph, at the top without one."""
    at = 0
    for at, child in enumerate(content.children):
        if isinstance(child, nodes.comment | addnodes.index | nodes.target):
            continue
        if isinstance(child, nodes.paragraph):
            if is_bases(child):
                continue
            return at + 1
        return at
    return len(content)


_bases = partial(get_translation("sphinx"), "Bases: %s")


def is_bases(paragraph: nodes.paragraph) -> bool:
    """Return whether a paragraph is the line in which autodoc names the base classes."""
    start = _bases().partition("%s")[0]
    return paragraph.astext().startswith(start)


def first_member(content: addnodes.desc_content) -> int:
    """Return the position before an entry's first member, at the end without one."""
    member = content.first_child_matching_class(addnodes.desc)
    if member is None:
        return len(content)
    # The member's index entries stand right before it.
    while member and isinstance(content[member - 1], addnodes.index):
        member -= 1
    return member
