"""The words of the interface."""

from __future__ import annotations

from sphinxext_heuristics._core.model import CONNECTION_TYPES, SEVERITIES


def test_words_of_the_interface() -> None:
    assert SEVERITIES == ("tip", "note", "important", "warning", "caution", "danger")
    assert CONNECTION_TYPES == ("impl", "workflow", "principle", "env")
