"""How a target finds a page, as tables."""

from __future__ import annotations

import pytest

from sphinxext_heuristics._core.model import Address, Page
from sphinxext_heuristics._core.resolve.objects import Resolved
from sphinxext_heuristics._core.resolve.pages import Pages, Place, fold, toctree_order

PAGES = Pages(
    {
        "index": Page(
            sections=(("start",), ("second-step",), ("Second-Step-2",)),
            anchors=(("figure-one", "second-step"), ("on-top", "start")),
        ),
        "guides/adapter-inference": Page(
            sections=(("adapter-inference",), ("part", "part-label"))
        ),
        "a/deep_dive": Page(sections=(("one",),)),
        "b/deep-dive": Page(sections=(("two",),)),
        "Merge": Page(anchors=(("x", ""),)),
        "merge": Page(sections=(("m",),)),
        "exact_label": Page(sections=(("e",),)),
    },
    {
        "part-label": ("guides/adapter-inference", "part-label"),
        "whole-page": ("guides/adapter-inference", "adapter-inference"),
        "exact-label": ("index", "second-step"),
        "figure": ("index", "figure-one"),
        "top": ("index", "on-top"),
        "titleless": ("Merge", "x"),
        "gone": ("not/a/page", "x"),
    },
)


@pytest.mark.parametrize(
    ("target", "docname", "section", "link"),
    [
        ("index", "index", "", ""),
        ("/index", "index", "", ""),
        ("INDEX", "index", "", ""),
        ("guides/adapter-inference", "guides/adapter-inference", "", ""),
        ("Adapter_Inference", "guides/adapter-inference", "", ""),
        ("Guides/Adapter_Inference", "guides/adapter-inference", "", ""),
        ("adapter-inference", "guides/adapter-inference", "", ""),
        # a label: of a section, of a page's title, which is the page, of something else
        # in a section
        ("part-label", "guides/adapter-inference", "part", "part-label"),
        ("Part_Label", "guides/adapter-inference", "part", "part-label"),
        ("whole-page", "guides/adapter-inference", "", ""),
        ("figure", "index", "second-step", "figure-one"),
        ("top", "index", "", ""),
        ("titleless", "Merge", "", ""),
        # exact before folded
        ("exact-label", "index", "second-step", "second-step"),
        ("exact_label", "exact_label", "", ""),
        ("Merge", "Merge", "", ""),
        ("merge", "merge", "", ""),
        ("a/deep_dive", "a/deep_dive", "", ""),
        # anchors, exact before folded
        ("index#second-step", "index", "second-step", "second-step"),
        ("index#Second_Step", "index", "second-step", "second-step"),
        ("index#Second-Step-2", "index", "Second-Step-2", "Second-Step-2"),
        ("index#Figure_One", "index", "second-step", "figure-one"),
        ("Adapter_Inference#PART", "guides/adapter-inference", "part", "part"),
        (
            "Adapter_Inference#part_label",
            "guides/adapter-inference",
            "part",
            "part-label",
        ),
        ("index#start", "index", "", "start"),
        ("deep_dive#two", "b/deep-dive", "", "two"),
    ],
)
def test_page_found(target: str, docname: str, section: str, link: str) -> None:
    assert PAGES.find(target) == Resolved(
        place=Place(docname=docname, anchor=section), address=Address(docname, link)
    )


@pytest.mark.parametrize(
    "target",
    ["", "nowhere", "index#nowhere", "gone", "part-label#part", "inference", "#part"],
)
def test_page_not_found(target: str) -> None:
    assert PAGES.find(target) == Resolved()


@pytest.mark.parametrize(
    ("target", "docnames"),
    [("Deep_Dive", ["a/deep_dive", "b/deep-dive"]), ("MERGE", ["Merge", "merge"])],
)
def test_page_ambiguous(target: str, docnames: list[str]) -> None:
    assert PAGES.find(target) == Resolved(several=tuple(docnames))


@pytest.mark.parametrize(
    ("target", "first"),
    [
        ("Adapter_Inferense", "guides/adapter-inference"),
        ("guides/adapter_inferenc", "guides/adapter-inference"),
        ("exact-labe", "exact-label"),
        ("quite-another-thing", None),
    ],
)
def test_page_closest(target: str, first: str | None) -> None:
    found = PAGES.closest(target)
    assert (found[:1] or (None,))[0] == first
    assert len(found) <= 3


@pytest.mark.parametrize(
    ("one", "two"), [("Safe_Merge", "safe-merge"), ("ÄB", "äb"), ("straße", "STRASSE")]
)
def test_fold(one: str, two: str) -> None:
    assert fold(one) == fold(two)


@pytest.mark.parametrize(
    ("includes", "docnames", "expected"),
    [
        ({}, ["b", "index", "a"], ["index", "a", "b"]),
        (
            {"index": ["b", "a"], "b": ["c"]},
            ["a", "b", "c", "index", "orphan"],
            ["index", "b", "c", "a", "orphan"],
        ),
        ({"index": ["a"], "a": ["index", "a"]}, ["a", "index"], ["index", "a"]),
        ({"index": ["gone", "a"]}, ["a", "index"], ["index", "a"]),
    ],
)
def test_toctree_order(
    includes: dict[str, list[str]], docnames: list[str], expected: list[str]
) -> None:
    assert toctree_order("index", includes, docnames) == expected


def test_place_is_named_as_a_target_names_it() -> None:
    """Messages and `explain` print a place so that it can be copied into an option."""
    for target in ("guide", "guide#part"):
        docname, _hash, anchor = target.partition("#")
        assert str(Place(docname=docname, anchor=anchor)) == target
