"""What is inconsistent in the whole: records and known names to problems."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

from ..diagnostics import ClosestNames, closest, did_you_mean
from ..model import (
    CATEGORY,
    PAGE_TYPES,
    Connection,
    Evidence,
    Found,
    Heuristic,
    LostReason,
    Page,
    Query,
)
from ..problems import Problem, Subtype
from ..versions import holds, is_empty_range
from . import page_files
from .listing import bounds, categories
from .missing import lost_with, why_missing
from .quotes import is_quote, quoted_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from .catalogue import Catalogue
    from .pages import External
    from .plan import Plan
    from .records import Resolved

#: How many names a message lists.
MAX_LISTED = 12

_at = Problem.at


def problems(plan: Plan, path_of: Callable[[str], Path]) -> Iterator[Problem]:
    """Yield the problems of what was read; *path_of* returns a document's file."""
    catalogue = plan.catalogue
    yield from catalogue.duplicates()
    for page in catalogue.pages.values():
        yield from page.problems
        if not page_files.is_unreadable(page):
            yield from _of_page(plan, page)
    yield from evidence(plan, told=_told(plan))
    yield from _of_unjudged_bounds(catalogue)
    yield from _of_two_versions(catalogue)
    for record in catalogue.heuristics.values():
        yield from _of_excepts(plan, record)
    yield from _of_nowhere(plan)
    yield from _of_roles(plan)
    yield from page_files.problems(catalogue, path_of)


def _of_page(plan: Plan, page: Page) -> Iterator[Problem]:
    """Yield the problems of what the directives of a page say."""
    for record in page.heuristics:
        if not plan.catalogue.is_repeated(record):
            yield from record.problems
            yield from _of_record(plan, record)
            for resolved in plan.meanings.connections(record):
                yield from _of_connection(plan, record, resolved)
    for query in page.queries:
        yield from query.problems


# -- heuristics -----------------------------------------------------------------------


def _of_record(plan: Plan, record: Heuristic) -> Iterator[Problem]:
    # What was written but could not be read is a problem of its own.
    is_unread = any(problem.subtype is Subtype.OPTION for problem in record.problems)
    if not record.connections and not is_unread:
        message = (
            f"heuristic {record.name!r} is connected to nothing: give impl, "
            f"workflow, principle or env"
        )
        yield _at(record, Subtype.ORPHAN, message)
    if plan.catalogue.settings.categories:
        for category in record.categories:
            yield from _of_category(plan.catalogue, record, category)
    # Another version need not have them.
    if plan.catalogue.holds(record):
        yield from _of_parameters(plan, record)


def _of_parameters(plan: Plan, record: Heuristic) -> Iterator[Problem]:
    """Yield the problem of each parameter that no entry shows which targets leave."""
    connections = plan.meanings.connections(record)
    reached = plan.meanings.reached(record)
    impl = [it for it in connections if it.connection.type == "impl"]
    if impl and (not reached or not all(it.exists for it in impl)):
        return  # the target is at fault, not the parameter, or has it where it is
    left: set[str] = set()
    known: set[str] = set()
    for resolved in impl:
        for name in resolved.reached:
            entry = plan.catalogue.entry_of[name]
            shown = {*entry.parameters, *entry.described}
            known |= shown
            if record.fits(entry) or not resolved.connection.is_wide:
                left |= shown
    for parameter in record.parameters:
        if parameter not in left:
            last = parameter.rpartition(".")[2]
            near = did_you_mean(closest(last, known - {parameter}))
            if not near and parameter.lstrip("*") in {"args", "kwargs"}:
                near = "; '*args' and '**kwargs' count only if a field describes them"
            message = (
                f"param {parameter!r} leaves no entry: none that impl reaches "
                f"shows it{near}"
            )
            yield _at(record, Subtype.TARGET, message, "param", parameter)


def _of_category(
    catalogue: Catalogue, place: Heuristic | Query, category: str
) -> Iterator[Problem]:
    """Yield the problem of a category that conf.py, or else no heuristic, has."""
    allowed = catalogue.settings.categories
    records = catalogue.heuristics.values()
    known = list(allowed) or [used.name for used in categories(records, allowed)]
    if category in known:
        return
    message = f"no heuristic has the category {category!r}"
    if allowed:
        message = (
            f"category {category!r} is not in heuristics_categories: "
            f"{', '.join(map(repr, allowed))}"
        )
    message += did_you_mean(closest(category, known))
    yield _at(place, Subtype.CATEGORY, message, "category", category)


def _of_connection(
    plan: Plan, record: Heuristic | Query, resolved: Resolved
) -> Iterator[Problem]:
    connection = resolved.connection
    kind, target = connection.type, connection.pattern
    if several := resolved.several:
        yield _ambiguous(record, kind, target, several)
        return
    lost = lost_with(plan.meanings, plan.quotes, record, resolved)
    if resolved.exists and connection.planned:
        reason = "is declared planned with '?' but exists now: drop the '?'"
    elif not resolved.is_fault:
        return
    else:
        reason = why_missing(plan.catalogue, plan.meanings, resolved, lost.values())
    message = f"{kind} target {target!r} {reason}"
    for quoted in lost:
        message += f"; evidence in line {quoted.line} names it, too"
    yield _at(record, Subtype.TARGET, message, kind, target)


def _ambiguous(
    place: Heuristic | Query, kind: str, target: str, several: Sequence[str]
) -> Problem:
    """Return the problem that a name in the option *kind* fits *several* things."""
    things, everything = "pages", ""
    if kind not in PAGE_TYPES:
        things = "objects"
        everything = f", or '*.{target.lstrip('*.')}' to mean all"
    lines = "".join(f"\n  {name}" for name in several)
    message = (
        f"{kind} target {target!r} fits {len(several)} {things}; write one "
        f"out{everything}:{lines}"
    )
    return _at(place, Subtype.AMBIGUOUS, message, kind, target)


def _told(plan: Plan) -> set[Evidence]:
    """Return the evidence that the problems of targets name."""
    found: set[Evidence] = set()
    for record in plan.catalogue.definitions:
        for resolved in plan.meanings.connections(record):
            found.update(lost_with(plan.meanings, plan.quotes, record, resolved))
    return found


def _of_excepts(plan: Plan, record: Heuristic) -> Iterator[Problem]:
    """Yield the problem of each `except` that excludes nothing of what is reached."""
    meanings = plan.meanings
    if not plan.catalogue.holds(record) or meanings.has_fault(record):
        return
    reached = list(meanings.reached(record))
    own_names = list(plan.placing.rollup.rolled_up.get(record.name, ()))
    for name in reached:
        own_names += meanings.own_names(name)
    for target in record.excepts:
        if several := meanings.objects.find_without_subclasses(target).several:
            yield _ambiguous(record, "except", target, several)
            continue
        is_excluded = meanings.objects.excludes(target, own_names)
        if is_excluded or meanings.is_left_out(target):
            continue
        owners = [name.rpartition(".")[0] for name in reached]
        classes = filter(meanings.objects.is_class, owners)
        near = closest(target, (*reached, *classes), 1)
        listed = ", ".join(reached[:MAX_LISTED]) or "none"
        more = ", …" if len(reached) > MAX_LISTED else ""
        message = (
            f"except {target!r} excludes nothing{did_you_mean(near)} "
            f"(API entries reached: {listed}{more})"
        )
        yield _at(record, Subtype.EXCEPT, message, "except", target)


def _of_unjudged_bounds(catalogue: Catalogue) -> Iterator[Problem]:
    """Yield the problem of bounds that no version judges, at the first."""
    if catalogue.version:
        return
    for record in catalogue.heuristics.values():
        option = "since" if record.since else "until"
        has_bounds = record.since or record.until
        if has_bounds and not is_empty_range(record.since, record.until):
            message = (
                "since and until are not judged: set heuristics_package to an "
                "installed package, or release in conf.py"
            )
            yield _at(record, Subtype.CONFIG, message, option)
            return


def _of_two_versions(catalogue: Catalogue) -> Iterator[Problem]:
    """Yield the problem that the installed version is not the one of conf.py.

    It is at the first bound that they judge otherwise. A release that is a prefix of
    the version agrees, and one that is no version says nothing.
    """
    version, release = catalogue.version, catalogue.release
    if holds(release, release, version):
        return
    for record in catalogue.heuristics.values():
        both = {"since": (record.since, ""), "until": ("", record.until)}
        for option, bound in both.items():
            if holds(*bound, version) != holds(*bound, release):
                message = (
                    f"the installed {catalogue.package} {version} judges {option} "
                    f"{''.join(bound)}, and release in conf.py, {release}, would judge "
                    "it otherwise: install what is documented (a checkout: once more), "
                    "or correct release"
                )
                yield _at(record, Subtype.CONFIG, message, option)
                return


def sections(catalogue: Catalogue) -> Iterator[Problem]:
    """Yield the problem of each heuristic page without the wanted headings.

    They are those of ``heuristics_sections``, in that order.
    """
    wanted = catalogue.settings.sections
    for record in catalogue.heuristics.values():
        # Each is looked for below those before it.
        below = iter(catalogue.pages[record.docname].titles[1:])
        lacking = [heading for heading in wanted if heading not in below]
        if lacking and catalogue.is_page(record):
            message = (
                f"the page lacks the heading {lacking[0]!r} in its place, below the "
                f"directive (heuristics_sections: {', '.join(wanted)})"
            )
            yield _at(record, Subtype.NOTE, message)


def _of_nowhere(plan: Plan) -> Iterator[Problem]:
    """Yield the problem of each heuristic that only its own page and indexes show.

    What is withheld on purpose, and what waits for a target, is none.
    """
    placing = plan.placing
    shown = {*placing.shown_in, *placing.shown_on, *placing.rollup.rolled_up}
    for placed in placing.by_hand:
        shown.update(record.name for record in placed.heuristics)
    for record in plan.catalogue.heuristics.values():
        if record.name in shown or placing.withheld(record):
            continue
        connections = plan.meanings.connections(record)
        # A target at fault, or a parameter that leaves none, is a problem already.
        is_whole = bool(connections) and all(it.exists for it in connections)
        if is_whole and not any(_of_parameters(plan, record)):
            message = (
                f"heuristic {record.name!r} is shown nowhere but on its own page "
                f"({_why_nowhere(plan, record)})"
            )
            yield _at(record, Subtype.ORPHAN, message)


def _why_nowhere(plan: Plan, record: Heuristic) -> str:
    """Return why nothing that a heuristic is connected to shows it."""
    for resolved in plan.meanings.connections(record):
        if resolved.place:
            return plan.placing.withheld_at(record, resolved.place)
    for _docname, _entry, verdict in plan.placing.judged:
        if verdict.record is record:
            return verdict.reason
    return "its targets are in other projects"


# -- evidence -------------------------------------------------------------------------


def evidence(
    plan: Plan,
    *,
    with_passages: bool = False,
    told: AbstractSet[Evidence] = frozenset(),
) -> Iterator[Problem]:
    """Yield every problem of quotes: lost ones, and bounds that contradict them.

    Those that are *told* already are left out.

    The closest passage is in the message where the quoted package is documented here:
    whoever may change a page shall not read any package of the machine in a log.
    *with_passages* shows it for every package.
    """
    not_here = expected(plan.catalogue) | told
    for page in plan.catalogue.pages.values():
        for quoted in page.evidence:
            yield from quoted.problems
            if is_quote(quoted) and quoted not in not_here:
                yield from _of_evidence(plan, quoted, with_passage=with_passages)
        for record in page.heuristics:
            yield from _of_bounds(plan, record)


def expected(catalogue: Catalogue) -> set[Evidence]:
    """Return the quotes of heuristics that do not hold for the documented version."""
    return quoted_by(it for it in catalogue.definitions if not catalogue.holds(it))


def _of_evidence(
    plan: Plan, quoted: Evidence, *, with_passage: bool
) -> Iterator[Problem]:
    quotes = plan.quotes
    found = quotes.verify(quoted)
    if isinstance(found, Found):
        return
    message = found.message
    is_shown = found.nearest and (with_passage or _is_documented(plan, quoted))
    if is_shown:
        message = "; ".join([message, *found.changes])
    if quotes.version_of(quoted) and found.reason is not LostReason.NO_PACKAGE:
        message += f" ({quotes.release_of(quoted)})"
    if is_shown:
        passage = indent(found.nearest, "    ")
        message += f"\n  {found.path}:{found.line} has now:\n{passage}"
    yield _at(quoted, Subtype.EVIDENCE, message)


def _is_documented(plan: Plan, quoted: Evidence) -> bool:
    """Return whether the package that is quoted is documented here."""
    package = plan.quotes.package_of(quoted)
    is_named = package == plan.catalogue.package
    return is_named or package in plan.meanings.documented_packages


def _of_bounds(plan: Plan, record: Heuristic) -> Iterator[Problem]:
    """Yield the problem of bounds that exclude a version with all that is quoted."""
    catalogue, quotes = plan.catalogue, plan.quotes
    if catalogue.holds(record):
        return
    package = catalogue.package
    judged = {package} if package else plan.meanings.documented_packages
    quoted = [it for it in record.evidence if quotes.package_of(it) in judged]
    results = map(quotes.verify, quoted)
    if quoted and all(isinstance(result, Found) for result in results):
        package = quotes.package_of(quoted[0])
        source = f" from {package}" if len(quoted) < len(record.evidence) else ""
        message = (
            f"heuristic {record.name!r} holds for {bounds(record)}, but all that it "
            f"quotes{source} is in {package} {catalogue.version}, too: correct its "
            f"bounds, or quote what has changed"
        )
        yield _at(record, Subtype.VERSION, message)


# -- what directives and roles name ---------------------------------------------------


def of_filters(plan: Plan, query: Query) -> Iterator[Problem]:
    """Yield the problem of each filter that names nothing."""
    for kind, values in query.filters:
        for value in values:
            if kind == "category":
                yield from _of_category(plan.catalogue, query, value)
            elif value.startswith(CATEGORY):
                name = value.removeprefix(CATEGORY).strip()
                yield from _of_category(plan.catalogue, query, name)
            elif kind != "severity":
                yield from _of_requested_target(plan, query, kind, value)


def _of_requested_target(
    plan: Plan, query: Query, kind: str, value: str
) -> Iterator[Problem]:
    if plan.meanings.selection(((kind, (value,)),)):
        return
    kinds = ("impl", PAGE_TYPES[0]) if kind == "target" else (kind,)
    meant = [plan.meanings.resolve(Connection(it, value)) for it in kinds]
    known = [it for it in meant if it.exists or it.several]
    if known or kind != "target":
        yield from _of_connection(plan, query, (known or meant)[0])
        return
    close = did_you_mean(plan.meanings.closest(value))
    message = (
        f"target {value!r} is no documented object, page, label or heuristic{close}"
    )
    yield _at(query, Subtype.TARGET, message, kind, value)


def _of_roles(plan: Plan) -> Iterator[Problem]:
    catalogue, external = plan.catalogue, plan.meanings.external
    known = ClosestNames(catalogue.by_name)
    for page in catalogue.pages.values():
        for role in page.roles:
            if catalogue.lookup(role.target) or external.heuristic(role.target):
                continue
            message = "the heuristic role names no heuristic"
            if name := catalogue.settings.strip(role.target.strip()):
                near = did_you_mean(known.closest(name))
                if ":" in name:
                    near = _of_project(external, name)
                message = f"unknown heuristic {role.target!r}{near}"
            yield _at(role, Subtype.REF, message)


def _of_project(external: External, target: str) -> str:
    """Return what another project, or no project, has instead of a heuristic."""
    project, _colon, name = target.rpartition(":")
    projects = external.projects
    if project not in projects:
        known = ", ".join(map(repr, projects)) or "none"
        close = did_you_mean(closest(project, projects, 1))
        return f"; intersphinx knows no project {project!r} (known: {known}){close}"
    near = closest(name, external.heuristics_of(project))
    return did_you_mean(f"{project}:{alike}" for alike in near)
