"""What authors write, taken apart: connections, lists, targets, and the anchor that a name becomes."""

from __future__ import annotations

from typing import Any

import pytest

from sphinxext_heuristics._core.model import Connection
from sphinxext_heuristics._core.read.connection import parse_connection
from sphinxext_heuristics._core.read.heuristic import anchor_of
from sphinxext_heuristics._core.read.options import split
from sphinxext_heuristics._core.read.queries import split_targets


def made(type_: str, target: str, **more: Any) -> Connection:  # noqa: ANN401 - Connection's fields
    return Connection(type=type_, target=target, **more)


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("impl", "a.b", made("impl", "a.b")),
        ("impl", "~a.b", made("impl", "a.b", short=True)),
        ("impl", "~ a.b", made("impl", "a.b", short=True)),
        ("impl", "?a.b", made("impl", "a.b", planned=True)),
        ("impl", "? ~a.b", made("impl", "a.b", planned=True, short=True)),
        ("impl", "my  text <a.b>", made("impl", "a.b", text="my text")),
        ("impl", "my text<a.b>", made("impl", "a.b", text="my text")),
        ("impl", "text <?a.b>", made("impl", "a.b", text="text", planned=True)),
        ("impl", "?text <a.b>", made("impl", "a.b", text="text", planned=True)),
        ("impl", "text <~a.b>", made("impl", "a.b", text="text", short=True)),
        ("workflow", "a page", made("workflow", "a page")),
        ("impl", "?", None),
        ("impl", "~", None),
        ("impl", "text <>", None),
        ("workflow", "text < >", None),
    ],
)
def test_connection(type_: str, text: str, expected: Connection | None) -> None:
    assert parse_connection(type_, text) == expected


@pytest.mark.parametrize(
    ("value", "parts"),
    [("", []), (" , ,", []), ("a, b", ["a", "b"]), ("a\n  b,\nc d", ["a", "b", "c d"])],
)
def test_split(value: str, parts: list[str]) -> None:
    assert split(value) == parts


@pytest.mark.parametrize(
    ("value", "targets"),
    [
        ("a b, ~c.d\ne", ["a", "b", "c.d", "e"]),
        ("category:Fewer bits, a", ["category:Fewer bits", "a"]),
        ("a category:Fewer bits\nb", ["a", "category:Fewer bits", "b"]),
        ("", []),
    ],
)
def test_split_targets(value: str, targets: list[str]) -> None:
    assert split_targets(value) == targets


@pytest.mark.parametrize(
    ("name", "anchor"),
    [
        ("Safe_Merge", "heuristic-safe-merge"),
        ("A.b-C", "heuristic-a-b-c"),
        ("X1", "heuristic-x1"),
    ],
)
def test_anchor(name: str, anchor: str) -> None:
    assert anchor_of(name) == anchor
