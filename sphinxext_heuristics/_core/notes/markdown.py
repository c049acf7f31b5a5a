"""Inline text to Markdown that a parser reads back as exactly this text, in the cell of a table.

What Markdown may read as markup is always escaped; an underscore inside of a word never
is markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from sphinxext_heuristics._core.notes.inline import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinxext_heuristics._core.model import Inline

#: Whitespace that Markdown, or what splits text into lines, does not leave alone.
_SPACES = re.compile(r"[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+")
#: The end of a text counts where what follows may complete the markup.
_MARKUP = re.compile(
    r"[\\`*~\[\]|]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?]|$)|&(?=[A-Za-z#]|$)|!(?=\[|$)"
)
_EMPHASIS = {
    "emphasis": ("em", "*"),
    "strong": ("strong", "**"),
    "title_reference": ("em", "*"),
}
_CODE = {"literal", "math", "literal_emphasis", "literal_strong"}
_URL = re.compile(r"(?:https?|ftp)://\S+|mailto:\S+", re.IGNORECASE)
#: URLs that are their own text, and that no parser shows in another spelling.
_AUTOLINK = re.compile(r"https?://[\w.~:/?#@!$&'()*+,;=-]+", re.ASCII)
_UNSAFE_IN_URL = re.compile(r"[\s\"<>`{}|^\\\x00-\x1f]")


def inline(frozen: Iterable[Inline]) -> str:
    """Return inline content in one line of Markdown."""
    return _written(frozen).strip(" ")


def text(content: str) -> str:
    """Return plain text in one line of Markdown."""
    return inline((content,))


def _written(frozen: Iterable[Inline], around: str = "", before: str = "") -> str:
    """Return content within emphasis and links, *around*; what has no form in Markdown leaves its text."""
    found = before
    for item in frozen:
        if isinstance(item, str):
            found += _MARKUP.sub(
                r"\\\g<0>",
                _SPACES.sub(" ", item.replace("\0", "\N{REPLACEMENT CHARACTER}")),
            )
            continue
        name, attributes, children = item
        url, said = str(dict(attributes).get("refuri", "")), text_of(children)
        # A reference to another place of the site leaves its text.
        is_link = (
            name == "reference"
            and name not in around
            and _URL.fullmatch(url)
            and said.strip()
        )
        inner = _written(
            children, f"{around} {name}" if is_link or name in _EMPHASIS else around
        )
        if name == "raw":  # meant for one output format, which this is not
            continue
        if name in _CODE:
            found += _code(_SPACES.sub(" ", said), found)
        elif name in _EMPHASIS and inner:
            tag, stars = _EMPHASIS[name]
            # Where stars cannot be mistaken: no others beside or around them, and
            # letters within.
            is_plain = (
                inner[0].isalnum()
                and inner[-1].isalnum()
                and not (around or found.endswith("*"))
            )
            found += f"{stars}{inner}{stars}" if is_plain else f"<{tag}>{inner}</{tag}>"
        elif is_link:
            found += (
                f"<{url}>"
                if said == url and _AUTOLINK.fullmatch(url)
                else f"[{inner}]({_target(url)})"
            )
        else:
            found += _written(children, around, found)
    return found.removeprefix(before)


def _code(content: str, before: str) -> str:
    """Return code between backticks, or in tags where backticks cannot hold it."""
    if not content:
        return ""
    if before.endswith("`") or "\\|" in content:
        return f"<code>{_written((content,))}</code>"
    runs = {len(run) for run in re.findall(r"`+", content)}
    fence = "`" * next(
        length for length in range(1, len(runs) + 2) if length not in runs
    )
    ends = content[0] + content[-1]
    pad = " " if "`" in ends or (ends == "  " and content.strip(" ")) else ""
    return f"{fence}{pad}{content}{pad}{fence}".replace("|", "\\|")


def _target(url: str) -> str:
    return re.sub(
        r"[()&]", r"\\\g<0>", _UNSAFE_IN_URL.sub(lambda unsafe: quote(unsafe[0]), url)
    )
