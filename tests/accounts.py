"""What `explain` says of entries, pages and heuristics, beside what the built pages show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sphinxext_heuristics._core.cli.account import account
from sphinxext_heuristics._core.resolve.records import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bs4 import Tag
    from conftest import Built

    from sphinxext_heuristics._core.resolve.plan import Plan

BOXES = (
    "div.heuristic, div.heuristic-repeated, p.heuristic-line, p.heuristic-rollup, "
    "div.heuristic-rollup"
)


class Place(NamedTuple):
    """An API entry, or a page or a section of one: its document and id."""

    docname: str
    anchor: str


def boxes(holder: Tag, kinds: str = BOXES) -> list[Tag]:
    """Return what is shown in an entry itself, at parameters, too."""
    owner = holder.find_parent("dl", class_="py")
    return [
        box
        for box in holder.select(kinds)
        if box.find_parent("dl", class_="py") is owner
        and box.find_parent("div", class_="heuristic") is None
    ]


def titles(found: list[Tag]) -> set[str]:
    """Return the titles that boxes name."""
    return {
        link.get_text()
        for box in found
        for link in box.select("span.heuristic-ref, p.admonition-title > a")
    }


def counted(found: list[Tag]) -> int:
    """Return how many heuristics blocks only count."""
    numbers = (re.match(r"(\d+) heuristics", box.get_text(strip=True)) for box in found)
    return sum(int(number[1]) for number in numbers if number)


def differences(built: Built, plan: Plan) -> Iterator[str]:
    """Yield where `explain` and the built pages differ: of each entry, page and heuristic."""
    shown: dict[Place, list[Tag]] = {}
    # One with several signatures is found by the first alone.
    single = {
        Place(docname, entry.anchor)
        for docname, entry in plan.catalogue.all_entries
        if len(set(entry.names)) == 1
    }
    for docname in plan.catalogue.docnames:
        if (built.out / f"{docname}.html").is_file():
            page = built.soup(f"{docname}.html")
            for signature in page.select("dl.py > dt[id]"):
                content = signature.find_next_sibling("dd")
                place = Place(docname, str(signature["id"]))
                if place in single:
                    shown[place] = boxes(content)
    yield from _of_entries(plan, shown)
    for docname in plan.catalogue.docnames:
        if (built.out / f"{docname}.html").is_file():
            yield from _of_page(built, plan, docname)
    yield from _of_heuristics(plan, shown)


def _of_entries(plan: Plan, shown: dict[Place, list[Tag]]) -> Iterator[str]:
    title_of = {it.name: it.title for it in plan.catalogue.heuristics.values()}
    for docname, entry in plan.catalogue.all_entries:
        place = Place(docname, entry.anchor)
        if place not in shown:
            continue
        told = account(plan, entry.names[0])
        assert told is not None, entry.names
        rows = _boxed(plan, _at(told.places, place))
        # What is at an attribute of a class is in the entry of that.
        said = {
            title_of[str(it["heuristic"])]
            for it in rows
            if it["anchor"] != place.anchor or not _elsewhere(it, shown)
        }
        seen, number = titles(shown[place]), counted(shown[place])
        rolled_up = {
            record.title
            for member in plan.placing.members(docname, entry)
            for record in member.heuristics
        }
        if not seen <= said | rolled_up or len(said | rolled_up) < len(seen):
            yield f"{entry.names[0]}: {sorted(seen)} on the page, {sorted(said)} said"
        if not number and said - seen:
            yield f"{entry.names[0]}: {sorted(said - seen)} said, not on the page"
        if number and len(said) != len(seen) + number:
            yield f"{entry.names[0]}: {len(said)} said, {len(seen) + number} on the page"
        for title in seen:
            if not any(
                f"shown: {name} (" in line and "not shown" not in line
                for line in told.lines
                for name, its in title_of.items()
                if its == title
            ):
                yield f"{entry.names[0]}: no line names {title!r}"


def _elsewhere(row: dict[str, Any], shown: dict[Place, list[Tag]]) -> bool:
    return Place(row["docname"], f"{row['anchor']}.{row['parameter']}") in shown


def _at(rows: list[dict[str, Any]], place: Place) -> Iterator[dict[str, Any]]:
    for row in rows:
        own, docname = row["anchor"], row["docname"]
        is_there = place in {
            Place(docname, own),
            Place(docname, f"{own}.{row['parameter']}"),
        }
        if row["shown"] and is_there:
            yield row


def _boxed(plan: Plan, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows but those of an entry whose documentation holds the definition."""
    defined = {
        (verdict.record.name, docname, entry.anchor)
        for docname, entry, verdict in plan.placing.judged
        if verdict.form is Form.DEFINED
    }
    for row in rows:
        if (row["heuristic"], row["docname"], row["anchor"]) not in defined:
            yield row


def _of_page(built: Built, plan: Plan, docname: str) -> Iterator[str]:
    if any(
        plan.catalogue.is_page(it) for it in plan.catalogue.pages[docname].heuristics
    ):
        return  # its name means the heuristic
    found = [
        box
        for box in built.soup(f"{docname}.html").select(
            "div.heuristic, div.heuristic-repeated"
        )
        if box.find_parent("dl", class_="py") is None
        and box.find_parent("div", class_="heuristic") is None
    ]
    told = account(plan, docname)
    assert told is not None, docname
    title_of = {it.name: it.title for it in plan.catalogue.heuristics.values()}
    said = {
        title_of[str(row["heuristic"])]
        for row in told.places
        if row["shown"] and row["entry"] is None
    }
    linked = {
        record.title
        for record in plan.catalogue.heuristics.values()
        for verdict in plan.placing.on_page(docname)
        if verdict.is_linked and verdict.record is record
    }
    modules = {
        verdict.record.title
        for _docname, entry, verdict in plan.placing.judged
        if entry.is_module and _docname == docname and verdict.is_shown
    }
    seen = titles(found) - (modules - said)
    if not seen <= said:
        yield f"{docname}: {sorted(seen - said)} on the page, not said"
    if not said <= seen | linked:
        yield f"{docname}: {sorted(said - seen - linked)} said, not on the page"


def _of_heuristics(plan: Plan, shown: dict[Place, list[Tag]]) -> Iterator[str]:
    titles_at = {place: titles(found) for place, found in shown.items()}
    counts = {place: counted(found) for place, found in shown.items()}
    for record in plan.catalogue.heuristics.values():
        told = account(plan, record.name)
        assert told is not None, record.name
        said = {
            Place(str(row["docname"]), str(row["anchor"]))
            for row in _boxed(plan, told.places)
            if row["shown"] and row["entry"] is not None
        }
        for place, seen in titles_at.items():
            owner = place._replace(anchor=place.anchor.rpartition(".")[0])
            is_rolled_up = record.title in seen and not {place, owner} & said
            if is_rolled_up and not any(
                "inherited" in line
                for line in (account(plan, place.anchor) or told).lines
            ):
                yield f"{record.name}: shown at {place}, not said"
            is_at_attribute = any(
                record.title in titles_at[other]
                for other in titles_at
                if other.anchor.startswith(f"{place.anchor}.")
            )
            if (
                place in said
                and record.title not in seen
                and not counts[place]
                and not is_at_attribute
            ):
                yield f"{record.name}: said at {place}, not shown"
