"""Inline text to Markdown that a parser reads back as exactly this text.

What is escaped follows CommonMark (flanking rules included) and the tables and the strikethrough of GitHub's
Markdown. A character is escaped only where it could be read as markup, so that ``safe_merge`` and ``2 * 3`` stay as
their author wrote them.
"""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sphinxext_heuristics.model import Inline

#: Whitespace that Markdown, or what splits text into lines, does not leave alone.
_SPACES = re.compile(r"[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+")
_EMPHASIS = {"emphasis": "em", "strong": "strong", "title_reference": "em"}
_STARS = {"em": "*", "strong": "**"}
_CODE = {"literal", "math", "literal_emphasis", "literal_strong"}
_URL = re.compile(r"(?:https?|ftp)://\S+|mailto:\S+", re.IGNORECASE)
#: URLs that are their own text, and that no parser shows in another spelling.
_AUTOLINK = re.compile(r"https?://[\w.~:/?#@!$&'()*+,;=-]+", re.ASCII)
_UNSAFE_IN_URL = re.compile(r"[\s\"<>`{}|^\\\x00-\x1f]")
_ENTITY = re.compile(r"&(?=(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);)")
_DELIMITERS = re.compile(r"\*+|_+|~+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A piece of what is written."""

    text: str
    #: Whether it is the author's text, which is escaped, or our markup.
    literal: bool = False
    #: Whether it is the text of a link.
    in_link: bool = False
    #: The tag of an emphasis that begins or ends here.
    opens: str = ""
    closes: str = ""
    #: Whether it is a code span, which another one must not follow at once.
    code: bool = False


def inline(frozen: Iterable[Inline]) -> str:
    """Return inline content in one line of Markdown, as it stands in the cell of a table."""
    parts = _stripped(_flatten(frozen))
    return _escaped(_emphasized(_apart(parts)))


def text(content: str) -> str:
    """Return plain text in one line of Markdown."""
    return inline((content,))


def _flatten(frozen: Iterable[Inline], *, in_em: bool = False, in_link: bool = False) -> Iterator[_Part]:
    """Yield the parts of inline content; what has no form in Markdown leaves its text."""
    for item in frozen:
        if isinstance(item, str):
            yield _Part(
                text=_SPACES.sub(" ", item.replace("\0", "\N{REPLACEMENT CHARACTER}")), literal=True, in_link=in_link
            )
            continue
        name, attributes, children = item
        if name == "raw":  # meant for one output format, which this is not
            continue
        if name in _CODE:
            yield _Part(text=_SPACES.sub(" ", _text_of(children)), in_link=in_link, code=True)
        elif name in _EMPHASIS:
            tag = _EMPHASIS[name]
            # Only the outermost may be stars: runs of stars that meet read as something else.
            inner = [part for part in _flatten(children, in_em=True, in_link=in_link) if part.text]
            if inner:
                yield _Part(text=f"<{tag}>", opens="" if in_em else tag)
                yield from inner
                yield _Part(text=f"</{tag}>", closes="" if in_em else tag)
        elif name == "reference" and not in_link:
            yield from _link(str(dict(attributes).get("refuri", "")), children, in_em=in_em)
        else:
            yield from _flatten(children, in_em=in_em, in_link=in_link)


def _text_of(children: Iterable[Inline]) -> str:
    return "".join(child if isinstance(child, str) else _text_of(child[2]) for child in children)


def _link(url: str, children: tuple[Inline, ...], *, in_em: bool) -> Iterator[_Part]:
    """Yield a link; one to another place of the site leaves its text."""
    if not _URL.fullmatch(url) or not _text_of(children).strip():
        yield from _flatten(children, in_em=in_em)
        return
    if _text_of(children) == url and _AUTOLINK.fullmatch(url):
        yield _Part(text=f"<{url}>")
        return
    target = _UNSAFE_IN_URL.sub(lambda match: quote(match[0]), url)
    target = _ENTITY.sub(r"\\&", re.sub(r"[()]", r"\\\g<0>", target))
    yield _Part(text="[")
    yield from _flatten(children, in_em=in_em, in_link=True)
    yield _Part(text=f"]({target})")


def _stripped(found: Iterable[_Part]) -> list[_Part]:
    """Return the parts without the whitespace at both ends, which a cell does not keep."""
    parts: list[_Part] = []
    run: list[_Part] = []
    for part in found:
        if not part.text:
            continue
        if part.literal and run and part.in_link == run[-1].in_link:
            run.append(part)
            continue
        parts += _merged(run)
        run = [part] if part.literal else []
        parts += [] if part.literal else [part]
    parts += _merged(run)
    for end, strip in ((0, str.lstrip), (-1, str.rstrip)):
        if parts and parts[end].literal:
            stripped = strip(parts[end].text)
            parts[end] = _Part(text=stripped, literal=True, in_link=parts[end].in_link)
    return [part for part in parts if part.text]


def _merged(run: Sequence[_Part]) -> list[_Part]:
    """Return pieces of text that follow each other as one."""
    merged = _SPACES.sub(" ", "".join(part.text for part in run))
    return [_Part(text=merged, literal=True, in_link=run[0].in_link)] if run else []


def _apart(parts: Sequence[_Part]) -> list[_Part]:
    """Return the parts with code between backticks, or in tags where backticks cannot hold it."""
    found: list[_Part] = []
    for part in parts:
        if not part.code:
            found.append(part)
        elif (found and found[-1].code) or "\\|" in part.text:
            found += [_Part(text="<code>"), _Part(text=part.text, literal=True, in_link=part.in_link)]
            found.append(_Part(text="</code>"))
        else:
            found.append(_Part(text=_code(part.text), code=True))
    return found


def _code(content: str) -> str:
    runs = {len(run) for run in re.findall(r"`+", content)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    ends = content[0] + content[-1]
    pad = " " if "`" in ends or (ends == "  " and content.strip(" ")) else ""
    escaped = content.replace("|", "\\|")
    return f"{fence}{pad}{escaped}{pad}{fence}"


# -- emphasis -------------------------------------------------------------------------


def _flanks(before: str, after: str, *, symbols: bool) -> tuple[bool, bool]:
    """Return whether a run of delimiters between two characters is left- and right-flanking."""
    outer, inner = (_kind(char, symbols=symbols) for char in (before, after))
    left = inner != "space" and (inner != "punctuation" or outer != "other")
    right = outer != "space" and (outer != "punctuation" or inner != "other")
    return left, right


def _kind(char: str, *, symbols: bool) -> str:
    if char.isspace():
        return "space"
    category = unicodedata.category(char)[0]
    # CommonMark counts symbols beyond ASCII as punctuation since 0.31.
    if char in string.punctuation or category == "P" or (symbols and category == "S"):
        return "punctuation"
    return "other"


def _emphasized(parts: list[_Part]) -> list[_Part]:
    """Return the parts with stars for emphasis where they read as such, and tags elsewhere."""
    found = list(parts)
    start = 0
    for at, part in enumerate(parts):
        if part.opens:
            start = at
        elif part.closes and _may_be_stars(parts, start, at):
            for end in (start, at):
                found[end] = _Part(text=_STARS[part.closes], opens=parts[end].opens, closes=parts[end].closes)
    return found


def _may_be_stars(parts: list[_Part], start: int, end: int) -> bool:
    if start and parts[start - 1].closes:
        return False
    before = parts[start - 1].text[-1] if start else " "
    after = parts[end + 1].text[0] if end + 1 < len(parts) else " "
    opening, closing = (before, parts[start + 1].text[0]), (parts[end - 1].text[-1], after)
    return all(
        _flanks(*opening, symbols=symbols)[0] and _flanks(*closing, symbols=symbols)[1] for symbols in (False, True)
    )


# -- escapes --------------------------------------------------------------------------


def _escaped(parts: list[_Part]) -> str:
    """Return the parts as one text, a backslash before each character of the author's that would be markup."""
    whole = "".join(part.text for part in parts)
    literal = [part.literal for part in parts for _char in part.text]
    in_link = [part.in_link for part in parts for _char in part.text]
    marks = _delimiters(whole, literal, stars=any(part.opens and part.text[0] == "*" for part in parts))
    marks |= _brackets(whole, literal, in_link) | _backticks(whole, literal)
    marks |= {match.start() for match in _ENTITY.finditer(whole)}
    last = whole.rfind(">")
    marks |= {match.start() for match in re.finditer(r"<(?=[A-Za-z/!?])", whole) if match.end() < last}
    marks |= {at for at, char in enumerate(whole) if char == "|"}
    marks |= {match.start() for match in re.finditer(r"\\(?=[!-/:-@\[-`{-~])", whole)}
    return "".join(f"\\{char}" if literal[at] and at in marks else char for at, char in enumerate(whole))


def _brackets(whole: str, literal: list[bool], in_link: list[bool]) -> set[int]:
    """Return where brackets, and the exclamation marks before them, would make a link or an image."""
    closing = any(literal[match.start()] for match in re.finditer(r"\](?=\()", whole))
    marks = {
        at
        for at, char in enumerate(whole)
        if (char == "[" and (closing or in_link[at])) or (char == "]" and in_link[at])
    }
    return marks | {match.start() for match in re.finditer(r"!(?=\[)", whole) if not literal[match.end()]}


def _backticks(whole: str, literal: list[bool]) -> set[int]:
    """Return the backticks that would make code: any, unless there is but one run of them."""
    runs = list(re.finditer(r"`+", whole))
    if len(runs) == 1:
        return set()
    return {at for run in runs for at in range(run.start(), run.end()) if literal[at]}


def _delimiters(whole: str, literal: list[bool], *, stars: bool) -> set[int]:
    """Return where ``*``, ``_`` and ``~`` would make emphasis: where one may open it and a later one close it."""
    runs: dict[str, list[tuple[range, bool, bool]]] = {"*": [], "_": [], "~": []}
    for match in _DELIMITERS.finditer(whole):
        if literal[match.start()]:
            before = whole[match.start() - 1 : match.start()] or " "
            after = whole[match.end() : match.end() + 1] or " "
            opens, closes = _may(match[0][0], before, after)
            runs[match[0][0]].append((range(match.start(), match.end()), opens, closes))
    marks: set[int] = set()
    for found in runs.values():
        first = next((at for at, (_run, opens, _closes) in enumerate(found) if opens), len(found))
        paired = any(closes for _run, _opens, closes in found[first + 1 :])
        for run, opens, closes in found:
            if paired and (opens or closes):
                marks.update(run)
    # Beside stars of ours, any star could be taken for one of them.
    return marks | {at for at, char in enumerate(whole) if stars and char == "*"}


def _may(char: str, before: str, after: str) -> tuple[bool, bool]:
    """Return whether a run may open and may close emphasis, by any version of CommonMark."""
    opens = closes = False
    for symbols in (False, True):
        left, right = _flanks(before, after, symbols=symbols)
        if char == "_":
            outer, inner = (_kind(c, symbols=symbols) == "punctuation" for c in (before, after))
            left, right = left and (not right or outer), right and (not left or inner)
        opens, closes = opens or left, closes or right
    return opens, closes
