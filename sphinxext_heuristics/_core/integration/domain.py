"""The domain: what was read, the plan made of it, cross-references, objects.inv."""

from __future__ import annotations

from functools import cache, cached_property, partial
from html import escape
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from markupsafe import Markup
from sphinx.domains import Domain, Index, IndexEntry, ObjType
from sphinx.util.matching import Matcher
from sphinx.util.nodes import make_refnode

from .. import versions
from ..config import Settings
from ..evidence.remembered import messages, verify
from ..notes import links
from ..notes.inline import html_of, text_of
from ..read.queries import HeuristicRole
from ..read.reexports import Reexports
from ..resolve.catalogue import Catalogue
from ..resolve.listing import by_severity
from ..resolve.meanings import Meanings
from ..resolve.objects import Objects
from ..resolve.pages import External, Pages, fold, toctree_order
from ..resolve.placing import Placing
from ..resolve.plan import Plan
from ..resolve.quotes import Quotes
from ..show.parts import severity_word
from ..source.answers import Answers
from ..source.packages import Sources
from ..view import views_of
from ..words import _
from .contents import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.builders import Builder
    from sphinx.environment import BuildEnvironment

    from ..._output import OutputRecord
    from ..model import Page
    from ..problems import Problem


#: The name that the extension is loaded by.
EXTENSION = "sphinxext_heuristics"


class HeuristicIndex(Index):
    """The domain's own index page."""

    name = "index"
    localname = "Heuristic index"
    # With a short name every page's navigation would name the index, and all of them
    # would be stale when the first heuristic comes or the last one goes.
    shortname = None

    def generate(
        self, docnames: Iterable[str] | None = None
    ) -> tuple[list[tuple[str, list[IndexEntry]]], bool]:
        """Return the heuristics by their categories, or else their first letters."""
        domain = cast("HeuristicDomain", self.domain)
        catalogue = domain.plan.catalogue
        wanted = None if docnames is None else set(docnames)
        # Sphinx's template for HTML takes a group's name as it is.
        is_html = domain.app.builder.format == "html"
        groups: dict[str, list[IndexEntry]] = {}
        for it in by_severity(catalogue.heuristics.values()):
            if wanted is not None and it.docname not in wanted:
                continue
            word, note = severity_word(it.severity), text_of(it.note)
            if is_html:
                classes = f"heuristic-severity heuristic-{it.severity}"
                word = Markup('<span class="{}">{}</span>').format(classes, word)
                note = Markup(html_of(it.note))  # noqa: S704 - all text in it is escaped
            entry = IndexEntry(it.title, 0, it.docname, it.anchor, word, "", note)
            for group in it.categories or (it.title[:1].upper(),):
                groups.setdefault(group, []).append(entry)
        # The described categories come first, in their order.
        names = dict.fromkeys([*catalogue.settings.categories, *sorted(groups)])
        return [
            (escape(name) if is_html else name, groups[name])
            for name in names
            if name in groups
        ], False


class HeuristicDomain(Domain):
    """Heuristics of all documents, under their names without the namespace."""

    name = "heuristic"
    label = "Heuristic"
    object_types = {"heuristic": ObjType("heuristic", "ref")}
    roles = {"ref": HeuristicRole()}
    indices = [HeuristicIndex]
    initial_data = {"pages": {}, "answers": {}}

    def __init__(self, env: BuildEnvironment) -> None:
        """Begin without a plan: it is made when all pages are known."""
        super().__init__(env)
        # A lazy translation would break the JSON builder.
        HeuristicIndex.localname = _("Heuristic index")
        #: What one build knows of how modules pass objects on.
        self.reexports = Reexports()
        #: What this build warns of, each once, in an order that no build changes.
        self.problems: list[Problem] = []
        #: What the output folder shows; known as soon as what it is to show is.
        self.output: OutputRecord | None = None

    @classmethod
    def of(cls, env: BuildEnvironment) -> HeuristicDomain:
        """Return the domain of an environment."""
        return cast("HeuristicDomain", env.domains[cls.name])

    def begin_build(self, app: Sphinx) -> None:
        """Take the application, and look at the source of packages anew."""
        #: The environment has it as well, under another name in each Sphinx.
        self.app = app
        #: What one build knows of the source of packages.
        self.sources = Sources()

    @property
    def pages(self) -> dict[str, Page]:
        """Return document → what was read from it."""
        return cast("dict[str, Page]", self.data["pages"])

    def clear_doc(self, docname: str) -> None:
        """Forget a document."""
        self.pages.pop(docname, None)

    def merge_domaindata(
        self, docnames: AbstractSet[str], otherdata: dict[str, Any]
    ) -> None:
        """Take over the documents that a parallel process has read."""
        for docname in docnames:
            if docname in otherdata["pages"]:
                self.pages[docname] = otherdata["pages"][docname]

    def plan_again(self) -> Plan:
        """Return the plan of what is read now, and forget the one before.

        The answers of the source, which are kept for the next build, fill as they are
        asked for.
        """
        for known in ("answers", "plan", "digests", "has_anything"):
            vars(self).pop(known, None)
        self.data["answers"] = self.answers.now
        return self.plan

    @cached_property
    def answers(self) -> Answers:
        """Return what the source of packages says, as far as it is asked."""
        return Answers(self.data["answers"], self.sources)

    @cached_property
    def has_anything(self) -> bool:
        """Return whether a page has something of ours beside links."""
        pages = self.pages.values()
        return any(page.heuristics or page.queries or page.evidence for page in pages)

    @cached_property
    def digests(self) -> dict[str, str]:
        """Return document → digest of all that is shown there."""
        plan, views = self.plan, views_of(self.app)
        return {
            docname: digest(plan, views, docname) for docname in plan.catalogue.pages
        }

    @cached_property
    def plan(self) -> Plan:
        """Return all that is known when the pages are read."""
        env = self.env
        settings = Settings.of(env.config)
        order = toctree_order(env.config.root_doc, env.toctree_includes, self.pages)
        installed = cache(versions.installed)
        labels = env.domains.standard_domain.anonlabels
        release = env.config.release or env.config.version
        version = installed(settings.package) or release
        if version != release and versions.is_another(
            env.config.project, settings.package
        ):
            release = version
        catalogue = Catalogue(
            {docname: self.pages[docname] for docname in order},
            settings,
            version=version,
            release=release,
            labels=labels,
        )
        meanings = Meanings(
            catalogue,
            objects=Objects(
                (entry for _docname, entry in catalogue.all_entries),
                canonical_names(env.domains.python_domain.objects),
                self.answers,
            ),
            pages=Pages(self.pages, labels, settings.targets),
            external=External(env),
            sources=self.sources,
        )
        return Plan(
            catalogue=catalogue,
            meanings=meanings,
            quotes=Quotes(
                catalogue.package,
                catalogue.version,
                verify=partial(verify, self.answers),
                messages=partial(messages, self.answers),
                installed=installed,
            ),
            placing=Placing(catalogue, meanings, frozenset(self._kept_free())),
            note=cache(partial(links.settled, self.app)),
        )

    def _kept_free(self) -> Iterator[str]:
        """Yield the documents that conf.py or their own metadata keep free."""
        is_excluded = Matcher(Settings.of(self.env.config).exclude)
        for docname in self.pages:
            metadata = self.env.metadata.get(docname, {})
            if is_excluded(docname) or _is_kept_free(metadata):
                yield docname

    def resolve_xref(  # noqa: PLR0913, PLR0917 - Sphinx's signature
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: str,
        node: Element,
        contnode: Element,
    ) -> nodes.reference | None:
        """Return the link to a heuristic; its text is the title unless one is given."""
        record = self.plan.catalogue.lookup(target)
        if record is None:
            return None
        if not node.get("refexplicit"):
            contnode = nodes.inline("", record.title, classes=contnode["classes"])
        return make_refnode(
            builder, fromdocname, record.docname, record.anchor, contnode
        )

    def resolve_any_xref(  # noqa: PLR0913, PLR0917 - Sphinx's signature
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        target: str,
        node: Element,
        contnode: Element,
    ) -> list[Any]:
        """Return the link to a heuristic of this name for the ``any`` role."""
        found = self.resolve_xref(
            env, fromdocname, builder, "ref", target, node, contnode
        )
        return [] if found is None else [("heuristic:ref", found)]

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        """Yield the heuristics for objects.inv and the search."""
        for name, record in self.plan.catalogue.by_name.items():
            # The search need not know of former names, and finds the text of a page
            # without its object.
            shown = name == record.name and not self.plan.catalogue.is_page(record)
            yield (
                name,
                record.title,
                "heuristic",
                record.docname,
                record.anchor,
                1 if shown else -1,
            )


def canonical_names(objects: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return documented name → the other names that ``:canonical:`` gives it."""
    aliases: dict[tuple[str, str], list[str]] = {}
    for name, entry in objects.items():
        if entry.aliased:
            aliases.setdefault((entry.docname, entry.node_id), []).append(name)
    return {
        name: tuple(sorted(found))
        for name, entry in objects.items()
        if not entry.aliased and (found := aliases.get((entry.docname, entry.node_id)))
    }


def _is_kept_free(metadata: Mapping[str, Any]) -> bool:
    """Return whether a page's metadata has ``no-heuristics``, in any case, or ``_``."""
    return any(
        fold(name) == "no-heuristics" and is_set(value)
        for name, value in metadata.items()
    )


def is_set(value: object) -> bool:
    """Return whether a page's metadata sets a flag."""
    return str(value).strip().casefold() not in {"none", "false", "no", "0"}
