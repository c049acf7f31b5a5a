"""Looks for API entries that came out wrong: markup that a reader sees as text.

Also a program: ``python tests/docbuilder/audit.py OUT`` audits a built site, exit code
1 if something is found.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What must not stand in the running text of an entry: name → pattern.
DEFECTS = {
    "fence": r"```|~~~",
    "backtick": r"`",
    "tip": r"</?Tip|</?hfoption|</?frameworkcontent",
    "alert": r"\[!\w+\]",
    "link": r"\]\((?:https?:|/|\.|#)",
    "HTML": r"<a\s|</a>|&lt;",
    "section": r"^\s*\**(?:Args?|Arguments?|Parameters?|Attributes|Returns?|Yields?|Raises?)\**:",
    "field": r":(?:param|type|returns?|rtype|raises)\b[^:]*:",
    "role": r":(?:py:)?(?:class|func|meth|obj|ref|math|docbuilder-text|literal):|\{math\}",
    "directive": r"^\s*\.\. \w|:::",
    "emphasis": r"\*\*\w|\w\*\*|(?<![\w*])\*\w[^*\n]*\w\*(?![\w*])",
    "doctest": r"^\s*>>> ",
    "mathematics": r"\\\\?\(",
    "dataclass": r"^\w+\(task_type: ",
}
_PATTERNS = {
    name: re.compile(pattern, re.MULTILINE) for name, pattern in DEFECTS.items()
}
_VOID = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    }
)
_BLOCKS = frozenset(
    {
        "p",
        "li",
        "dt",
        "dd",
        "dl",
        "div",
        "ul",
        "ol",
        "table",
        "tr",
        "blockquote",
        "section",
        "aside",
    }
)


class Defect(NamedTuple):
    """One finding."""

    page: str
    #: The id of the entry that it is in.
    entry: str
    kind: str
    excerpt: str


class _Entries(HTMLParser):
    """Collects, for each API entry, its running text: no signatures, no code, no names, no mathematics."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, str]] = []
        self.entries: list[str] = []
        self.text: dict[str, list[str]] = {}
        self.names: dict[str, set[str]] = {}
        self.messages: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        role = ""
        if tag == "dl" and "py" in classes:
            role = "entry"
            self.entries.append("")
        elif tag == "dt" and "sig" in classes:
            role = "skip"
            if self.entries and not self.entries[-1]:
                self.entries[-1] = given.get("id", "?")
        elif (
            tag in {"pre", "code", "strong", "script", "style"}
            or "math" in classes
            or (tag == "dt" and given.get("class", "").startswith("field-"))
        ):
            role = "skip"
        if "system-message" in classes or "problematic" in classes:
            self.messages.append(self.entries[-1] if self.entries else "")
        self.stack.append((tag, role))
        if tag in _BLOCKS:
            self.add("\n")

    def handle_endtag(self, tag: str) -> None:
        while self.stack:
            opened, role = self.stack.pop()
            if role == "entry":
                self.entries.pop()
            if opened == tag:
                break
        if tag in _BLOCKS:
            self.add("\n")

    def handle_data(self, data: str) -> None:
        if self.entries and self.stack and self.stack[-1][0] == "strong":
            self.names.setdefault(self.entries[-1], set()).add(data)
        if any(role == "skip" for _, role in self.stack):
            return
        self.add(data)

    def add(self, data: str) -> None:
        if self.entries and self.entries[-1]:
            self.text.setdefault(self.entries[-1], []).append(data)


def defects_in(html: str, page: str = "") -> Iterator[Defect]:
    """Find the defects of one page."""
    parser = _Entries()
    parser.feed(html)
    for entry in parser.messages:
        yield Defect(page, entry, "system message", "")
    for entry, parts in parser.text.items():
        text = "".join(parts)
        for kind, pattern in _PATTERNS.items():
            for match in pattern.finditer(text):
                start = max(match.start() - 40, 0)
                yield Defect(
                    page, entry, kind, text[start : match.end() + 40].replace("\n", "⏎")
                )


def entries_in(html: str) -> set[str]:
    """Give the ids of a page's API entries that have text."""
    parser = _Entries()
    parser.feed(html)
    return {entry for entry, parts in parser.text.items() if "".join(parts).strip()}


def names_in(html: str) -> dict[str, set[str]]:
    """Give for each API entry of a page the names in bold, as those of parameters are."""
    parser = _Entries()
    parser.feed(html)
    return {entry: parser.names.get(entry, set()) for entry in parser.text}


def main(arguments: Sequence[str]) -> int:
    """Audit a built site."""
    root = Path(arguments[0])
    pages = sorted(root.rglob("*.html"))
    found = [
        defect
        for page in pages
        for defect in defects_in(
            page.read_text(encoding="utf-8"), str(page.relative_to(root))
        )
    ]
    for defect in found:
        sys.stdout.write(
            f"{defect.page}: {defect.entry}: {defect.kind}: {defect.excerpt}\n"
        )
    entries = sum(len(entries_in(page.read_text(encoding="utf-8"))) for page in pages)
    sys.stderr.write(f"{entries} entries on {len(pages)} pages, {len(found)} defects\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
