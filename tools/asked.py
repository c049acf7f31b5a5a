"""Report how the box of PEFT's site answers, before and after a change.

    python tools/asked.py
    python tools/asked.py --before main --data-before OTHER/_static/heuristics-texts.js

It builds nothing: `make html` writes the data that it reads. The script as it is here
is compared with that of a commit, the last one unless --before names another, on the
same data unless --data-before names others. What counts is the place of the first
answer that a row wants. Known are rows with such an answer that is known to fit,
wrongly those of which only others are. Texts about something else want no answer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from asking import DATA, SCRIPT, Box

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PREFIX = "huggingface_peft_"
KINDS = ("pasted", "question", "thread", "words", "title", "something else")
HEADS = ("asked", "first", "in 3", "in 7", "known", "wrongly", "nothing")
#: The places that are told apart: what is between them is no win and no loss.
PLACES = (1, 3, 7)
NOWHERE = 8


class Row(NamedTuple):
    """What a reader asked."""

    kind: str
    text: str
    #: The names of what answers it, as :func:`name_of` gives them.
    wanted: frozenset[str]


class Result(NamedTuple):
    """How it was answered."""

    place: int
    is_known: bool
    is_wrong: bool
    count: int

    def good(self, row: Row) -> tuple[bool, int]:
        """Return what is greater for a better answer."""
        if not row.wanted:
            return not self.is_wrong, -self.count
        return not self.is_wrong, -next((it for it in PLACES if self.place <= it), 8)

    def __str__(self) -> str:
        """Return it in words."""
        place = f"{self.count} others" if self.place == NOWHERE else f"{self.place}."
        known = ", wrongly known" if self.is_wrong else ", known" * self.is_known
        return place + known


def name_of(uri: str) -> str:
    """Return the name by which rows want a heuristic, or a section of a page."""
    page, _, anchor = uri.partition("#")
    docname = page.removesuffix(".html")
    _, prefix, name = docname.partition(PREFIX)
    return name if prefix else f"{docname}#{anchor}"


def load(name: str) -> Any:  # noqa: ANN401 - JSON
    """Return a file of what readers asked."""
    return json.loads((ROOT / "tests/peft" / name).read_text(encoding="utf-8"))


def rows(items: list[dict[str, Any]]) -> Iterator[Row]:
    """Yield what is asked of a site with these items."""
    asked, search = load("asked.json"), load("search.json")
    for row in (*asked["tuned"], *asked["kept"]):
        kind = row["kind"] if row["answers"] else "something else"
        yield Row(kind, row["text"], frozenset(row["answers"]))
    for row in search["pasted"]:
        kind = "pasted" if row["heuristics"] else "something else"
        yield Row(kind, row["text"], frozenset(row["heuristics"]))
    for thread in (*load("threads.json")["threads"], *load("drawn.json")["threads"]):
        if thread["by"]:
            yield Row("thread", thread["title"], frozenset(thread["by"]))
    first = {words: [name] for words, name in search["first"].items()}
    for words, names in (search["words"] | first).items():
        yield Row("words", words, frozenset(names))
    titled: dict[str, set[str]] = {}
    for item in items:
        titled.setdefault(item["title"], set()).add(name_of(item["uri"]))
    for title, names in titled.items():
        yield Row("title", title, frozenset(names))


def result(box: Box, row: Row) -> Result:
    """Return how a box answers a row."""
    answers = box.ask(row.text)
    # a page is named without its first section, too
    names = [name_of(answer.uri) for answer in answers]
    right = [
        not row.wanted.isdisjoint((name, name.partition("#")[0])) for name in names
    ]
    known = [it for answer, it in zip(answers, right, strict=True) if answer.is_known]
    return Result(
        place=right.index(True) + 1 if any(right) else NOWHERE,
        is_known=any(known),
        is_wrong=bool(known) and not any(known),
        count=len(answers),
    )


def counted(results: list[Result]) -> list[int]:
    """Return the numbers of a kind, in the order of the heads."""
    places = Counter(it for one in results for it in PLACES if one.place <= it)
    return [
        len(results),
        *(places[it] for it in PLACES),
        sum(one.is_known for one in results),
        sum(one.is_wrong for one in results),
        sum(not one.count for one in results),
    ]


def table(asked: list[Row], now: list[Result], before: list[Result]) -> Iterator[str]:
    """Yield the lines of a table by kind; what has changed is beside what it was."""
    yield f"{'':16}" + "".join(f"{head:>12}" for head in HEADS)
    for kind in KINDS:
        of_it = [at for at, row in enumerate(asked) if row.kind == kind]
        counts = counted([now[at] for at in of_it])
        were = counted([before[at] for at in of_it])
        cells = (
            str(it) if it == was else f"{was} → {it}"
            for it, was in zip(counts, were, strict=True)
        )
        yield f"{kind:16}" + "".join(f"{cell:>12}" for cell in cells)


def changes(asked: list[Row], now: list[Result], before: list[Result]) -> Iterator[str]:
    """Yield what is won and what is lost, by kind."""
    for sign in (1, -1):
        for row, it, was in zip(asked, now, before, strict=True):
            better, worse = it.good(row), was.good(row)
            if better != worse and (better > worse) == (sign > 0):
                text = " ".join(row.text.split())
                word = "won" if sign > 0 else "lost"
                yield f"{word}, {row.kind}: {was} → {it}: {text[-100:]}"


def main() -> None:
    """Print the report."""
    built = ROOT / "docs/_build/html" / DATA
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, default=built, help="what answers")
    parser.add_argument("--before", default="HEAD", help="a commit, for its script")
    parser.add_argument("--data-before", type=Path, help="what answered before")
    given = parser.parse_args()
    if not given.data.is_file():
        sys.exit(f"{given.data} is not there: run make html")
    show = ["git", "show", f"{given.before}:{SCRIPT.relative_to(ROOT)}"]
    script = subprocess.run(show, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - git
    data = given.data.read_text(encoding="utf-8")
    data_before = (given.data_before or given.data).read_text(encoding="utf-8")
    with Box(data) as box:
        asked = list(rows(box.items()))
        now = [result(box, row) for row in asked]
    with Box(data_before, script.stdout) as box:
        before = [result(box, row) for row in asked]
    print(*table(asked, now, before), *changes(asked, now, before), sep="\n")


if __name__ == "__main__":
    main()
