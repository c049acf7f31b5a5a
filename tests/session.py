"""A session: what somebody does with a project, step by step, and what each step shows.

A file of `cases/sessions` is read as a case is. The sections before the first step are
the project. Then a section is a step, or a file that is written at this point:

``=== $ build BUILDER OPTION…``
    builds, and shows the warnings;
``=== $ clean BUILDER OPTION…``
    builds all anew, and shows what differs from the last build;
``=== $ COMMAND ARGUMENT…``
    runs a command, in the folder above ``src``;
``=== show FILE``
    shows a file;
``=== show FILE: SELECTOR | FORMAT``
    shows a line for each element of a page: ``{text}``, ``{name}`` and attributes;
``=== edit FILE``
    replaces the lines after ``-`` by those after ``+``, or adds lines at the end;
``=== remove FILE``
    deletes a file, or a folder;
``=== written``
    shows the pages and doctrees that the last build wrote.

What a step shows is the text of its section. Of a command it is stdout, then each line of
stderr after ``!``, and an exit status but 0 in brackets. ``[…]`` stands for anything in its
line; a line of nothing else for any lines, and ``! […]`` for any lines of stderr.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup
from commands import Ran, run
from conftest import SECTION, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = ("$ ", "show ", "edit ", "remove ", "written")


class Session:
    """A project, and the steps that follow."""

    def __init__(self, path: Path, root: Path) -> None:
        """Read a session, and write its project."""
        _about, *parts = SECTION.split(path.read_text(encoding="utf-8"))
        texts = (text.rstrip() + "\n" for text in parts[1::2])
        self.steps = list(zip(parts[::2], texts, strict=True))
        self.files: dict[str, str] = {}
        while self.steps and not self.steps[0][0].startswith(STEPS):
            name, text = self.steps.pop(0)
            self.files[name] = text
        self.root = root
        self.project = Project(root, self.files)
        self.said = ""
        self.times: set[tuple[str, int]] = set()

    def play(self) -> Iterator[tuple[str, str, str]]:
        """Do all steps; yield of each its name, what it must show, and what it shows."""
        with contextlib.chdir(self.root):
            for head, text in self.steps:
                shown = self.do(head, text)
                if shown is not None:
                    shown = shown.replace(str(self.project.src), "<src>")
                    yield (
                        head,
                        text.rstrip(),
                        shown.replace(str(self.root), "<root>").rstrip(),
                    )

    def do(self, head: str, text: str) -> str | None:
        """Do a step; return what it shows."""
        verb, _space, rest = head.partition(" ")
        match verb:
            case "$":
                return self.command(*shlex.split(rest))
            case "show":
                return self.show(rest)
            case "edit":
                self.edit(rest, text)
            case "remove":
                path = self.project.src / rest
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            case "written":
                written = self.times_of_pages() - self.times
                return "\n".join(sorted(name for name, _time in written))
            case _:
                self.project.write({head: text})
        return None

    def command(self, name: str, *arguments: str) -> str:
        if name == "clean":
            return "\n".join(self.differing(*arguments))
        if name == "build":
            builder, *options = arguments
            self.times = self.times_of_pages()
            built = self.project.build(builder, *options, out=builder)
            self.said = built.stderr
            return f"{built.stderr}\n{f'[{built.status}]' if built.status else ''}"
        modules = set(sys.modules)
        ran = run(name, *arguments)
        self.project.forget(modules)
        return shown_of(ran)

    def times_of_pages(self) -> set[tuple[str, int]]:
        """Return the pages and doctrees, each with the time at which it was written."""
        return {
            (str(path.relative_to(self.root)), path.stat().st_mtime_ns)
            for path in self.root.rglob("*.*")
            if path.suffix in {".doctree", ".html"}
        }

    def differing(self, builder: str, *options: str) -> Iterator[str]:
        """Build all anew; yield what differs from the last build."""
        clean = self.project.build(builder, "-E", *options, out=f"clean-{builder}")
        if sorted(clean.stderr.splitlines()) != sorted(self.said.splitlines()):
            yield f"warnings differ: {clean.stderr}"
        for path in sorted(clean.out.rglob("*.html" if "html" in builder else "*.txt")):
            name = path.relative_to(clean.out)
            if body_of(path) != body_of(self.root / builder / name):
                yield f"{name} differs"

    def show(self, what: str) -> str:
        name, _colon, query = what.partition(": ")
        text = (self.root / name).read_text(encoding="utf-8")
        if not query:
            return text
        selector, _bar, form = query.partition(" | ")
        lines = []
        for tag in BeautifulSoup(
            text, "html.parser", multi_valued_attributes=None
        ).select(selector):
            words = " ".join(tag.get_text().replace("¶", "").split())
            fields = defaultdict(str, tag.attrs, name=tag.name, text=words)
            lines.append((form or "{text}").format_map(fields))
        return "\n".join(lines)

    def edit(self, name: str, changes: str) -> None:
        path = self.project.src / name
        text = path.read_text(encoding="utf-8")
        lines = changes.splitlines(keepends=True)
        old, new = (
            "".join(line[1:] for line in lines if line[0] == sign) for sign in "-+"
        )
        assert old in text, f"{name} has no {old}"
        path.write_text(text.replace(old, new, 1) if old else text + new, "utf-8")


def shown_of(ran: Ran) -> str:
    """Return what a command gave, as one text."""
    errors = "".join(f"! {line}\n" for line in ran.stderr.splitlines())
    return f"{ran.stdout}{errors}{f'[{ran.status}]' if ran.status else ''}"


def body_of(path: Path) -> str:
    """Return a page without its links to the next one, which Sphinx does not renew."""
    text = path.read_text(encoding="utf-8")
    body = BeautifulSoup(text, "html.parser").select_one("div.body")
    return str(body or text)


def check(path: Path, root: Path) -> None:
    """Play a session, each step of which must show what its file says."""
    for step, expected, shown in Session(path, root).play():
        if not fits(shown, expected):
            assert shown == expected, step


def fits(shown: str, expected: str) -> bool:
    """Return whether a text is the expected one, in which ``[…]`` is anything, as above."""
    pattern = ""
    for line in expected.split("\n"):
        if line in {"[…]", "! […]"}:
            pattern += rf"(?:{line[:-3]}.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.split("[…]"))) + r"\n"
    return bool(re.fullmatch(pattern, f"{shown}\n"))
