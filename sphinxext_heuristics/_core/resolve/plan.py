"""The plan: what is known when all pages are read, as four values.

Each answers one question and is made of what it needs alone:

catalogue  which heuristics, pages and names there are
meanings   what a connection means, and what reaches an API entry
quotes     where a quote is in installed source, which messages it holds
placing    what is shown at an entry, at a parameter, on a page
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Heuristic, Note
    from .catalogue import Catalogue
    from .meanings import Meanings
    from .placing import Placing
    from .quotes import Quotes


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Plan:
    """What every page shows: derived once a build from all that was read."""

    catalogue: Catalogue
    meanings: Meanings
    quotes: Quotes
    placing: Placing
    #: A heuristic's note as other pages show it.
    note: Callable[[Heuristic], Note]
