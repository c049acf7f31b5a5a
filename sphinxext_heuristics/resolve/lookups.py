"""What a plan asks of the documentation and of installed packages, beside heuristics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sphinxext_heuristics.model import Evidence, Found, Heuristic, Lost, Message, Note
    from sphinxext_heuristics.resolve.objects import Objects
    from sphinxext_heuristics.resolve.pages import Pages
    from sphinxext_heuristics.source.names import Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What the documentation holds, beside heuristics."""

    #: The documented objects.
    objects: Objects
    #: The pages and sections.
    pages: Pages
    #: The Python domain's other names of a documented name.
    canonical: Mapping[str, tuple[str, ...]]
    #: (kind of target, name) → URI in another project's inventory, or ``None``.
    external: Callable[[str, str], str | None]
    #: Name → what another project's inventory says about this heuristic, or ``None``.
    elsewhere: Callable[[str], object]
    #: A heuristic's note as other pages show it.
    settle: Callable[[Heuristic], Note]
    #: Whether the builder at work shows pictures that Graphviz draws.
    draws: bool = False
    #: Where the source of a package defines an object, or ``None``.
    defined: Callable[[str], Definition | None]
    #: Documents without automatic heuristics.
    excluded: frozenset[str]
    #: The documented version, or ``""``.
    version: str
    #: Where a quote stands in the installed source, or why it was not found.
    verify: Callable[[Evidence], Found | Lost]
    #: Package → its installed version, or ``None``.
    installed: Callable[[str], str | None]
    #: The messages of errors and warnings that are quoted.
    messages: Callable[[Evidence], tuple[Message, ...]]
    #: The source directory.
    srcdir: Path
