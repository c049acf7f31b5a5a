"""What a reader asks, and which heuristics know of it; `guessed` is what may fit.

The script ``heuristics-messages.js`` does the same in the site's box, with the data of
``asked.toml`` and with what the page gives it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..model import NAMED, Message
from ..notes.inline import text_of
from ..resolve.records import Place
from .messages import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..model import Heuristic, Page
    from ..resolve.plan import Plan

#: The data that the script has, too.
SHARED: dict[str, Any] = tomllib.loads(
    files(__package__).joinpath("asked.toml").read_text(encoding="utf-8")
)
SHARED["stop"] = SHARED["stop"].split()

#: A keyword of as many words is a message.
LEAST_WORDS = 4

#: A symptom has as many causes.
_LEAST_MEMBERS = 2

_LEAST_CHARS: int = SHARED["least"]
_LONG: int = SHARED["long"]
_NOISE = [(re.compile(found, re.MULTILINE), it) for found, it in SHARED["noise"]]
_FRAMES = re.compile(SHARED["frames"], re.MULTILINE)
_RUNNING = re.compile(SHARED["running"], re.MULTILINE)
_ENDINGS = [(re.compile(found), it) for found, it in SHARED["endings"]]
_STOP = frozenset(SHARED["stop"])

#: A hyphen within a word.
_HYPHEN = re.compile(r"(?<=[A-Za-z0-9])[-\u2010\u2011](?=[A-Za-z0-9])")
#: An error or a warning that a page prints.
_PRINTED = re.compile(r"(?:\S+: )??((?:\w+\.)*\w*(?:Error|Exception|Warning)): ?(.*)")
_EXCEPTION = re.compile(r"(?:\w+\.)+\w*(?:Error|Exception|Warning)")
#: In output that a page shows, and in a message, what stands for anything.
_ANY = re.compile(r"""\[(?:\.{3}|…)\]|\.{3}|(?<!\w)(['"`])[^'"`\n]+\1""")
_PUT_IN = re.compile(ANYTHING + r"|(?<!\w)[0-9]+(?:\.[0-9]+)*(?!\w|-[a-z])")
#: A line of code that many functions have.
_COMMON = re.compile(r"raise [\w.]+\($")

_T = TypeVar("_T")


class Quoted(NamedTuple):
    """A message as a pasted text is compared with it."""

    message: Message
    #: The fixed parts in their order, in a text that is `plain`, with spaces around. A
    #: short message has its kind in front of it.
    pieces: tuple[str, ...]
    #: The places of what is before some of them: numbers that are equal on the page.
    equal: tuple[tuple[int, ...], ...]
    #: Whether a page shows it; else it is in the source.
    is_shown: bool


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
    #: The lines of code that it alone quotes, as they are and `plain`.
    code: tuple[tuple[str, str], ...]
    #: Its `stems` by what they count, with spaces between.
    words: tuple[str, ...]


class Excerpt(NamedTuple):
    """A passage of a section as a pasted text is compared with it."""

    text: str
    #: The `stems` of it.
    words: tuple[str, ...]
    #: The messages in it.
    messages: tuple[Quoted, ...]


class Section(NamedTuple):
    """A section of a page that heuristics name as their workflow."""

    place: Place
    title: str
    #: The `stems` of its title.
    words: tuple[str, ...]
    #: What it shows or links: places among all heuristics.
    members: tuple[int, ...]
    #: Whether it is about a symptom: they name it, and it has two of them at least.
    is_symptom: bool
    #: Its passages.
    excerpts: tuple[Excerpt, ...]


class Asked(NamedTuple):
    """All that answers."""

    heuristics: tuple[Heuristic, ...]
    #: What each of these says.
    known: tuple[Known, ...]
    sections: tuple[Section, ...]


class Answer(NamedTuple):
    """A heuristic that knows of a text, and how."""

    #: Its place among all.
    at: int
    #: Its messages that fit, the longest first.
    messages: tuple[Quoted, ...]
    #: The lines that it quotes, from where the text was raised.
    code: tuple[str, ...]
    #: Its keywords that are in the text.
    keywords: tuple[str, ...]


# -- what answers ---------------------------------------------------------------------


def asked_of(plan: Plan, records: Sequence[Heuristic]) -> Asked:
    """Return what heuristics answer with, and the sections of pages that they name."""
    shown = _by_one([shown_in(record.printed) for record in records])
    code = _by_one([_code_of(record) for record in records])
    known = []
    for record, own_shown, own_code in zip(records, shown, code, strict=True):
        messages = dict.fromkeys(
            message for message, _quoted in plan.quotes.messages(record)
        )
        quotes = [quoted(message) for message in messages]
        pieces = [quote.pieces for quote in quotes]
        quotes += [quote for quote in own_shown if quote.pieces not in pieces]
        known.append(_known(record, quotes, own_code))
    return Asked(tuple(records), tuple(known), tuple(_sections(plan, records)))


def _by_one(found: Iterable[Iterable[_T]]) -> list[list[_T]]:
    """Return each without repetition, and without what another has, too."""
    each = [list(dict.fromkeys(one)) for one in found]
    count = Counter(it for one in each for it in one)
    return [[it for it in one if count[it] == 1] for one in each]


def _known(
    record: Heuristic, quotes: list[Quoted], code: list[tuple[str, str]]
) -> Known:
    """Return what a heuristic says; each of its words counts once, at its most."""
    note = text_of(record.note)
    said = [note, *(quote.message.text for quote in quotes)]
    words: list[str] = []
    for texts in ([record.title, *record.keywords], said, [record.text]):
        before = " ".join(words).split()
        text = " ".join(texts)
        # What one writes with a hyphen, another writes as one word.
        new = dict.fromkeys(stems(f"{text} {_HYPHEN.sub('', text)}"))
        words.append(" ".join(stem for stem in new if stem not in before))
    return Known(
        title=record.title,
        note=note,
        messages=tuple(quotes),
        keywords=tuple(map(keyword, record.keywords)),
        code=tuple(code),
        words=tuple(words),
    )


def _code_of(record: Heuristic) -> Iterator[tuple[str, str]]:
    for quote in record.evidence:
        for line in [] if quote.prose else map(str.strip, quote.quote.splitlines()):
            if len(line) >= _LONG and not _COMMON.match(line):
                yield line, plain(line)


def _sections(plan: Plan, records: Sequence[Heuristic]) -> Iterator[Section]:
    """Yield the sections of pages that heuristics name as their workflow, in order."""
    naming: dict[Place, list[Heuristic]] = defaultdict(list)
    for record in records:
        for resolved in plan.meanings.connections(record):
            if resolved.connection.type == "workflow" and resolved.place:
                naming[resolved.place].append(record)
    catalogue = plan.catalogue
    named = {place.docname for place in naming}
    for docname, page in catalogue.pages.items():
        if docname not in named:
            continue
        excerpts = _by_section(plan, page)
        # The first is the page.
        for ids in page.sections[1:]:
            place = Place(docname, ids[0])
            title = catalogue.title(docname, place.anchor)
            members = tuple(
                at
                for at, record in enumerate(records)
                if record in naming[place] or catalogue.is_linked(record, place)
            )
            yield Section(
                place=place,
                title=title,
                words=tuple(dict.fromkeys(stems(title))),
                members=members,
                is_symptom=bool(naming[place]) and len(members) >= _LEAST_MEMBERS,
                excerpts=tuple(excerpts[place.anchor]),
            )


def _by_section(plan: Plan, page: Page) -> dict[str, list[Excerpt]]:
    """Map each section of a page to its passages."""
    found: dict[str, list[Excerpt]] = defaultdict(list)
    for section, raw, code in page.said:
        parts = raw.split(NAMED)
        parts[1::2] = (_titled(plan, name) for name in parts[1::2])
        text = "".join(parts)
        messages = [quoted(Message("", it)) for it in code if keyword(it).is_message]
        # Only their fixed parts are compared, and the text around them is shown.
        bare = (quote._replace(message=Message("", "")) for quote in messages)
        words = tuple(dict.fromkeys(stems(text)))
        found[section].append(Excerpt(text, words, tuple(bare)))
    return found


def _titled(plan: Plan, name: str) -> str:
    """Return the title of a heuristic, a page or a section, or else its name."""
    if record := plan.catalogue.heuristics.get(name):
        return record.title
    place = plan.meanings.pages.find(name).place
    return plan.catalogue.title(*place) if place else name


def quoted(message: Message, *, is_shown: bool = False) -> Quoted:
    """Return a message with its fixed parts; a number stands for any."""
    text = plain(message.text)
    put_in = ["", *_PUT_IN.findall(text)]
    pieces: list[str] = []
    between: list[str] = []
    last = ""
    for value, piece in zip(put_in, _PUT_IN.split(text), strict=True):
        last = ANYTHING if last else value
        if piece.strip():
            between.append(last)
            pieces.append(piece)
            last = ""
    if sum(map(len, pieces)) < _LEAST_CHARS:
        pieces[:1] = [f"{message.kind}: {pieces[0] if pieces else text}"]
    numbers: dict[str, list[int]] = defaultdict(list)
    for at, value in enumerate(between):
        if at and value != ANYTHING:
            numbers[value].append(at)
    equal = tuple(tuple(places) for places in numbers.values() if len(places) > 1)
    return Quoted(message, tuple(pieces), equal, is_shown)


def shown_in(blocks: Iterable[str]) -> Iterator[Quoted]:
    """Yield the lines of errors and warnings in blocks of output, as messages.

    A quoted name stands for any.
    """
    for block in blocks:
        kind = None
        _raised, said = traced(_ANY.sub(ANYTHING, block))
        for line in said.split("\n"):
            if found := _PRINTED.match(line):
                kind, line = found.groups()  # noqa: PLW2901 - its text alone
            if kind is not None:
                quote = quoted(Message(kind=kind, text=line), is_shown=True)
                if len(re.findall(r"\w+", " ".join(quote.pieces))) >= LEAST_WORDS:
                    yield quote
                kind = ""


def keyword(text: str) -> Keyword:
    """Return a keyword; one of four words or with a colon is a message.

    So is the whole name of an exception, which may come without a message.
    """
    is_message = ": " in text or len(text.split()) >= LEAST_WORDS
    is_exception = bool(_EXCEPTION.fullmatch(text))
    return Keyword(text, spaced(plain(text)), is_message or is_exception)


# -- what a text says -----------------------------------------------------------------


def cleaned(text: str) -> str:
    """Return a text without what tools and pages add or take away."""
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    return text.strip()


def plain(text: str) -> str:
    """Return a text in one line, without what tools and pages add or take away."""
    return cleaned(text).replace("\n", " ")


def spaced(text: str) -> str:
    """Return the words of a plain text, each with a space on both sides.

    Each character beyond ASCII is a word: not all languages have spaces.
    """
    words = re.findall(r"[a-z0-9_]+|[^\x00-\x7f]", text.lower())
    return f" {' '.join(words)} "


def stems(text: str) -> Iterator[str]:
    """Yield the words of a text that say what it is about, without their endings."""
    for word in re.findall(r"[0-9]*[a-z][a-z0-9]+|[^\x00-\x7f]", text.lower()):
        if word not in _STOP:
            stem = word
            for pattern, instead in _ENDINGS:
                stem = pattern.sub(instead, stem)
            yield stem


def traced(text: str) -> tuple[set[str], str]:
    """Return the code in the innermost frame of each exception, and the rest of a text.

    That has no frames.
    """
    text = f"{cleaned(text)}\n"
    raised: set[str] = set()

    def leave_out(frames: re.Match[str]) -> str:
        if frames.end() < len(text):
            raised.update(_RUNNING.sub("", frames[1]).split("\n"))
        return ""

    return raised, _FRAMES.sub(leave_out, text)


# -- answers --------------------------------------------------------------------------


def answers(known: Sequence[Known], text: str) -> list[Answer]:
    """Return the heuristics that know of a text, best first.

    These are those that quote or show a message of it, or the code that raised it, and
    then those whose keywords are in it: one that is a message, or two. What explains
    more of the text is better.
    """
    pasted = plain(text)
    words = spaced(pasted)
    raised, _said = traced(text)
    ranked: list[tuple[int, int, Answer]] = []
    for at, heuristic in enumerate(known):
        sizes = {one: fit(one, pasted) for one in heuristic.messages}
        fitting = sorted(filter(sizes.get, sizes), key=lambda one: -sizes[one])
        code = tuple(line for line, it in heuristic.code if it in raised)
        size = max([0, *sizes.values(), *map(len, code)])
        keywords = keywords_in(heuristic.keywords, words)
        texts = tuple(one.text for one in keywords)
        if size or len(keywords) > 1 or any(one.is_message for one in keywords):
            found = Answer(at, tuple(fitting), code, texts)
            ranked.append((-size, -sum(map(len, texts)), found))
    ranked.sort(key=lambda one: one[:2])
    return [found for _size, _length, found in ranked]


def fit(quoted: Quoted, pasted: str) -> int:
    """Return how many characters of a text a message explains; 0 if it does not fit.

    The text is a traceback, a line of it, or a part of a message, compared as `plain`
    returns it. It has the fixed parts in their order; the end may be cut off.
    """
    part = pasted.removeprefix(f"{quoted.message.kind}: ")
    is_part = len(part) >= _LEAST_CHARS and " " in part
    if is_part and any(part in piece for piece in quoted.pieces):
        return len(part)
    at = size = last = 0
    put_in: list[str] = []
    for piece in quoted.pieces:
        found = pasted.find(piece, at)
        if found < 0:
            cut = _cut_off(piece, pasted[at:])
            return size + cut if cut or last >= _LONG else 0
        put_in.append(pasted[at:found].strip())
        # What is put in may be nothing, and then one space is between both.
        at = found + len(piece.rstrip())
        last = len(piece)
        size += last
    # Numbers that are equal on the page should be so here.
    for places in quoted.equal:
        values = [put_in[at] for at in places]
        size += len("".join(values)) if len(set(values)) == 1 else 0
    return size


def _cut_off(piece: str, rest: str) -> int:
    """Return how much there is of a fixed part whose end is missing.

    It ends with its first sentence, or with the text.
    """
    sentence = piece[: piece.find(". ") + 1]
    if len(sentence) >= _LONG and sentence in rest:
        return len(sentence)
    begun = rest[rest.rfind(piece[:_LEAST_CHARS]) :]
    least = max(_LEAST_CHARS, min(_LONG, len(piece) / 2))
    return len(begun) if len(begun) >= least and piece.startswith(begun) else 0


def keywords_in(keywords: Sequence[Keyword], words: str) -> list[Keyword]:
    """Return the keywords that are in a text, without those within others of them."""
    within = [one for one in keywords if one.spaced.strip() and one.spaced in words]
    found = []
    for one in within:
        longer = [other for other in within if other.spaced != one.spaced]
        if not any(one.spaced in other.spaced for other in longer):
            found.append(one)
    return found
