"""What may fit what a reader asks, where nothing is known to.

The script ``heuristics-messages.js`` does the same in the site's box.
"""

from __future__ import annotations

from math import log
from operator import itemgetter
from typing import TYPE_CHECKING

from .pasted import SHARED, fit, plain, stems, traced

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from .pasted import Asked, Section


def guesses(asked: Asked, text: str, known: Container[int] = ()) -> list[int]:
    """Return what may fit a text, best first, without what is *known* to.

    That are places among all heuristics, or after these among the sections. It shares
    enough words of the text, and enough of the text by their rarity. Of a section, its
    title counts, and the best two of what it shows or links; of a symptom's, one word
    is enough. A section that has a message of the text comes before all others.
    """
    pasted = plain(text)
    _raised, rest = traced(text)
    counts = [_counts(one.words) for one in asked.known]
    weights = _weights(stems(rest), counts)
    whole = sum(weights.values()) or 1
    shares = []
    #: How well each fits, and whether it is a section that is not about a symptom.
    rated: list[tuple[float, bool]] = []
    enough = min(SHARED["least_shared"], len(weights))
    for at, own in enumerate(counts):
        shared = {stem: own[stem] for stem in weights if stem in own}
        share = sum(weights[stem] * count for stem, count in shared.items()) / whole
        shares.append(share)
        is_enough = sum(shared.values()) >= enough
        rated.append((share if is_enough and at not in known else 0, False))
    for section in asked.sections:
        named = [weights[stem] for stem in weights if stem in section.words]
        best = sorted((shares[at] for at in section.members), reverse=True)
        is_enough = len(named) >= (1 if section.is_symptom else enough)
        share = sum(named) / whole + sum(best[:2]) / 2 if is_enough else 0
        size, _said = said_in(section, pasted)
        rated.append((size or share, not section.is_symptom))
    left = [*SHARED["most"]]
    found = []
    for at in sorted(range(len(rated)), key=lambda at: -rated[at][0]):
        share, is_other = rated[at]
        if share >= SHARED["least_share"] and left[is_other]:
            left[is_other] -= 1
            found.append(at)
    return found


def said_in(section: Section, pasted: str) -> tuple[int, str]:
    """Return how much of a plain text a section's best message explains, and its text.

    That is the paragraph or the row that the message is in; 0 and nothing if none fits.
    Of messages that explain as much, the one whose text shares most words is the best.
    """
    fitting = []
    for message, said in section.says:
        size = fit(message, pasted)
        whole = min(len(pasted), sum(map(len, message.pieces)))
        if size and size >= SHARED["least_said"] * whole:
            shared = {*stems(pasted)} & {*stems(said)}
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
