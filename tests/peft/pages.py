"""The pages of heuristics as they are written, and PEFT's objects that they are about."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from typing import Any

import yaml
from conftest import ROOT

PREFIX = "huggingface_peft_"

#: Heuristic → its page.
PAGES = {
    path.stem.removeprefix(PREFIX): path
    for path in sorted(ROOT.glob(f"heuristics/{PREFIX}*.md"))
}

#: Those that the catalogue began with.
SEED = {
    "Gradient_Checkpointing",
    "Quantized_Merge_Rounding",
    "4bit_Defensive_Clone",
    "DoRA_Mixed_Batch_Limitation",
    "Safe_Merge_NaN_Check",
}


def text_of(name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8")


@cache
def option(name: str, key: str) -> str:
    """Return an option of a heuristic's directive, or nothing."""
    head = text_of(name).partition("\n\n")[0]
    found = re.search(rf"^:?{key}:(.*(?:\n  .*)*)", head, re.MULTILINE)
    value = found[1].strip() if found else ""
    return str(yaml.safe_load(value)) if value.startswith(('"', "'", ">")) else value


@cache
def reach() -> list[tuple[str, str]]:
    """Return the heuristic and the API entry of each line of the reach file."""
    text = (ROOT / "heuristics/reach.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("#", "not "))]
    return [(name, entry) for name, entry in map(str.split, lines)]


def object_of(entry: str) -> object:
    """Return what an API entry is about."""
    return pkgutil.resolve_name(entry)


def inheriting(method: str) -> set[str]:
    """Return the tuners of PEFT that inherit a method of the base class, by name."""
    base: Any = object_of("peft.tuners.tuners_utils.BaseTuner")
    found: set[type] = set()
    waiting = [base]
    while waiting:
        new = set(waiting.pop().__subclasses__()) - found
        waiting += new
        found |= new
    return {
        cls.__name__
        for cls in found
        if cls.__module__.startswith("peft.")
        and getattr(cls, method) is getattr(base, method)
    }
