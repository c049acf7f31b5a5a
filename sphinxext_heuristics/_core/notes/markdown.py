"""Inline text to Markdown that a parser reads back as exactly this text.

What Markdown may read as markup is always escaped; an underscore inside of a word never
is markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from .inline import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import Inline

#: Whitespace that Markdown, or what splits text into lines, does not leave alone.
_SPACES = re.compile(r"[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+")
#: The end of a text counts where what follows may complete the markup.
_MARKUP = re.compile(
    r"[\\`*~\[\]|]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?]|$)|&(?=[A-Za-z#]|$)|!(?=\[|$)"
)
_STARS = {"emphasis": "*", "strong": "**", "title_reference": "*"}
_CODE = {"literal", "math", "literal_emphasis", "literal_strong"}
_URL = re.compile(r"(?:https?|ftp)://\S+|mailto:\S+", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[\s\"<>`{}|^\\\x00-\x1f]")


def inline(frozen: Iterable[Inline]) -> str:
    """Return inline content in one line of Markdown."""
    return _written(frozen).strip(" ")


def text(content: str) -> str:
    """Return plain text in one line of Markdown."""
    return inline((content,))


def _written(
    frozen: Iterable[Inline], before: str = "", *, in_link: bool = False
) -> str:
    """Return content after the character *before*.

    What has no form in Markdown leaves its text.
    """
    found = before
    for item in frozen:
        if isinstance(item, str):
            found += _escaped(item)
            continue
        name, attributes, children = item
        url = str(dict(attributes).get("refuri", ""))
        # A reference to another place of the site leaves its text.
        is_link = name == "reference" and _URL.fullmatch(url) and not in_link
        inner = _written(children, found[-1:], in_link=in_link or bool(is_link))
        if name == "raw":  # meant for one output format, which this is not
            continue
        if name in _CODE:
            found += _code(_spaced(text_of(children)), found)
        elif is_link and inner.strip():
            found += f"[{inner}]({_target(url)})"
        elif name in _STARS and _is_plain(inner, found):
            found += f"{_STARS[name]}{inner}{_STARS[name]}"
        else:
            found += inner
    return found.removeprefix(before)


def _spaced(content: str) -> str:
    return _SPACES.sub(" ", content)


def _escaped(content: str) -> str:
    readable = content.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return _MARKUP.sub(r"\\\g<0>", _spaced(readable))


def _is_plain(inner: str, before: str) -> bool:
    """Return whether stars around *inner* cannot be mistaken."""
    ends = inner[:1] + inner[-1:]
    return ends.isalnum() and not before.endswith("*")


def _code(content: str, before: str) -> str:
    """Return code between backticks, or in tags where backticks cannot hold it."""
    meets_another = "`" in content or before.endswith("`")
    if meets_another or "\\|" in content or content != content.strip(" "):
        return f"<code>{_escaped(content)}</code>"
    quoted = content.replace("|", "\\|")
    return f"`{quoted}`" if content else ""


def _target(url: str) -> str:
    quoted = _UNSAFE_IN_URL.sub(lambda unsafe: quote(unsafe[0]), url)
    return re.sub(r"[()&]", r"\\\g<0>", quoted)
