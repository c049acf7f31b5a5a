"""The record of what stands in an output folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sphinxext_heuristics._output import OutputRecord

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, writer: str, digests: dict[str, str], *written: str) -> None:
    record = OutputRecord(path, writer)
    record.add(*written)
    record.save(digests)


def test_record_of_what_was_written(tmp_path: Path) -> None:
    out = tmp_path / "out" / "record.json"
    assert OutputRecord(out, "html").stale({"a": "1", "b": ""}) == ["a", "b"], (
        "without a record all may be stale"
    )
    write(out, "html", {"a": "1", "b": "", "c": "3"}, "a", "b", "c")
    record = OutputRecord(out, "html")
    assert record.stale({"a": "1", "b": "", "c": "3"}) == []
    assert record.stale({"a": "2", "b": "", "c": "3"}) == ["a"]
    assert record.stale({"a": "", "b": "9", "c": "3", "d": "4"}) == ["a", "b", "d"]
    # A page left alone keeps what it had, one that is gone is forgotten.
    record.add("b")
    record.save({"a": "2", "b": "9"})
    again = OutputRecord(out, "html")
    assert again.stale({"a": "2", "b": "9"}) == ["a"]
    assert again.stale({"a": "1", "b": "9", "c": "3"}) == ["c"]


def test_a_record_of_another_writer_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write(path, "html 1", {"a": "1"}, "a")
    assert OutputRecord(path, "html 1").stale({"a": "1"}) == []
    later = OutputRecord(path, "html 2")
    assert later.stale({"a": "1"}) == ["a"]
    later.add("a")
    later.save({"a": "1"})
    assert OutputRecord(path, "html 1").stale({"a": "1"}) == ["a"], (
        "the earlier one is gone"
    )


def test_record_is_away_while_pages_are_written(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write(path, "html", {"a": "1", "b": "2"}, "a", "b")
    killed = OutputRecord(path, "html")
    killed.save({"a": "3", "b": "2"})
    assert OutputRecord(path, "html").stale({"a": "1", "b": "2"}) == []
    killed.add("a")
    assert OutputRecord(path, "html").stale({"a": "1", "b": "2"}) == ["a", "b"]
    killed.save({"a": "3", "b": "2"})
    assert OutputRecord(path, "html").stale({"a": "3", "b": "2"}) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"3"])
def test_record_that_is_not_ours_tells_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    assert OutputRecord(path, "html").stale({"a": "1"}) == ["a"]


@pytest.mark.parametrize(
    "content", [b'{"html": 3}', b'{"": ["a"]}', b'{"": "html", "a": 1}']
)
def test_record_of_another_form_tells_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(content)
    assert OutputRecord(path, "html").stale({"a": "1"}) == ["a"]
