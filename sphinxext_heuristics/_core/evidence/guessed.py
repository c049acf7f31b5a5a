"""What may fit what a reader asks, where nothing is known to.

The script ``heuristics-messages.js`` does the same in the site's box.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice, starmap
from math import log, sqrt
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from .pasted import SHARED, fit, plain, stems, traced

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from .pasted import Asked, Section


class Guess(NamedTuple):
    """A heuristic or a section that may fit a text."""

    #: Its place among all heuristics, or after these among the sections.
    at: int
    #: The passage of the section that it fits by, if it is one.
    said: str = ""


def guesses(asked: Asked, text: str, known: Container[int] = ()) -> list[Guess]:
    """Return what may fit a text, best first, without what is *known* to.

    It shares enough words of the text, and enough of the text by their rarity. Of a
    section, its title counts, and the best two of what it shows or links; of a
    symptom's, one word is enough. A section that has a message of the text comes before
    all others, and after them come those with a title or a passage like the text.
    """
    pasted = plain(text)
    _raised, rest = traced(text)
    counts = [_counts(one.words) for one in asked.known]
    weights = _weights(stems(rest), counts)
    whole = sum(weights.values()) or 1
    shares = []
    #: How well each fits, and whether it is a section that is not about a symptom.
    rated: list[tuple[float, bool, Guess]] = []
    enough = min(SHARED["least_shared"], len(weights))
    for at, own in enumerate(counts):
        shared = {stem: own[stem] for stem in weights if stem in own}
        share = sum(weights[stem] * count for stem, count in shared.items()) / whole
        shares.append(share)
        is_enough = sum(shared.values()) >= enough
        share = share if is_enough and at not in known else 0
        rated.append((share, False, Guess(at)))
    for at, section in enumerate(asked.sections, len(counts)):
        named = [weights[stem] for stem in weights if stem in section.words]
        best = sorted((shares[at] for at in section.members), reverse=True)
        is_enough = len(named) >= (1 if section.is_symptom else enough)
        share = sum(named) / whole + sum(best[:2]) / 2 if is_enough else 0
        size, said = said_in(section, pasted)
        rated.append((size or share, not section.is_symptom, Guess(at, said)))
    *left, more = SHARED["most"]
    alike = _alike(asked, [*weights])
    found = []
    for share, is_other, (at, said) in sorted(rated, key=lambda one: -one[0]):
        if share >= SHARED["least_share"] and left[is_other]:
            left[is_other] -= 1
            like = alike.pop(at, "")
            found.append(Guess(at, said or like))
    found += islice(starmap(Guess, alike.items()), more)
    return found


def _alike(asked: Asked, words: Sequence[str]) -> dict[int, str]:
    """Return the places of sections with a text like these words, with it, best first.

    It is a title, which is not told, or a passage. They are as alike as the cosine of
    both, each word weighed by its rarity among all of these.
    """
    texts: list[tuple[int, str, Sequence[str]]] = []
    for at, section in enumerate(asked.sections, len(asked.known)):
        texts.append((at, "", section.words))
        texts += [(at, one.text, one.words) for one in section.excerpts]
    often = Counter(chain.from_iterable(own for _at, _text, own in texts))
    whole = log(len(texts) + 1)

    def weight(words: Iterable[str]) -> float:
        return sum(whole - log(often[word] or 1) for word in words)

    asks = weight(words)
    best: dict[int, tuple[float, str]] = {}
    for at, text, own in texts:
        shared = [word for word in words if word in own]
        if len(shared) > 1:
            size = weight(shared) / sqrt(asks * weight(own))
            if at not in best or size > best[at][0]:
                best[at] = (size, text)
    ordered = sorted(best.items(), key=lambda one: -one[1][0])
    least = SHARED["least_alike"]
    return {at: text for at, (size, text) in ordered if size >= least}


def said_in(section: Section, pasted: str) -> tuple[int, str]:
    """Return how much of a plain text a section's best message explains, and its text.

    That is the paragraph or the row that the message is in; 0 and nothing if none fits.
    Of messages that explain as much, the one whose text shares most words is the best.
    """
    fitting = []
    for said, own, messages in section.excerpts:
        for message in messages:
            size = fit(message, pasted)
            whole = min(len(pasted), sum(map(len, message.pieces)))
            if size and size >= SHARED["least_said"] * whole:
                shared = {*stems(pasted)} & {*own}
                fitting.append((size, len(shared), said))
    size, _shared, said = max(fitting, key=itemgetter(0, 1), default=(0, 0, ""))
    return size, said


def _counts(words: Iterable[str]) -> dict[str, float]:
    """Return what each word of a heuristic counts."""
    found: dict[str, float] = {}
    for counts, texts in zip(SHARED["weights"], words, strict=True):
        found.update(dict.fromkeys(texts.split(), counts))
    return found


def _weights(
    said: Iterable[str], counts: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Return what each word of a text weighs: the rarer, the more."""
    found = {}
    for stem in said:
        often = sum(one.get(stem, 0) for one in counts)
        found[stem] = log((len(counts) + 1) / max(1, often))
    return found
