"""What is inconsistent in the whole: records and known names to problems."""

from __future__ import annotations

import posixpath
import re
from textwrap import indent
from typing import TYPE_CHECKING

from sphinxext_heuristics._core.diagnostics import ClosestNames, closest, did_you_mean
from sphinxext_heuristics._core.model import (
    CATEGORY,
    INDEX_PAGE,
    PAGE_TYPES,
    Found,
    LostReason,
    Problem,
    Subtype,
)
from sphinxext_heuristics._core.resolve import rollup
from sphinxext_heuristics._core.resolve.connections import (
    documented_packages,
    is_left_out,
    undocumented_package,
    why_missing,
)
from sphinxext_heuristics._core.resolve.listing import bounds
from sphinxext_heuristics._core.resolve.objects import Match, excludes
from sphinxext_heuristics._core.resolve.pages import PageMatch
from sphinxext_heuristics._core.versions import is_empty_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sphinxext_heuristics._core.model import Evidence, Heuristic, Query
    from sphinxext_heuristics._core.resolve.connections import Resolved
    from sphinxext_heuristics._core.resolve.plan import Plan

#: How many names a message lists.
MAX_LISTED = 12

_at = Problem.at


def problems(plan: Plan, path_of: Callable[[str], Path]) -> Iterator[Problem]:
    """Yield every problem of a build; *path_of* returns the file of a document."""
    yield from plan.catalogue.duplicates()
    #: The packages of which it was said that nothing is documented.
    said: set[str] = set()
    for docname in plan.catalogue.docnames:
        page = plan.catalogue.pages[docname]
        yield from page.problems
        for record, resolved in zip(
            page.heuristics, plan.resolved[docname], strict=True
        ):
            if not plan.catalogue.is_repeated(record):
                yield from record.problems
                yield from _of_record(plan, record, resolved, said)
        for query in page.queries:
            yield from query.problems
    yield from evidence(plan)
    yield from _unjudged(plan)
    yield from _of_excepts(plan)
    yield from _of_roles(plan)
    yield from _of_files(plan, path_of)


def evidence(plan: Plan, *, with_passages: bool = False) -> Iterator[Problem]:
    """Yield every problem of what is quoted: lost quotes, and bounds that contradict them.

    The closest passage is in the message where the quoted package is documented here:
    whoever may change a page shall not read any package of the machine in a log.
    *with_passages* shows it for every package.
    """
    away = expected(plan)
    shown = {plan.settings.package, *plan.once(documented_packages)}
    for docname in plan.catalogue.docnames:
        page = plan.catalogue.pages[docname]
        for quoted in page.evidence:
            yield from quoted.problems
            if is_quote(quoted) and quoted not in away:
                is_shown = with_passages or plan.package_of(quoted) in shown
                yield from _of_evidence(plan, quoted, with_passage=is_shown)
        for record in page.heuristics:
            yield from _of_bounds(plan, record)


def _unjudged(plan: Plan) -> Iterator[Problem]:
    """Yield the problem of bounds that no version judges, at the first."""
    records = (
        record for record in plan.heuristics.values() if record.since or record.until
    )
    bounded = (
        record for record in records if not is_empty_range(record.since, record.until)
    )
    for record in () if plan.lookups.version else bounded:
        message = (
            "since and until are not judged: set heuristics_package to an "
            "installed package, or release in conf.py"
        )
        yield _at(record, Subtype.CONFIG, message, "since" if record.since else "until")
        return


def expected(plan: Plan) -> set[Evidence]:
    """Return the quotes that need not be there: their heuristics do not hold for this version, as their bounds say."""
    return {
        quoted
        for record in plan.catalogue.definitions
        if not plan.holds(record)
        for quoted in record.evidence
    }


def is_quote(quoted: Evidence) -> bool:
    """Return whether evidence names an object and quotes something: what does not has a problem of its own."""
    return bool(quoted.module and quoted.quote.strip())


def _of_evidence(
    plan: Plan, quoted: Evidence, *, with_passage: bool
) -> Iterator[Problem]:
    found = plan.lookups.verify(quoted)
    if isinstance(found, Found):
        return
    version = (
        plan.version_of(quoted) if found.reason is not LostReason.NO_PACKAGE else ""
    )
    message = (
        f"{found.message} ({plan.package_of(quoted)} {version})"
        if version
        else found.message
    )
    if found.nearest and with_passage:
        message += (
            f"\n  {found.path}:{found.line} has now:\n{indent(found.nearest, '    ')}"
        )
    yield _at(quoted, Subtype.EVIDENCE, message)


def _of_bounds(plan: Plan, record: Heuristic) -> Iterator[Problem]:
    """Yield the problem of a heuristic that does not hold for this version though all that it quotes is there."""
    quoted = [one for one in record.evidence if plan.package_of(one) in plan.documented]
    if (
        quoted
        and not plan.holds(record)
        and all(isinstance(plan.lookups.verify(one), Found) for one in quoted)
    ):
        package = plan.package_of(quoted[0])
        everything = "all that it quotes" + (
            f" from {package}" if len(quoted) < len(record.evidence) else ""
        )
        yield _at(
            record,
            Subtype.VERSION,
            f"heuristic {record.name!r} holds for {bounds(record)}, but "
            f"{everything} is in "
            f"{package} {plan.lookups.version}, too: correct its bounds, or "
            f"quote what has changed",
        )


def _of_record(
    plan: Plan, record: Heuristic, resolved: Iterable[Resolved], said: set[str]
) -> Iterator[Problem]:
    # What was written but could not be read is a problem of its own.
    if not record.connections and not any(
        problem.subtype is Subtype.OPTION for problem in record.problems
    ):
        yield _at(
            record,
            Subtype.ORPHAN,
            f"heuristic {record.name!r} is connected to nothing: give impl, "
            f"workflow, principle or env",
        )
    for category in record.categories:
        yield from _of_category(plan, record, category)
    for connection in resolved:
        yield from _of_connection(plan, record, connection, said)
    reached = plan.reached(record)
    named = {
        parameter for name in reached for parameter in plan.entry_of[name].parameters
    }
    for parameter in (
        record.parameters
        if reached or "impl" not in {it.type for it in record.connections}
        else ()
    ):
        if parameter not in named:
            message = (
                f"param {parameter!r} leaves no entry: no signature that impl "
                f"reaches names it"
            )
            yield _at(
                record,
                Subtype.TARGET,
                message + did_you_mean(closest(parameter, named)),
                "param",
            )


def sections(plan: Plan) -> Iterator[Problem]:
    """Yield the problem of each heuristic page without the headings of `heuristics_sections`, or with others' order."""
    wanted = plan.settings.sections
    for record in plan.heuristics.values() if wanted else ():
        if not plan.catalogue.is_page(record):
            continue
        titles = plan.catalogue.pages[record.docname].titles[1:]
        if lacking := [heading for heading in wanted if heading not in titles]:
            close = "".join(
                f"; it has {title!r}" for title in closest(lacking[0], titles, 1)
            )
            message = f"the page lacks the heading {lacking[0]!r}{close}"
        elif (found := sorted(wanted, key=titles.index)) != [*wanted]:
            message = f"the page has its headings in the order {', '.join(found)}"
        else:
            continue
        yield _at(
            record,
            Subtype.NOTE,
            f"{message} (heuristics_sections: {', '.join(wanted)})",
        )


def _of_category(
    plan: Plan, record: Heuristic | Query, category: str
) -> Iterator[Problem]:
    allowed = plan.settings.categories
    if allowed and category not in allowed:
        yield _at(
            record,
            Subtype.CATEGORY,
            f"category {category!r} is not in heuristics_categories: "
            f"{', '.join(map(repr, allowed))}"
            f"{did_you_mean(closest(category, allowed, 1))}",
            "category",
        )


def _of_connection(
    plan: Plan, record: Heuristic, resolved: Resolved, said: set[str]
) -> Iterator[Problem]:
    connection = resolved.connection
    subtype, message = Subtype.TARGET, ""
    if resolved.several:
        subtype, message = (
            Subtype.AMBIGUOUS,
            _ambiguous(connection.type, connection.target, resolved.several),
        )
    elif resolved.exists and connection.planned:
        message = (
            f"{connection.type} target {connection.target!r} is declared planned "
            f"with '?' but exists now: drop the '?'"
        )
    elif resolved.exists or resolved.planned:
        return
    elif package := undocumented_package(plan, connection):
        if package in said:
            return
        said.add(package)
        own = (
            not plan.settings.package
            or plan.settings.package.partition(".")[0] == package
        )
        what = "document its API (does autodoc import it?), or " if own else ""
        message = (
            f"impl target {connection.target!r} is not documented, nor is "
            f"anything else of {package!r}: "
            f"{what}add its project to intersphinx_mapping"
        )
    else:
        message = why_missing(plan, connection)
    yield _at(record, subtype, message, connection.type)


def _ambiguous(type_: str, target: str, several: tuple[str, ...]) -> str:
    lines = "".join(f"\n  {name}" for name in several)
    what = "pages" if type_ in PAGE_TYPES else "objects"
    everything = (
        "" if type_ in PAGE_TYPES else f", or '*.{target.lstrip('*.')}' to mean all"
    )
    return (
        f"{_what(type_)} {target!r} fits {len(several)} {what}; write one "
        f"out{everything}:{lines}"
    )


def _what(kind: str) -> str:
    return "target" if kind == "target" else f"{kind} target"


def _of_excepts(plan: Plan) -> Iterator[Problem]:
    for record in plan.heuristics.values():
        if not record.excepts:
            continue
        reached = list(plan.reached(record))
        own = list(
            dict.fromkeys(own for name in reached for own in plan.own_names(name))
        )
        own += plan.once(rollup.reached).get(record.name, ())
        near = ClosestNames(
            {name.rpartition(".")[0] for name in reached} - {""} | set(reached)
        )
        for target in record.excepts:
            is_left_out_here = is_left_out(plan.settings, plan.lookups, target)
            if not is_left_out_here and not any(
                excludes(one, own) for one in plan.lookups.objects.aliases(target)
            ):
                listed = ", ".join(reached[:MAX_LISTED]) or "none"
                yield _at(
                    record,
                    Subtype.EXCEPT,
                    f"except {target!r} excludes nothing"
                    f"{did_you_mean(near.closest(target, 1))} "
                    f"(API entries reached: {listed}"
                    f"{', …' if len(reached) > MAX_LISTED else ''})",
                    "except",
                )


def of_filters(plan: Plan, query: Query) -> Iterator[Problem]:
    """Yield the problem of each filter that names nothing."""
    for kind, values in query.filters:
        for value in values:
            if kind == "category":
                yield from _of_asked_category(plan, query, value)
            elif value.startswith(CATEGORY):
                name = value.removeprefix(CATEGORY).strip()
                yield from _of_asked_category(plan, query, name)
            elif kind != "severity":
                yield from _of_asked_target(plan, query, kind, value)


def _of_asked_category(plan: Plan, query: Query, name: str) -> Iterator[Problem]:
    if plan.settings.categories:
        yield from _of_category(plan, query, name)
        return
    used = {c for record in plan.heuristics.values() for c in record.categories}
    if name not in used:
        message = (
            f"no heuristic has the category {name!r}{did_you_mean(closest(name, used))}"
        )
        yield _at(query, Subtype.CATEGORY, message, "category")


def _of_asked_target(
    plan: Plan, query: Query, kind: str, value: str
) -> Iterator[Problem]:
    if plan.selection(((kind, (value,)),)):
        return
    objects = plan.lookups.objects if kind not in PAGE_TYPES else None
    pages = plan.lookups.pages if kind != "impl" else None
    match, page = (
        objects.find(value) if objects else Match(),
        pages.find(value) if pages else PageMatch(),
    )
    if several := match.objects or tuple(p.docname for p in page.places):
        yield _at(query, Subtype.AMBIGUOUS, _ambiguous(kind, value, several), kind)
    elif not match.exists and page.place is None:
        near = dict.fromkeys(
            name for known in (objects, pages) if known for name in known.closest(value)
        )
        wanted = {
            "impl": "documented object",
            "target": "documented object, page or label",
        }.get(kind, "page or label")
        message = f"{_what(kind)} {value!r} is no {wanted}{did_you_mean([*near][:3])}"
        yield _at(query, Subtype.TARGET, message, kind)


def _of_roles(plan: Plan) -> Iterator[Problem]:
    alike = ClosestNames(plan.heuristics)
    for docname in plan.catalogue.docnames:
        for role in plan.catalogue.pages[docname].roles:
            name = plan.settings.strip(role.target.strip())
            if plan.named(role.target) or plan.lookups.elsewhere(role.target):
                continue
            message = (
                f"unknown heuristic {role.target!r}{did_you_mean(alike.closest(name))}"
                if name
                else "the heuristic role names no heuristic"
            )
            yield Problem.at(role, Subtype.REF, message)


def _of_files(plan: Plan, path_of: Callable[[str], Path]) -> Iterator[Problem]:
    if INDEX_PAGE in plan.catalogue.pages:
        yield Problem(
            subtype=Subtype.FILE,
            message=f"the document {INDEX_PAGE!r} has the name of the index page that "
            f"is made for the heuristics, "
            "which overwrites it: rename the file",
            source=str(path_of(INDEX_PAGE)),
            line=1,
        )
    folder = (
        posixpath.normpath(plan.settings.dir).strip("/") if plan.settings.dir else ""
    )
    for docname in plan.catalogue.docnames if folder else ():
        stem = docname.rpartition("/")[2]
        if not docname.startswith(f"{folder}/") or stem == "index":
            continue
        names = [
            plan.settings.page_name(record.name)
            for record in plan.catalogue.pages[docname].heuristics
        ]
        if names != [stem]:
            line, message = 1, _file_message(plan, stem, names)
            if not names and (reason := unread(path_of(docname), stem)):
                line, message = reason[0], f"{message}: {reason[1]}"
            yield Problem(
                subtype=Subtype.FILE,
                message=message,
                source=str(path_of(docname)),
                line=line,
            )


def _file_message(plan: Plan, stem: str, names: list[str]) -> str:
    strip = plan.settings.strip
    wanted = f"heuristic {strip(stem)!r}"
    if not names:
        return f"a page in heuristics_dir holds no heuristic; expected here is {wanted}"
    if len(names) > 1:
        return (
            f"a page in heuristics_dir holds {wanted} alone, but this one holds "
            f"{len(names)}: {', '.join(names)}"
        )
    otherwise = (
        ""
        if strip(names[0]) == strip(stem)
        else f", or the heuristic {strip(names[0])!r} to {strip(stem)!r}"
    )
    return (
        f"a page in heuristics_dir is named after its heuristic: rename the file "
        f"to {names[0]!r}{otherwise}"
    )


#: How a page may write a heuristic that its parser does not read: suffixes of the file,
#: pattern, and the reason.
_UNREAD = (
    (
        {".md"},
        r":{3,}\{heuristic\}",
        (
            "':::' requires 'colon_fence' in myst_enable_extensions; or write "
            "'```{{heuristic}} {name}'"
        ),
    ),
    (
        {".md"},
        r"\.\. +heuristic::",
        "this is reStructuredText in a Markdown file; write '```{{heuristic}} {name}'",
    ),
    (
        {".rst", ".txt"},
        r"[`~:]{3,}\{heuristic\}",
        "this is Markdown in a reStructuredText file; write '.. heuristic:: {name}'",
    ),
    (
        {".md"},
        r"[`~:]{3,} *heuristic\b",
        "the name of the directive is not in braces; write '```{{heuristic}} {name}'",
    ),
    (
        {".rst", ".txt"},
        r"\.\. *heuristic(?!::)\b|\.\.heuristic",
        "this is a comment; write '.. heuristic:: {name}'",
    ),
    (
        {".md", ".rst", ".txt"},
        r"[`~:.{]+ *heuristic",
        "the directive is not written as one",
    ),
)


def unread(path: Path, name: str) -> tuple[int, str] | None:
    """Return the line of a page at which a heuristic was meant, and why none was read."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for suffixes, pattern, reason in _UNREAD:
        for at, text in enumerate(lines, 1) if path.suffix in suffixes else ():
            if re.match(pattern, text.lstrip()):
                return at, reason.format(name=name)
    return None
