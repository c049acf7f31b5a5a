"""Write all that follows from the heuristics' pages and the installed PEFT.

    make renew

These are the lists of pages by category, the index in Markdown, where each heuristic
shows (`heuristics/reach.txt`), and which releases have what is quoted. Says
what changed, what a reader of the change might ask, and what of PEFT is new and not in
the reference.
"""

from __future__ import annotations

import contextlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sphinxext_heuristics.api import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "heuristics"
PREFIX = "huggingface_peft_"
REACH = PAGES / "reach.txt"
RELEASES = PAGES / "releases.json"

#: The commands that write the rest, in this order.
COMMANDS = (
    ("sphinxext_heuristics", "index"),
    ("sphinxext_heuristics", "reach"),
    ("sphinxext_heuristics.releases",),
)
#: Where they read the documentation from, once.
READ = ("docs", "-d", "docs/_build/doctrees")

#: A call → those that do the same, and are easily forgotten.
ALIKE = {
    "peft.PeftModel.load_adapter": (
        "peft.set_peft_model_state_dict",
        "peft.PeftMixedModel.load_adapter",
        "peft.utils.hotswap.hotswap_adapter",
    ),
    "peft.get_peft_model": ("peft.inject_adapter_in_model",),
}

#: How many names a line of the report has.
NAMED = 4
#: How many heuristics an entry that came or went has to be told once.
SEVERAL = 3

#: The list of pages in that of a category.
_LIST = re.compile(rf"(?<=^:hidden:\n\n)(?:\.\./{PREFIX}\w+\n)*", re.MULTILINE)
_OPTION = re.compile(r"^:?(category|severity|weight): *(.*)$", re.MULTILINE)

#: What a directive of the reference documents.
_DOCUMENTED = re.compile(r"^\.\. auto\w+:: ([\w.]+)", re.MULTILINE)

#: Heuristic → the API entries that show it.
Shown = dict[str, set[str]]


def options(page: str) -> dict[str, str]:
    """Return the category, severity and weight that a page gives."""
    head = page.partition("\n\n")[0]
    return dict(_OPTION.findall(head))


def listed(categories: dict[str, str], pages: dict[str, str]) -> dict[str, str]:
    """Return the pages of the categories, each with its list of heuristics.

    Parameters
    ----------
    categories
        Category → text of its page.
    pages
        Docname → text of each heuristic's page, which is listed in its first category.

    """
    groups: dict[str, list[str]] = {name: [] for name in categories}
    keys = {}
    for docname, text in pages.items():
        its = options(text)
        severity = its.get("severity", "tip")
        is_danger = severity == "danger"
        weight = int(its.get("weight") or 0)
        gravity = SEVERITIES.index(severity)
        keys[docname] = (not is_danger, -weight, -gravity, docname)
        category = its.get("category", "").partition(",")[0].strip()
        if category not in groups:
            message = f"{docname}: {category!r} has no page in a folder of heuristics"
            raise SystemExit(message)
        groups[category].append(docname)
    found = {}
    for category, text in categories.items():
        names = sorted(groups[category], key=keys.__getitem__)
        lines = "".join(f"../{name}\n" for name in names)
        found[category] = _LIST.sub(lines, text, count=1)
    return found


def shown(reach: str, which: str = "") -> Shown:
    """Return where each heuristic shows, from the text of the reach file.

    With ``"not "``, return the entries that have the name of a target, are other
    objects and do not show it.
    """
    found: Shown = {}
    for line in reach.splitlines():
        if not line.startswith("#") and line.startswith("not ") == bool(which):
            name, entry = line.removeprefix(which).split()
            found.setdefault(name, set()).add(entry)
    return found


def some(entries: set[str]) -> str:
    """Return the first entries, and how many more there are."""
    first = sorted(entries, key=lambda it: (it.count("."), it))
    text = ", ".join(first[:NAMED])
    return f"{text} and {len(first) - NAMED} more" if len(first) > NAMED else text


def by_entry(shown: Shown) -> Shown:
    """Return which heuristics each API entry shows, members with their class."""
    found: Shown = {}
    for name, entries in shown.items():
        for entry in entries:
            *path, last = entry.split(".")
            is_member = path[-1][0].isupper() and last[0].islower()
            found.setdefault(".".join(path) if is_member else entry, set()).add(name)
    return found


def what_changed(before: Shown, after: Shown) -> Iterator[str]:
    """Yield a line on each heuristic that shows elsewhere than before.

    An entry that came or went with several heuristics is one line, as a release of PEFT
    adds and removes classes.
    """
    old_entries, new_entries = by_entry(before), by_entry(after)
    told = []
    for what, here, there in (
        ("new", new_entries, old_entries),
        ("gone", old_entries, new_entries),
    ):
        for entry in sorted(here.keys() - there.keys()):
            if len(here[entry]) >= SEVERAL:
                told.append(entry)
                names = some(here[entry])
                yield f"{entry} is {what}: {len(here[entry])} heuristics: {names}"
    for name in sorted({*before, *after}):
        old, new = before.get(name, set()), after.get(name, set())
        changed = {
            entry
            for entry in old ^ new
            if not any(f"{entry}.".startswith(f"{one}.") for one in told)
        }
        if not changed:
            continue
        number = "1 entry" if len(new) == 1 else f"{len(new)} entries"
        line = f"{name}: now shown at {number}"
        if came := changed & new:
            line += f"; new: {some(came)}"
        if went := changed & old:
            line += f"; no longer: {some(went)}"
        yield line
        yield from asked(name, new, changed)


def asked(name: str, entries: set[str], changed: set[str]) -> Iterator[str]:
    """Yield what to think about: a call that does the same as one that shows it."""
    for call, alike in ALIKE.items():
        missing = [other for other in alike if other not in entries]
        if call in entries and missing and changed.intersection([call, *alike]):
            others = ", ".join(missing)
            yield f"{name}: shown at {call}, not at {others}: is that meant?"


def namesakes(before: Shown, after: Shown) -> Iterator[str]:
    """Yield a line on entries that have the name of a target and do not show it."""
    for name, entries in sorted(after.items()):
        if new := entries - before.get(name, set()):
            line = f"{name}: not shown at {some(new)}, of the same name"
            yield f"{line}: name them in impl if it holds there"


def releases(text: str) -> dict[str, dict[str, str]]:
    """Return heuristic → release → whether its quotes held there."""
    found = json.loads(text)["heuristics"]
    return {name: its["releases"] for name, its in found.items()}


def what_drifted(before: str, after: str) -> Iterator[str]:
    """Yield a line on each heuristic whose quotes are in other releases than before."""
    old = releases(before)
    for name, its in releases(after).items():
        if its == old.get(name):
            continue
        held = [release for release, verdict in its.items() if verdict == "held"]
        yield f"{name}: what it quotes is in {', '.join(held) or 'no release'}"


def undocumented() -> Iterator[str]:
    """Yield a line on each public class and function that is not in the reference."""
    import peft  # noqa: PLC0415 - some seconds, and PyTorch, which no other part needs

    known = []
    for page in ROOT.glob("docs/reference/**/*.md"):
        for name in _DOCUMENTED.findall(page.read_text(encoding="utf-8")):
            # the build warns of what is gone
            with contextlib.suppress(AttributeError, ImportError):
                known.append(pkgutil.resolve_name(name))
    for name in peft.__all__:
        if callable(its := getattr(peft, name)) and its not in known:
            yield f"peft.{name} is in no page of docs/reference"


def texts() -> dict[str, str]:
    """Return docname → text of each heuristic's page."""
    paths = sorted(PAGES.glob(f"{PREFIX}*.md"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def title(text: str) -> str:
    """Return the title of a page."""
    return text.partition("\n")[0].removeprefix("# ")


def main() -> int:
    """Write the files and say what changed; return the exit code of what failed.

    What is stale is written, so that its warnings are not shown.
    """
    lists = sorted(PAGES.glob("*/index.md"))
    before = {path: path.read_text("utf-8") for path in (*lists, REACH, RELEASES)}
    categories = {title(before[path]): before[path] for path in lists}
    renewed = listed(categories, texts())
    for path in lists:
        path.write_text(renewed[title(before[path])], encoding="utf-8")
    for command in COMMANDS:
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, "-m", *command, *READ],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        if done.returncode:
            sys.stderr.write(done.stderr)
            return done.returncode
    after = {path: path.read_text("utf-8") for path in before}
    said = [
        *what_changed(shown(before[REACH]), shown(after[REACH])),
        *namesakes(*(shown(it[REACH], "not ") for it in (before, after))),
        *what_drifted(before[RELEASES], after[RELEASES]),
        *undocumented(),
    ]
    changed = [path for path in lists if before[path] != after[path]]
    said += [f"{path.relative_to(ROOT)}: the list of pages" for path in changed]
    sys.stdout.write("".join(f"{line}\n" for line in said or ["nothing changed"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
