"""What the hook exports: its two files, what is left out, and how files differ."""

from __future__ import annotations

import inspect
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import hook_code
from .built import HookError
from .cards import MAX_SHOWN, AlertPlace, decide
from .objects import import_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .cards import Decision, Json
    from .selection import Selection

#: The names of the files in doc-builder's folder.
CODE, DATA = "_heuristics.py", "_heuristics.json"


class Finding(NamedTuple):
    """A problem, as it is printed."""

    #: The object that `impl` or `except` names, or ``""``.
    target: str
    line: str


@dataclass
class Export:
    """What is exported of the heuristics, for the package that is installed."""

    #: The package and its version.
    release: str
    #: Heuristic → what the package lacks, for which it is left out.
    left_out: dict[str, str]
    #: Heuristic, or file of what belongs to none → its problems.
    problems: dict[str, list[Finding]]
    decision: Decision
    selection: Selection

    @property
    def files(self) -> dict[str, str]:
        """The texts of the two files. The code comes first: it takes any data."""
        alerts = [
            {"object": name, **alert}
            for name, alerts in self.decision.docstrings.items()
            for alert in alerts
        ]
        text = "[\n" + ",\n".join(map(_json, alerts)) + "\n]\n"
        return {CODE: inspect.getsource(hook_code), DATA: text}

    def summary(self) -> str:
        """Return how many alerts there are."""
        shown, objects = self.decision.shown, self.decision.objects
        docstrings = {objects[name] for name in self.decision.docstrings}
        at_parameters = sum(bool(place.parameter) for place in shown)
        return (
            f"{len(shown)} alerts in {len(docstrings)} docstrings, {at_parameters} of "
            "them at parameters"
        )

    def notes(self) -> Iterator[str]:
        """Yield what is left out, and what else does not fit, by heuristic."""
        for name, lines in self.problems.items():
            lacks = self.left_out.get(name)
            yield f"{name}: left out, {self.release} lacks {lacks}" if lacks else name
            for told in lines:
                yield told.line
        for name, reason in self.decision.left_out.items():
            yield f"{name}: no alert: {reason}"
        yield from self.unselected()

    def unselected(self) -> Iterator[str]:
        """Yield what the selection names in vain, and what it does not know."""
        decision, selection = self.decision, self.selection
        for place, number in selection.lines.items():
            if place not in decision.shown and place.heuristic not in self.left_out:
                reason = self._why_not(place)
                yield f"{selection.file}:{number}: {place}: not shown: {reason}"
        for place in selection.undecided(decision.allowed):
            yield f"{selection.file}: not decided on, and not shown: {place}"

    def _why_not(self, place: AlertPlace) -> str:
        """Return why a place that is selected shows nothing."""
        if place in self.decision.possible:
            return f"a docstring has at most {MAX_SHOWN} alerts"
        if place.object in self.decision.missing:
            return "there is no such object"
        if place.object in self.decision.left_out:
            return self.decision.left_out[place.object]
        elsewhere = [
            it for it in self.decision.possible if it[:2] == (place[0], place[1])
        ]
        if elsewhere and place.parameter:
            return f"the docstring does not describe {place.parameter!r}"
        return "no heuristic of this name is about that"

    def differences(self, old: str) -> Iterator[str]:
        """Yield how the data differ from an older text of them, by heuristic."""
        before, after = self._alerts(old), self._alerts(self.files[DATA])
        found: dict[str, dict[tuple[str, str], list[str]]] = {}
        for place in sorted({*before, *after}):
            texts = before.get(place), after.get(place)
            if texts[0] != texts[1]:
                changes = found.setdefault(place.heuristic, {})
                where = f"parameter {place.parameter} of " if place.parameter else ""
                places = changes.setdefault(self._difference(place, *texts), [])
                places.append(f"{where}{place.object}")
        for heuristic, changes in found.items():
            yield heuristic or "links"
            for (what, more), places in changes.items():
                yield f"  {what} {' and '.join(places)}{more}"
            gone = {it.object for it in before.keys() - after if it[0] == heuristic}
            for told in self.problems.get(heuristic, ()) if gone else ():
                if not told.target or told.target in gone:
                    yield told.line

    def _alerts(self, text: str) -> dict[AlertPlace, str]:
        """Return what a text of the data shows, and where."""
        found = {}
        docstrings = hook_code.read(text, Path(DATA), defaultdict(list))
        for name, alerts in docstrings.items():
            about = self.decision.objects.get(name, name.replace(":", "."))
            for it in alerts:
                heuristic, parameter = (
                    it.get("heuristic") or "",
                    it.get("parameter") or "",
                )
                found[AlertPlace(str(heuristic), about, str(parameter))] = it.get(
                    "text", ""
                )
        return found

    def _difference(
        self, place: AlertPlace, before: str | None, after: str | None
    ) -> tuple[str, str]:
        """Return what to say before a place, and after it."""
        if after is None:
            return "gone from", self._why_gone(place)
        if before is None:
            return "missing at", self._why_missing(place)
        return "another text at", f"\n    - {_json(before)}\n    + {_json(after)}"

    def _why_missing(self, place: AlertPlace) -> str:
        """Return what to do if an alert was taken out by hand."""
        if place not in self.selection.lines:
            return ""
        line = f"{self.selection.file}:{self.selection.lines[place]}"
        return f"; to leave it out, put # before {line}"

    def _why_gone(self, place: AlertPlace) -> str:
        """Return why a place shows nothing now, ``""`` where the problems say it."""
        if place.heuristic in self.left_out or place.object in self.decision.missing:
            return ""
        if place in self.selection.lines:
            return f": {self._why_not(place)}"
        reason = self.decision.left_out.get(place.object)
        return f": {reason}" if reason else ""


def export(
    data: Json, problems: Sequence[Json], selection: Selection, base_url: str
) -> Export:
    """Return what is exported of the data of the builder ``heuristics``.

    *problems* are those that the version of the package explains. Raises HookError
    where the package cannot be imported.
    """
    package_name = data["package"]["name"]
    try:
        package = import_package(package_name)
    except ImportError as error:
        raise HookError(f"{error}; its docstrings are unknown") from error
    left_out = lacking(data, problems)
    kept = [item for item in data["heuristics"] if item["name"] not in left_out]
    told: dict[str, list[Finding]] = {}
    for problem in sorted(problems, key=lambda it: it["heuristic"] or ""):
        message = problem["message"].partition("\n")[0]
        line = f"  {problem['file']}:{problem['line'] or 0}: {message}"
        is_target = problem["option"] in {"impl", "except"}
        target = problem["value"] or "" if is_target else ""
        name = problem["heuristic"] or problem["file"]
        told.setdefault(name, []).append(Finding(target, line))
    return Export(
        release=f"{package_name} {data['package']['version']}",
        left_out=left_out,
        problems=told,
        decision=decide(kept, package, base_url, selection.chosen),
        selection=selection,
    )


def lacking(data: Json, problems: Iterable[Json]) -> dict[str, str]:
    """Map the heuristics that the installed package contradicts to what it lacks.

    A quote in a part that is collapsed may be lost. The *problems* say what it is.
    """
    without = {
        problem["heuristic"]
        for problem in problems
        if (problem["subtype"], problem["option"]) == ("target", "param")
    }
    found = {}
    for item in data["heuristics"]:
        quotes = [it for it in item["evidence"] if not it["collapsed"]]
        if not item["holds"]:
            continue
        if any(quoted["line"] is None for quoted in quotes):
            found[item["name"]] = "what it quotes"
        elif item["name"] in without:
            found[item["name"]] = "its parameter"
    return found


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
