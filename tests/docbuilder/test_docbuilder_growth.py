"""Reading takes time in proportion to the text, whatever the text is."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING

import pytest
from markdown_it.rules_inline import StateInline

from sphinxext_heuristics.docbuilder import hook_code
from sphinxext_heuristics.docbuilder.docstrings import autodoc, markdown, sections
from sphinxext_heuristics.docbuilder.grammar import create_parser
from sphinxext_heuristics.docbuilder.grammar.components import tags_apart
from sphinxext_heuristics.docbuilder.grammar.inline import DOCSTRING, PAGE, SHARED
from sphinxext_heuristics.docbuilder.render import Renderer, language_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Reading = Callable[[str], object]

#: What a text begins with, and what follows again and again.
TEXTS = [
    ("", "<a href "),
    ("", '<a href="x">'),
    ("", "<img "),
    ("", "<!--"),
    ("<", "A"),
    ("", "<A {"),
    ("", "<Tip "),
    ("", "<Tip>x "),
    ("", "<Tip>\n</Tip>\n"),
    ("", "\\("),
    ("", "$a "),
    ("", "`"),
    ("", "``a"),
    ("", "[`a`]("),
    ("", "http://a("),
    ("`", "a, "),
    ("**", "a"),
    ("a (", "("),
    ("a", "\n"),
    ("$$", "\na"),
    ("", "> [!TIP]\n> a\n\n"),
    ("", "> `a\n"),
    ("", "# `a\n"),
    ("", "```\na\n```\n"),
    ("", "Args:\n"),
    ("", "Returns:\n    a\n"),
    ("Args:\n", "    a: b\n"),
    ("", "Note:\n\n"),
    ("x", " "),
]
PARSER = create_parser(Renderer, page=True)


def rule_alone(rule: Callable[[StateInline, bool], bool]) -> Reading:
    def read(text: str) -> None:
        state = StateInline(text, PARSER, {}, [])
        for position in range(len(text)):
            state.pos, state.pending = position, text[max(0, position - 6) : position]
            rule(state, True)  # noqa: FBT003 - markdown-it's call

    return read


def read_page(text: str) -> None:
    lines = [line for line, _ in tags_apart(text.splitlines())]
    PARSER.parse("\n".join(lines), {})


def read_type(text: str) -> None:
    without = autodoc._LINK.sub("", " ".join(text.split()))  # noqa: SLF001
    re.findall(autodoc._TYPE_TOKEN, without)  # noqa: SLF001


def place_alerts(text: str) -> None:
    """Look for the places of alerts in a docstring, which it may not have."""
    lines = f"a{text}".split("\n")
    for alert in ({"parameter": ""}, {"parameter": "a"}):
        with contextlib.suppress(LookupError):
            hook_code.block_of(lines, {"text": "> [!TIP]\n> **A.** B", **alert})


READINGS: dict[str, Reading] = {
    "page": read_page,
    "sections of a docstring": sections.split_docstring.__wrapped__,
    "Markdown of a docstring": markdown._parse.__wrapped__,  # noqa: SLF001
    "type": read_type,
    "code": lambda text: language_of.__wrapped__("text", text),
    "alerts": place_alerts,
    **{name: rule_alone(rule) for name, rule in (SHARED | PAGE | DOCSTRING).items()},
}


def seconds(read: Reading, text: str) -> float:
    """Return the processor time that the fastest of three takes."""
    times = []
    for _ in range(3):
        before = time.process_time()
        read(text)
        times.append(time.process_time() - before)
    return min(times)


@pytest.mark.parametrize(
    ("start", "again", "end"),
    [("<A", "\na", ""), ("<A", "\n<A", ""), ("x", "<Tip>", "x")],
)
def test_twice_as_many_tags_are_set_apart_in_about_twice_the_time(
    start: str, again: str, end: str
) -> None:
    def read(text: str) -> object:
        return list(tags_apart(text.splitlines()))

    short, long = (start + again * count + end for count in (10_000, 20_000))
    # what takes less than ten milliseconds is not measured; what is quadratic takes
    # seconds
    assert seconds(read, long) / max(seconds(read, short), 0.01) < 3.2


@pytest.mark.slow
@pytest.mark.parametrize("name", READINGS)
def test_four_times_the_text_takes_about_four_times_as_long(name: str) -> None:
    read, slow = READINGS[name], {}
    for start, again in TEXTS:
        count = 2000 // len(again)
        short, long = start + again * count, start + again * count * 4
        # what takes less than a millisecond is not measured, and does no harm
        ratio = seconds(read, long) / max(seconds(read, short), 0.001)
        if ratio > 10:
            slow[start, again] = round(ratio)
    assert not slow
