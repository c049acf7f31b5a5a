"""The projects of the benchmark: one set of heuristics, written by hand and for this extension.

A project is plain data, drawn from one seed. Both forms of it are pages in Markdown with
the same words: entries of Python functions without autodoc, pages of heuristics, and an
index of all heuristics.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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

#: All heuristics are open in their entry, in both forms.
CONF = """\
project = "Benchmark"
extensions = {extensions}
html_theme = "basic"
myst_enable_extensions = ["colon_fence", "fieldlist"]
heuristics_dir = None
heuristics_max_shown = 1000
heuristics_categories = {categories}
"""
ENTRY = """\
````{{py:function}} {function}(first, second=None)
Return the {what} of the {whose}.

{shown}The first argument is what is worked on. The second one may be left out.
````"""
#: What is in an entry, by hand.
SHOWN = """\
:::{{admonition}} {one.word}: {{ref}}`{one.title} <{one.anchor}>`
:class: {one.severity}

{one.note}
:::

"""
BY_HAND = """\
:::{{admonition}} {one.title}
:name: {one.anchor}
:class: {one.severity}

{one.note}

{one.word} · {one.category} · Applies to: {targets}

{one.body}
{shown}:::"""
OURS = """\
```{{heuristic}} Advice_{one.number:05}
:title: {one.title}
:note: {one.note}
:impl: {targets}
:category: {one.category}
:severity: {one.severity}

{one.body}
```"""
ROW = (
    "| {{ref}}`{one.title} <{one.anchor}>` {one.note} {one.word} {one.category} "
    "| Connections ({number}) {targets} |\n"
)
INDEX_BY_HAND = """\
| Heuristic | Connections |
| --- | --- |
{rows}
```{{rubric}} Categories
```

| Category | Count | Description |
| --- | --- | --- |
{counts}"""
INDEX_OURS = "```{heuristic-index}\n```"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heuristic:
    """What a heuristic says, and the numbers of the entries that it is about."""

    number: int
    title: str
    note: str
    body: str
    severity: str
    category: str
    entries: tuple[int, ...]

    @property
    def word(self) -> str:
        """What readers see of its severity."""
        return self.severity.capitalize()

    @property
    def anchor(self) -> str:
        """Its id on its page."""
        return f"heuristic-advice-{self.number:05}"

    @property
    def rank(self) -> int:
        """The most severe are first."""
        return SEVERITIES.index(self.severity)


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


def make(heuristics: int, entries: int, *, index: bool = True) -> Project:
    """Return a project of so many heuristics and entries."""
    rng = random.Random(SEED)  # noqa: S311 - the same projects each time

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
        heuristics=tuple(map(heuristic, range(heuristics))),
        entries=entries,
        index=index,
    )


def edit(project: Project, turn: int) -> Project:
    """Return the project with one note edited, another one in each turn."""
    rng = random.Random(f"{SEED} note {turn}")  # noqa: S311 - the same edits each time
    heuristics = list(project.heuristics)
    at = rng.randrange(len(heuristics))
    note = f"{heuristics[at].note}, then {sentence(rng, 3).lower()}"
    heuristics[at] = replace(heuristics[at], note=note)
    return replace(project, heuristics=tuple(heuristics))


def function(entry: int) -> str:
    """Return the full name of an entry's function."""
    return f"package.module_{entry // ENTRIES_A_PAGE:03}.function_{entry:04}"


def links(entries: Iterable[int]) -> list[str]:
    """Return a link to each entry."""
    return [f"{{py:obj}}`{function(entry)}`" for entry in entries]


def pages(form: str, project: Project) -> dict[str, str]:
    """Return the path → text of all files of a form, ``hand`` or ``ours``."""
    return _by_hand(project) if form == "hand" else _ours(project)


def _by_hand(project: Project) -> dict[str, str]:
    boxes = dict.fromkeys(range(project.entries), "")
    for one in sorted(project.heuristics, key=lambda one: one.rank):
        for entry in one.entries:
            boxes[entry] += SHOWN.format(one=one)

    def defined(one: Heuristic) -> str:
        targets = ", ".join(links(one.entries))
        # The line of facts names up to three.
        shown = ""
        if len(one.entries) > 3:
            shown = f"\n:Shown in: {', '.join(links(sorted(one.entries)))}\n"
        return BY_HAND.format(one=one, targets=targets, shown=shown)

    rows = [
        ROW.format(
            one=one, number=len(one.entries), targets=" ".join(links(one.entries))
        )
        for one in sorted(project.heuristics, key=lambda one: (one.rank, one.title))
    ]
    used = [one.category for one in project.heuristics]
    counts = [
        f"| {name} | {used.count(name)} | {about} |"
        for name, about in CATEGORIES.items()
    ]
    index = INDEX_BY_HAND.format(rows="".join(rows), counts="\n".join(counts))
    return _pages(project, ["myst_parser"], boxes.__getitem__, defined, index)


def _ours(project: Project) -> dict[str, str]:
    def defined(one: Heuristic) -> str:
        return OURS.format(one=one, targets=", ".join(map(function, one.entries)))

    extensions = ["myst_parser", "sphinxext_heuristics"]
    return _pages(project, extensions, lambda _entry: "", defined, INDEX_OURS)


def _pages(
    project: Project,
    extensions: list[str],
    shown: Callable[[int], str],
    defined: Callable[[Heuristic], str],
    index: str,
) -> dict[str, str]:
    """Return the files of a form: what it shows in an entry, how it defines a heuristic, and its index."""
    files: dict[str, str] = {}

    def add(name: str, title: str, text: str) -> None:
        files[name] = files.get(name, f"# {title}\n") + f"\n{text}\n"

    for entry in range(project.entries):
        number = entry // ENTRIES_A_PAGE
        text = ENTRY.format(
            function=function(entry),
            what=WORDS[entry % len(WORDS)],
            whose=WORDS[entry // 7 % len(WORDS)],
            shown=shown(entry),
        )
        add(f"api/module_{number:03}.md", f"Module {number}", text)
    for one in project.heuristics:
        number = one.number // HEURISTICS_A_PAGE
        add(f"advice/page_{number:03}.md", f"Heuristics {number}", defined(one))
    if project.index:
        add("list.md", "All heuristics", index)
    toctree = "\n".join(name.removesuffix(".md") for name in files)
    add("index.md", "Benchmark", f"```{{toctree}}\n:maxdepth: 1\n\n{toctree}\n```")
    files["conf.py"] = CONF.format(extensions=extensions, categories=CATEGORIES)
    return files
