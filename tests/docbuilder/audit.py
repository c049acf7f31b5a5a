"""Looks for API entries that came out wrong: markup that a reader sees as text."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from collections.abc import Iterator

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

#: What is no running text of an entry: signatures, code, names and mathematics.
_NO_TEXT = "dt.sig, dt[class^=field-], pre, code, strong, script, style, .math"

#: What ends a line of running text, where it begins and where it ends.
_BLOCKS = "p, li, dt, dd, dl, div, ul, ol, table, tr, blockquote, section, aside"

#: What docutils writes where it could not read something.
_MESSAGES = ".system-message, .problematic"


class Defect(NamedTuple):
    """One finding."""

    page: str
    #: The id of the entry that it is in.
    entry: str
    kind: str
    excerpt: str


class Entries(NamedTuple):
    """The API entries of a page, each under its id."""

    #: An entry's running text, that of the entries in it aside.
    texts: dict[str, str]
    #: An entry's names in bold, as those of parameters are.
    names: dict[str, set[str]]
    #: The entries with a message of docutils, one for each; ``""`` is the page.
    messages: list[str]


def entries_in(html: str) -> Entries:
    """Return the API entries of a page."""
    page = BeautifulSoup(html, "html.parser")
    found = Entries(defaultdict(str), defaultdict(set), [])
    # The innermost ones first, each taken out of the one around it.
    for entry in reversed(page.select("dl.py")):
        entry.extract()
        signature = entry.select_one("dt.sig")
        name = str(signature.get("id", "?")) if signature else "?"
        found.messages.extend(name for _message in entry.select(_MESSAGES))
        found.names[name].update(bold.get_text() for bold in entry.select("strong"))
        for part in entry.select(_NO_TEXT):
            part.extract()
        for block in entry.select(_BLOCKS):
            block.insert(0, "\n")
            block.append("\n")
        found.texts[name] += entry.get_text()
    found.messages.extend("" for _message in page.select(_MESSAGES))
    return found


def defects_in(html: str, page: str = "") -> Iterator[Defect]:
    """Find the defects of one page."""
    entries = entries_in(html)
    for entry in entries.messages:
        yield Defect(page, entry, "system message", "")
    for entry, text in entries.texts.items():
        for kind, pattern in DEFECTS.items():
            for match in re.finditer(pattern, text, re.MULTILINE):
                start = max(match.start() - 40, 0)
                yield Defect(
                    page, entry, kind, text[start : match.end() + 40].replace("\n", "⏎")
                )
