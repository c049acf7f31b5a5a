"""Parts of others that we use although they are not public: there is no other way.

One that is gone fails here with the release that broke it and the function that needs
another way; the tests of what that function does fail as well, and say less.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sphinx
from myst_parser.mocking import MockState

if TYPE_CHECKING:
    from collections.abc import Callable


def checks_lists() -> bool:
    return hasattr(import_module("docutils.writers._html_base"), "SimpleListChecker")


def gives_parser() -> bool:
    return "_renderer" in MockState.__init__.__code__.co_names


def summarizes() -> bool:
    script = Path(sphinx.package_dir, "themes/basic/static/searchtools.js")
    text = script.read_text(encoding="utf-8")
    called = "Search.makeSearchSummary(data, searchTerms, anchor)"
    return called in text and "makeSearchSummary: (htmlText, " in text


@pytest.mark.parametrize(
    ("distribution", "part", "used_by", "is_there"),
    [
        (
            "docutils",
            "docutils.writers._html_base.SimpleListChecker",
            "keep_simple in integration/place.py",
            checks_lists,
        ),
        (
            "myst-parser",
            "the attribute _renderer of a directive's state",
            "_check_fences in read/heuristic.py",
            gives_parser,
        ),
        (
            "Sphinx",
            "Search.makeSearchSummary(html, words, anchor) in searchtools.js",
            "static/heuristics-search.js",
            summarizes,
        ),
    ],
    ids=["docutils", "myst-parser", "sphinx"],
)
def test_what_is_private_is_still_there(
    distribution: str, part: str, used_by: str, is_there: Callable[[], bool]
) -> None:
    try:
        found = is_there()
    except ImportError:
        found = False
    assert found, (
        f"{distribution} {version(distribution)} no longer has {part}: "
        f"{used_by} must find another way"
    )
