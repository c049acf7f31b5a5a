"""Warnings in docstrings name the line that the fault is in."""

from __future__ import annotations

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from sphinxext_heuristics.docbuilder.docstrings.markdown import (
    render_markdown,
    renderer_for,
)


def lines_of_images(text: str) -> list[int | None]:
    document = new_document("docstring", get_default_settings(Parser))
    found = render_markdown(renderer_for(document), text, 0)
    return [image.line for node in found for image in node.findall(nodes.image)]


def test_after_an_alert() -> None:
    assert lines_of_images("> [!TIP]\n> Text.\n\n![x](a.png)") == [4]


def test_after_a_fence() -> None:
    assert lines_of_images("Text:\n```py\na\n```\n![x](a.png)") == [5]


def test_in_an_alert() -> None:
    assert lines_of_images("> [!TIP]\n> Text,\n> ![x](a.png)") == [3]


def test_in_a_tip() -> None:
    assert lines_of_images(
        "Text:\n<Tip>Mind\n![x](a.png)</Tip>\nafter ![x](b.png)"
    ) == [3, 4]


def test_after_lists_and_indentation() -> None:
    assert lines_of_images("Text:\n    - a\n      b\n    - c\nd\n    ![x](a.png)") == [
        6
    ]


def test_below_the_first_line_of_a_paragraph() -> None:
    assert lines_of_images("a\n`b\nc`\n![x](a.png)") == [4]
