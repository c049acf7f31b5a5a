"""The projects of the benchmark: one set of heuristics, written by hand, for this extension, and for sphinx-needs.

A project is plain data, drawn from one seed. Each form of it is pages in Markdown with
the same words: entries of Python functions without autodoc, pages of heuristics, and an
index of all heuristics.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SEED = 20261125
ENTRIES_A_PAGE = 20
HEURISTICS_A_PAGE = 50
ENTRIES_OF_A_HEURISTIC = 2

#: From the most severe, as an entry shows them.
SEVERITIES = ("danger", "caution", "warning", "important", "note", "tip")
CATEGORIES = {
    "Memory": "What is held, and for how long",
    "Speed": "What is slow, and what to do instead",
    "Files": "Reading, writing and closing them",
    "Network": "Timeouts, retries and proxies",
    "Threads": "Locks, queues and pools",
    "Text": "Encodings and line ends",
}
_WORDS = """
adapter base batch buffer cache call check close config connection copy default device error file flag format
gradient handle head hook index input key layer length limit lock loss merge message method model module name
object option order output page path pool queue rank result scale schema session shape size source state step
stream table target tensor test thread timeout token tree type update value vector version weight worker
"""
_VERBS = "avoid check close compare copy flush keep load lock merge open pass read reset save set test wait"
WORDS, VERBS = _WORDS.split(), _VERBS.split()

CONF = """\
project = "Benchmark"
extensions = {extensions}
html_theme = "basic"
myst_enable_extensions = ["colon_fence", "fieldlist"]
"""
#: All are open in their entry, in both forms.
CONF_OURS = """\
heuristics_dir = None
heuristics_max_shown = 1000
heuristics_categories = {categories}
"""
CONF_NEEDS = """\
needs_types = [
    {"directive": "entry", "title": "Entry", "prefix": "E_", "color": "#ffffff", "style": "node"},
    {"directive": "advice", "title": "Heuristic", "prefix": "H_", "color": "#ffffff", "style": "node"},
]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heuristic:
    """What a heuristic says, and the numbers of the entries that it is about."""

    #: It stays the same, whatever is edited.
    number: int
    title: str
    note: str
    body: str
    severity: str
    category: str
    entries: tuple[int, ...]

    @property
    def name(self) -> str:
        """Its name, for this extension."""
        return f"Advice_{self.number:05}"

    @property
    def anchor(self) -> str:
        """Its id on its page."""
        return f"heuristic-advice-{self.number:05}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Heuristics, and how many entries there are."""

    heuristics: tuple[Heuristic, ...]
    entries: int
    #: Whether there is a page that lists all heuristics.
    index: bool = True


def sentence(rng: random.Random, length: int) -> str:
    """Return words that begin as a sentence does."""
    return " ".join([rng.choice(VERBS), *rng.choices(WORDS, k=length - 1)]).capitalize()


def make(
    heuristics: int, entries: int, *, index: bool = True, seed: int = SEED
) -> Project:
    """Return a project of so many heuristics and entries."""
    rng = random.Random(seed)  # noqa: S311 - the same projects each time

    def heuristic(number: int) -> Heuristic:
        return Heuristic(
            number=number,
            title=f"{sentence(rng, 5)} {number}",
            note=f"{sentence(rng, 7)} with `{rng.choice(WORDS)}={number}` for the {rng.choice(WORDS)}",
            body=" ".join(f"{sentence(rng, 12)}." for _ in range(3)),
            severity=rng.choice(SEVERITIES),
            category=rng.choice(list(CATEGORIES)),
            entries=tuple(rng.sample(range(entries), ENTRIES_OF_A_HEURISTIC)),
        )

    return Project(
        heuristics=tuple(heuristic(number) for number in range(heuristics)),
        entries=entries,
        index=index,
    )


# -- edits ----------------------------------------------------------------------------


def _retargeted(
    project: Project, heuristic: Heuristic, rng: random.Random
) -> Heuristic:
    """Move its first entry to another one."""
    others = [
        entry for entry in range(project.entries) if entry not in heuristic.entries
    ]
    return replace(heuristic, entries=(rng.choice(others), *heuristic.entries[1:]))


#: What each edit makes of one heuristic; None is that it goes.
EDITS: dict[str, Callable[[Project, Heuristic, random.Random], Heuristic | None]] = {
    "note": lambda _project, one, rng: replace(
        one, note=f"{one.note}, then {sentence(rng, 3).lower()}"
    ),
    "title": lambda _project, one, rng: replace(
        one, title=f"{one.title} and {sentence(rng, 3).lower()}"
    ),
    "retarget": _retargeted,
    "delete": lambda _project, _one, _rng: None,
}


def edit(project: Project, operation: str, turn: int, seed: int = SEED) -> Project:
    """Return the project after an edit of one heuristic, another one in each turn."""
    rng = random.Random(f"{seed} {operation} {turn}")  # noqa: S311 - the same edits each time
    at = rng.randrange(len(project.heuristics))
    edited = EDITS[operation](project, project.heuristics[at], rng)
    rest = () if edited is None else (edited,)
    return replace(
        project,
        heuristics=(*project.heuristics[:at], *rest, *project.heuristics[at + 1 :]),
    )


# -- what is seen ---------------------------------------------------------------------

#: What is seen of a heuristic in an entry: the word for its severity, title, note, and
#: the id that the title links to.
Item = tuple[str, str, str, str]


def function(entry: int) -> str:
    """Return the full name of an entry's function."""
    return f"package.module_{entry // ENTRIES_A_PAGE:03}.function_{entry:04}"


def by_entry(project: Project) -> dict[int, list[Heuristic]]:
    """Return each entry's heuristics, the most severe first."""
    found: dict[int, list[Heuristic]] = {entry: [] for entry in range(project.entries)}
    for heuristic in project.heuristics:
        for entry in heuristic.entries:
            found[entry].append(heuristic)
    for heuristics in found.values():
        heuristics.sort(key=order)
    return found


def order(one: Heuristic) -> tuple[int, int]:
    """Return what heuristics are sorted by: the most severe first."""
    return SEVERITIES.index(one.severity), one.number


def expected(project: Project) -> dict[str, set[Item]]:
    """Return what readers must see at each function."""
    return {
        function(entry): {
            (
                one.severity.capitalize(),
                one.title,
                one.note.replace("`", ""),
                one.anchor,
            )
            for one in heuristics
        }
        for entry, heuristics in by_entry(project).items()
    }


# -- pages ----------------------------------------------------------------------------


def pages(form: str, project: Project) -> dict[str, str]:
    """Return the path → text of all files of a form of a project."""
    return {"hand": _by_hand, "ours": _ours, "needs": _needs}[form](project)


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files that are not there as they are."""
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _page(title: str, parts: Iterable[str]) -> str:
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def _pages(
    project: Project,
    conf: str,
    shown: Callable[[int], str],
    defined: Callable[[Heuristic], str],
    index: list[str],
) -> dict[str, str]:
    """Return the files of a form: what it shows in an entry, how it defines a heuristic, and its index."""
    files: dict[str, str] = {}
    for first in range(0, project.entries, ENTRIES_A_PAGE):
        entries = range(first, min(first + ENTRIES_A_PAGE, project.entries))
        number = first // ENTRIES_A_PAGE
        files[f"api/module_{number:03}.md"] = _page(
            f"Module {number}", (_entry(one, shown(one)) for one in entries)
        )
    by_page: dict[int, list[str]] = {}
    for heuristic in project.heuristics:
        by_page.setdefault(heuristic.number // HEURISTICS_A_PAGE, []).append(
            defined(heuristic)
        )
    for number, definitions in by_page.items():
        files[f"advice/page_{number:03}.md"] = _page(
            f"Heuristics {number}", definitions
        )
    if project.index:
        files["list.md"] = _page("All heuristics", index)
    toctree = "\n".join(name.removesuffix(".md") for name in files)
    files["index.md"] = _page(
        "Benchmark", [f"```{{toctree}}\n:maxdepth: 1\n\n{toctree}\n```"]
    )
    files["conf.py"] = conf
    return files


def _entry(entry: int, shown: str) -> str:
    """Return a function's entry: a summary, what a form shows, and more text."""
    parts = [
        f"````{{py:function}} {function(entry)}(first, second=None)",
        f"Return the {WORDS[entry % len(WORDS)]} of the {WORDS[entry // 7 % len(WORDS)]}.\n",
        *([f"{shown}\n"] if shown else []),
        "The first argument is what is worked on. The second one may be left out.",
        "````",
    ]
    return "\n".join(parts)


def _by_hand(project: Project) -> dict[str, str]:
    found = by_entry(project)

    def shown(entry: int) -> str:
        return "\n\n".join(
            f":::{{admonition}} {one.severity.capitalize()}: {{ref}}`{one.title} <{one.anchor}>`\n"
            f":class: {one.severity}\n\n{one.note}\n:::"
            for one in found[entry]
        )

    def links(entries: Iterable[int]) -> list[str]:
        return [f"{{py:obj}}`{function(entry)}`" for entry in entries]

    def defined(one: Heuristic) -> str:
        return (
            f":::{{admonition}} {one.title}\n:name: {one.anchor}\n:class: {one.severity}\n\n{one.note}\n\n"
            f"{one.severity.capitalize()} · {one.category} · "
            f"Applies to: {', '.join(links(one.entries))}\n\n{one.body}\n\n"
            f":Shown in: {', '.join(links(sorted(one.entries)))}\n:::"
        )

    listed = sorted(project.heuristics, key=lambda one: (order(one)[0], one.title))
    rows = [
        f"| {{ref}}`{one.title} <{one.anchor}>` {one.severity.capitalize()} {one.category} "
        f"| {' '.join(links(one.entries))} | {one.note} |"
        for one in listed
    ]
    counts = [
        f"| {name} | {sum(one.category == name for one in project.heuristics)} | {about} |"
        for name, about in CATEGORIES.items()
    ]
    index = [
        "\n".join(["| Heuristic | Connections | Note |", "| --- | --- | --- |", *rows]),
        "```{rubric} Categories\n```",
        "\n".join(
            ["| Category | Count | Description |", "| --- | --- | --- |", *counts]
        ),
    ]
    return _pages(
        project, CONF.format(extensions=["myst_parser"]), shown, defined, index
    )


def _ours(project: Project) -> dict[str, str]:
    conf = CONF.format(extensions=["myst_parser", "sphinxext_heuristics"])
    conf += CONF_OURS.format(categories=CATEGORIES)

    def defined(one: Heuristic) -> str:
        return (
            f"```{{heuristic}} {one.name}\n:title: {one.title}\n:note: {one.note}\n"
            f":impl: {', '.join(map(function, one.entries))}\n:category: {one.category}\n"
            f":severity: {one.severity}\n\n{one.body}\n```"
        )

    return _pages(
        project, conf, lambda _entry: "", defined, ["```{heuristic-index}\n```"]
    )


def _needs(project: Project) -> dict[str, str]:
    """Return pages for sphinx-needs: an entry's need shows the ids of the heuristics that link to it."""

    def shown(entry: int) -> str:
        return f"```{{entry}} {function(entry)}\n:id: E_{entry:05}\n```"

    def defined(one: Heuristic) -> str:
        return (
            f"```{{advice}} {one.title}\n:id: H_{one.number:05}\n:tags: {one.severity}, {one.category}\n"
            f":links: {', '.join(f'E_{entry:05}' for entry in one.entries)}\n\n{one.note}\n\n{one.body}\n```"
        )

    index = [
        "```{needtable}\n:types: advice\n:columns: id, title, tags, outgoing\n:style: table\n```"
    ]
    return _pages(
        project,
        CONF.format(extensions=["myst_parser", "sphinx_needs"]) + CONF_NEEDS,
        shown,
        defined,
        index,
    )
