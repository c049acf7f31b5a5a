"""What a reader pastes: which heuristics know of it, and what to search the site for.

The script ``heuristics-messages.js`` does the same in the site's box, with the patterns
and the texts that the page gives it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ..notes.inline import text_of
from .messages import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..model import Heuristic, Message
    from ..resolve.quotes import Quotes

#: What is not part of the words, and what takes its place. Scripts use these, too, so
#: they are what Python and JavaScript read alike.
NOISE = (
    (r"[\r\u2028\u2029]", "\n"),
    # colors, with or without the escape character, which many pages drop
    (r"\x1b\[[0-?]*[ -/]*[@-~]|\[[0-9]+(?:;[0-9]+)*m", ""),
    # progress bars, and the borders of boxes
    (r"[0-9]{1,3}%\|[^|\n]{0,200}\|[^\]\n]{0,100}\]|[\u2500-\u259f]", " "),
    # quotation marks of mails, and ranks, as `[rank0]:` and `[1,0]<stderr>:`
    (r"^[ \t]*(?:(?:>|\[[A-Za-z_,0-9]*[0-9]\](?:<[a-z]+>)?:?)[ \t]*)+", ""),
    # quotation marks, also escaped
    ("\\\\?[`'\"\u2018-\u201f]", ""),
    (r"[\s\x1c-\x1f\x85\u200b\ufeff]+", " "),
)

#: A message with fewer fixed characters fits a text only where its kind is in front of
#: it.
LEAST_CHARS = 12
#: A keyword of as many words is a message.
LEAST_WORDS = 4
#: As many words are searched for: a page must have all of them.
MOST_WORDS = 4

_NOISE = [(re.compile(pattern, re.MULTILINE), instead) for pattern, instead in NOISE]
_BEFORE_MESSAGE = re.compile("^.*(?:Error|Exception|Warning): ")
#: A path, a file or a class in a traceback.
_LEFT_OUT = re.compile(r"[/\\]|\.py\b|(?:Error|Exception|Warning)\b")


class Quoted(NamedTuple):
    """A message as a pasted text is compared with it."""

    message: Message
    #: The fixed parts in their order, in a text that is `plain`, with spaces around.
    pieces: tuple[str, ...]


class Keyword(NamedTuple):
    """A keyword as a pasted text is compared with it."""

    text: str
    #: What `spaced` returns of it.
    spaced: str
    #: Whether it alone shows that a heuristic knows of a text.
    is_message: bool


class Known(NamedTuple):
    """What a heuristic says, as the script gets it, too."""

    title: str
    note: str
    messages: tuple[Quoted, ...]
    keywords: tuple[Keyword, ...]


class Answer(NamedTuple):
    """A heuristic that knows of a text, and how."""

    #: Its place among all.
    at: int
    #: The messages it quotes that fit, the longest first.
    messages: tuple[Message, ...]
    #: Its keywords that are in the text.
    keywords: tuple[str, ...]


def known_to(
    quotes: Quotes, records: Iterable[Heuristic]
) -> Iterator[tuple[Heuristic, Known]]:
    """Yield the heuristics that have a message or keyword, with what each says."""
    for record in records:
        messages = dict.fromkeys(
            message for message, _quoted in quotes.messages(record)
        )
        known = Known(
            title=record.title,
            note=text_of(record.note),
            messages=tuple(map(quoted, messages)),
            keywords=tuple(map(keyword, record.keywords)),
        )
        if known.messages or known.keywords:
            yield record, known


def quoted(message: Message) -> Quoted:
    """Return a message with its fixed parts."""
    parts = plain(message.text).split(ANYTHING)
    return Quoted(message=message, pieces=tuple(filter(str.strip, parts)))


def keyword(text: str) -> Keyword:
    """Return a keyword; one of four words or with a colon is a message."""
    is_message = ": " in text or len(text.split()) >= LEAST_WORDS
    return Keyword(text=text, spaced=spaced(plain(text)), is_message=is_message)


def plain(text: str) -> str:
    """Return a text in one line, without what tools and pages add or take away."""
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    return text.strip()


def spaced(text: str) -> str:
    """Return the words of a plain text, each with a space on both sides.

    Each character beyond ASCII is a word: not all languages have spaces.
    """
    words = re.findall(r"[a-z0-9_]+|[^\x00-\x7f]", text.lower())
    return f" {' '.join(words)} "


def answers(known: Sequence[Known], text: str) -> list[Answer]:
    """Return the heuristics that know of a text, best first.

    These are those that quote a message of it, and then those whose keywords are in it:
    one that is a message, or two. What explains more of the text is better.
    """
    pasted = plain(text)
    words = spaced(pasted)
    ranked: list[tuple[int, int, Answer]] = []
    for at, heuristic in enumerate(known):
        sizes = {one.message: fit(one, pasted) for one in heuristic.messages}
        fitting = sorted(filter(sizes.get, sizes), key=lambda one: -sizes[one])
        size = sizes[fitting[0]] if fitting else 0
        keywords = keywords_in(heuristic.keywords, words)
        texts = tuple(one.text for one in keywords)
        if fitting or len(keywords) > 1 or any(one.is_message for one in keywords):
            found = Answer(at=at, messages=tuple(fitting), keywords=texts)
            ranked.append((-size, -sum(map(len, texts)), found))
    return [found for _size, _length, found in sorted(ranked)]


def fit(quoted: Quoted, pasted: str) -> int:
    """Return how many fixed characters of a message are all in a text, in their order.

    If not all are, it is 0. The text is a traceback, a line of it, or a part of a
    message; it is compared as `plain` returns it.
    """
    head = f"{quoted.message.kind}: "
    part = pasted.removeprefix(head)
    is_part = len(part) >= LEAST_CHARS and " " in part
    if is_part and any(part in piece for piece in quoted.pieces):
        return len(part)
    size, at = sum(map(len, quoted.pieces)), 0
    before = head if size < LEAST_CHARS else ""
    for piece in quoted.pieces:
        found = pasted.find(before + piece, at)
        if found < 0:
            return 0
        # What is put in may be nothing, and then one space is between both.
        at = found + len((before + piece).rstrip())
        before = ""
    return size


def keywords_in(keywords: Sequence[Keyword], words: str) -> list[Keyword]:
    """Return the keywords that are in a text, without those within others of them."""
    within = [one for one in keywords if one.spaced.strip() and one.spaced in words]
    found = []
    for one in within:
        longer = [other for other in within if other.spaced != one.spaced]
        if not any(one.spaced in other.spaced for other in longer):
            found.append(one)
    return found


def searched(known: Sequence[Known], text: str) -> list[str]:
    """Return the words of a text that the site is searched for.

    A page must have all, so they are the rarest of those that one heuristic has, the
    longest first.
    """
    message = _BEFORE_MESSAGE.sub("", plain(text))
    told = [word for word in message.split(" ") if not _LEFT_OUT.search(word)]
    said = _search_words(" ".join(told))
    holding = []
    for heuristic in known:
        texts = [heuristic.title, heuristic.note]
        texts += [one.message.text for one in heuristic.messages]
        texts += [one.text for one in heuristic.keywords]
        holding.append(set(_search_words(plain(" ".join(texts)))))
    count = Counter(word for words in holding for word in words)
    most = max(2, len(known) / 2)
    said_by_few = [word for word in said if count[word] <= most]
    best: list[str] = []
    best_weight = 0.0
    for words in holding:
        shared = [word for word in said_by_few if word in words]
        weight = sum(1 / count[word] for word in shared)
        if weight > best_weight:
            best, best_weight = shared, weight
    if not best:
        best = [word for word in said if not re.search("[0-9]", word)]
    best.sort(key=lambda word: (count[word], -len(word)))
    return best[:MOST_WORDS]


def _search_words(text: str) -> list[str]:
    """Return the words of a text that have letters, each once."""
    return list(dict.fromkeys(re.findall(r"[0-9_]*[^\W\d_]\w{2,}", text.lower())))
