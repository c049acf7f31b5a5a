"""The catalogue as data: ``heuristics.json``, as its schema describes it."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..model import Address, Evidence, Found, Heuristic
from ..notes import markdown
from ..notes.inline import text_of
from ..read.heuristic import HeuristicDirective
from ..resolve import listing as index
from .index_file import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sphinx.config import Config

    from ..problems import Problem
    from ..resolve.plan import Plan
    from ..resolve.records import Resolved, Shown

#: The form of the data; a change that a reader must know of raises it.
SCHEMA_VERSION = 1

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Exporter:
    """Makes the data of one build."""

    plan: Plan
    #: Document → its URL from the root of the site.
    url_of: Callable[[str], str]
    #: The source directory.
    srcdir: Path

    def all(self, config: Config, extension: str, problems: Iterable[Problem]) -> Json:
        """Return the whole, always in the same order.

        *extension* is the version of the extension, and *problems* are those that the
        build warns of, in their order.
        """
        settings = self.plan.catalogue.settings
        records = self.plan.catalogue.heuristics.values()
        categories = index.categories(records, settings.categories)
        return {
            "schema_version": SCHEMA_VERSION,
            "project": {"name": config.project, "version": config.release},
            "package": {
                "name": settings.package,
                "version": self.plan.catalogue.version,
            },
            "extension": {"name": "sphinxext_heuristics", "version": extension},
            "namespace": settings.namespace,
            "categories": [
                {"name": row.name, "count": row.number, "description": row.description}
                for row in categories
            ],
            "heuristics": list(map(self.heuristic, records)),
            "problems": list(self._problems(problems)),
        }

    def heuristic(self, record: Heuristic) -> Json:
        """Return one heuristic with all that is known of it."""
        return {
            "name": record.name,
            "page": self.plan.catalogue.settings.page_name(record.name),
            "title": record.title,
            "note": {
                "text": text_of(record.note),
                "markdown": markdown.inline(record.note),
            },
            **_options(record),
            "holds": self.plan.catalogue.holds(record),
            **self._place(record.docname, record.anchor),
            "source": self._source(record),
            "connections": [
                self._connection(resolved)
                for resolved in self.plan.meanings.connections(record)
            ],
            "evidence": list(map(self._evidence, record.evidence)),
            "messages": [
                {**message._asdict(), "object": quoted.object}
                for message, quoted in self.plan.quotes.messages(record)
            ],
            "entries": [
                self._entry(shown)
                for shown in self.plan.placing.shown_in.get(record.name, ())
            ],
            "pages": [
                self._place(docname, anchor)
                for docname, anchor in self.plan.placing.shown_on.get(record.name, ())
            ],
        }

    def _entry(self, shown: Shown) -> Json:
        entry = self.plan.catalogue.entry_of[shown.name]
        own_names = self.plan.meanings.own_names(shown.name)
        names = dict.fromkeys((shown.name, *entry.names))
        objects = self.plan.meanings.objects
        for name in entry.names:
            names |= dict.fromkeys(objects.lineage(name))
        names |= dict.fromkeys(own_names)
        for name in (*names,):
            names |= dict.fromkeys(objects.aliases_in_source(name))
        return {
            "name": shown.name,
            "names": list(names),
            **self._place(shown.docname, shown.anchor),
            "parameter": shown.parameter or None,
            "reach": shown.nearness.name.lower(),
        }

    def _connection(self, resolved: Resolved) -> Json:
        connection = resolved.connection
        name = name_of(connection, self.plan.catalogue.package)
        return {
            "type": connection.type,
            "target": connection.pattern,
            "text": connection.text,
            "name": self.plan.catalogue.settings.page_name(name),
            "planned": connection.planned,
            "exists": resolved.exists,
            "url": self._url(resolved.address) if resolved.address else None,
            "names": list(resolved.reached),
        }

    def _evidence(self, quoted: Evidence) -> Json:
        found = self.plan.quotes.verify(quoted)
        return {
            "object": quoted.object,
            "quote": quoted.quote,
            "prose": quoted.prose,
            "collapsed": quoted.collapsed,
            "line": found.line if isinstance(found, Found) else None,
            "version": self.plan.quotes.version_of(quoted) or None,
        }

    def _problems(self, problems: Iterable[Problem]) -> Iterator[Json]:
        """Yield problems; each is of the heuristic in whose directives its line is."""
        heuristic_at: dict[tuple[str, int], str] = {}
        for record in self.plan.catalogue.definitions:
            for source, line in _lines(record):
                heuristic_at[source, line] = record.name
        for problem in problems:
            heuristic = heuristic_at.get((problem.source, problem.line), "")
            yield {
                "subtype": problem.word,
                "heuristic": heuristic or None,
                "option": problem.option or None,
                "value": problem.value or None,
                "message": problem.message,
                "file": self._file(problem.source),
                "line": problem.line or None,
            }

    def _file(self, source: str) -> str | None:
        """Return a file as seen from the source directory, which it may lie outside."""
        if not os.path.isabs(source):  # noqa: PTH117 - not a Path: it may name a docstring
            return source or None
        return os.path.relpath(source, self.srcdir).replace(os.sep, "/")

    def _url(self, address: Address) -> str:
        anchor = f"#{address.anchor}" if address.anchor else ""
        return address.uri or f"{self.url_of(address.docname)}{anchor}"

    def _place(self, docname: str, anchor: str) -> Json:
        return {
            "docname": docname,
            "anchor": anchor,
            "url": self._url(Address(docname, anchor)),
        }

    def _source(self, record: Heuristic) -> Json | None:
        """Return file and line, ``None`` outside of the source directory."""
        path = Path(record.source.partition(":docstring of ")[0])
        if not path.is_relative_to(self.srcdir):
            return None
        return {"path": path.relative_to(self.srcdir).as_posix(), "line": record.line}


def _lines(record: Heuristic) -> Iterator[tuple[str, int]]:
    """Yield the lines that may be at fault in what defines a heuristic."""
    yield record.source, record.line
    for _option, offset in record.offsets:
        yield record.source, record.line + offset
    for problem in record.problems:
        yield problem.source, problem.line
    for quoted in record.evidence:
        yield quoted.source, quoted.line
        for problem in quoted.problems:
            yield problem.source, problem.line


def _options(record: Heuristic) -> Json:
    """Return what the options of a heuristic give, where an empty text is ``null``."""
    values = (
        (option.key or option.field, getattr(record, option.field))
        for option in HeuristicDirective.known
        if option.field
    )
    return {key: None if value == "" else value for key, value in values}
