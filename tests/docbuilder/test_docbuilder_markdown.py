"""Hugging Face Markdown to MyST Markdown, as a table."""

from __future__ import annotations

import pytest

from sphinxext_heuristics.docbuilder.markdown import to_myst

CASES = {
    "plain": ("Some *text* and `code`.", "Some *text* and `code`."),
    "link to an object": ("See [`LoraConfig`].", "See {docbuilder}`LoraConfig`."),
    "short link": ("See [`~peft.LoraConfig`].", "See {docbuilder}`~peft.LoraConfig`."),
    "called link": ("See [`merge()`].", "See {docbuilder}`merge`."),
    "link with an address": ("[`A`](https://a.b/c)", "[`A`](<https://a.b/c>)"),
    "subscript, not a link": ("list[`X`]", "list[`X`]"),
    "list of codes, not a link": ("[`a`, `b`]", "[`a`, `b`]"),
    "object in code stays": ("``[`X`]``", "``[`X`]``"),
    "reST role": (":class:`~peft.X` and :obj:`Y`", "{docbuilder}`~peft.X` and {docbuilder}`Y`"),
    "link with parentheses": ("[a](https://b.c/d_(e))!", "[a](<https://b.c/d_(e)>)!"),
    "relative link": ("the [guide](../guide) here", "the guide here"),
    "link on the hub": ("[models](/docs/peft/models)", "[models](<https://huggingface.co/docs/peft/models>)"),
    "HTML link": ("<a href='https://a.b' >Explained\nVariance</a>.", "[Explained Variance](<https://a.b>)."),
    "bare address": ("See https://a.b/c_d. Or", "See <https://a.b/c_d>. Or"),
    "address in code": ("`https://a.b`", "`https://a.b`"),
    "marked address": ("<https://a.b>", "<https://a.b>"),
    "mathematics": (r"with \\(x_1 * y\\).", "with {math}`x_1 * y`."),
    "mathematics, one backslash": (r"with \(x\).", "with {math}`x`."),
    "mathematics in dollars": (r"- $W = A_0 B_0$ (init)", r"- {math}`W = A_0 B_0` (init)"),
    "dollars of a pattern": ("'(q|v)$'. Only '(k)$'", "'(q|v)$'. Only '(k)$'"),
    "display mathematics": ("$$\nx = y\n$$", "```{math}\nx = y\n```"),
    "reST mathematics": (":math:`x`", "{math}`x`"),
    "product": ("(2*d*r/n)", r"(2\*d\*r/n)"),
    "dunder": ("the __init__ method", r"the \_\_init\_\_ method"),
    "braces before code": ("{a}`b`", r"\{a}`b`"),
    "doctest without a fence": (
        "Like this:\n>>> f(1)\n2\n\nDone.",
        "Like this:\n\n```pycon\n>>> f(1)\n2\n```\n\nDone.",
    ),
    "indented fence": ("Text\n    ```py\n    a\n      b\n    ```", "Text\n\n```py\na\n  b\n```"),
    "fence in a list": ("- a\n  ```py\n  b\n  ```", "- a\n\n  ```py\n  b\n  ```"),
    "indentation means nothing": ("Text\n\n    More text.", "Text\n\nMore text."),
    "indentation after a colon": ("Start:\n    More text.", "Start:\n\nMore text."),
    "indented list": ("Text:\n    - a\n      b\n    - c", "Text:\n\n- a\nb".replace("b", "  b") + "\n- c"),
    "nested list": ("- a\n    - b\n    - c\n- d", "- a\n  - b\n  - c\n- d"),
    "text after a list": ("- a\nb", "- a\n\nb"),
    "numbered list": ("1. a\n   b\n2. c", "1. a\n   b\n2. c"),
    "number at a line's start": ("is\n0.02) fine", "is\n0.02) fine"),
    "list mark inside code": ("`[a\n* b]` c", "`[a * b]` c"),
    "alert": ("> [!WARNING]\n> Mind `this`.\n> And that.", ":::{warning}\nMind `this`.\nAnd that.\n:::"),
    "alert folded by a formatter": (
        "> [!TIP] > Read the [guide](https://a.b) to\nlearn > more.",
        ":::{tip}\nRead the [guide](<https://a.b>) to\nlearn more.\n:::",
    ),
    "alert of an unknown type": ("> [!FOO]\n> Bar.", ":::{note}\nBar.\n:::"),
    "tip": ("<Tip>\n\nMind [`X`].\n\n</Tip>", ":::{tip}\nMind {docbuilder}`X`.\n:::"),
    "tip with a warning": ("<Tip warning={true}>\n\nMind.\n\n</Tip>", ":::{warning}\nMind.\n:::"),
    "tip on one line": ("<Tip>Mind.</Tip>", ":::{tip}\nMind.\n:::"),
    "alert in a tip": ("<Tip>\n> [!NOTE]\n> a\n\nb\n</Tip>", "::::{tip}\n:::{note}\na\n:::\n\nb\n::::"),
    "tip in a list": ("- a\n  <Tip>\n  b\n  </Tip>", "- a\n\n  :::{tip}\n  b\n  :::"),
    "tabs of the other site": ("<hfoptions id='a'>\nb\n</hfoptions>", "b"),
    "table": ("| a | b |\n|---|---|\n| `c` | [`D`] |", "| a | b |\n|---|---|\n| `c` | {docbuilder}`D` |"),
}


@pytest.mark.parametrize("case", CASES)
def test_markdown(case: str) -> None:
    source, expected = CASES[case]
    assert to_myst(source).strip("\n") == expected
