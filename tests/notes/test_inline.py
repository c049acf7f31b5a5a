"""Notes as plain data: frozen, made again on another page, and the first sentence of a body."""

from __future__ import annotations

import pytest
from docutils import nodes
from sphinx import addnodes

from sphinxext_heuristics._core.model import Note
from sphinxext_heuristics._core.notes.inline import (
    first_sentence,
    freeze,
    text_of,
    thaw,
)


def relative(docname: str, other: str) -> str:
    return f"{docname}->{other}"


def test_freeze_is_plain_and_thaws_to_the_same() -> None:
    children = [
        nodes.Text("a "),
        nodes.literal("``b``", "b", classes=["code"]),
        nodes.emphasis("", "", nodes.strong("", "c")),
        nodes.math("", "x^2"),
        nodes.reference("", "web", refuri="https://example.org/"),
    ]
    frozen = freeze(children)
    assert isinstance(hash(frozen), int), "plain data"
    assert text_of(frozen) == "a bcx^2web"
    thawed = thaw(Note(frozen, "home"), "other", relative)
    assert [type(node) for node in thawed] == [type(node) for node in children]
    assert [node.astext() for node in thawed] == [node.astext() for node in children]
    assert thawed[1]["classes"] == ["code"]
    assert thawed[1].rawsource == "b"
    assert thawed[4]["refuri"] == "https://example.org/"


def test_freeze_drops_what_belongs_to_its_page() -> None:
    children = [
        nodes.Text("a"),
        nodes.footnote_reference("", "1", refid="f1"),
        nodes.target("", "", ids=["t"]),
        nodes.image(alt="picture", uri="x.png"),
        nodes.image(uri="x.png"),
        addnodes.download_reference("", "", nodes.literal("", "file"), reftarget="x"),
        nodes.problematic("", "kept text"),
        nodes.emphasis("", "b", ids=["i"], names=["n"], backrefs=["r"]),
    ]
    frozen = freeze(children)
    assert text_of(frozen) == "apicturefilekept textb"
    assert frozen[-1] == ("emphasis", (), ("b",))


def test_reference_within_its_page_leads_home() -> None:
    frozen = freeze([nodes.reference("", "x", refid="there", internal=True)])
    (link,) = thaw(Note(frozen, "sub/home"), "other", relative)
    assert link["refuri"] == "other->sub/home#there"
    assert "refid" not in link


@pytest.mark.parametrize(
    ("place", "expected"),
    [("sub/guide#part", "other->sub/guide#part"), ("guide", "other->guide")],
)
def test_resolved_reference_leads_from_the_new_page(place: str, expected: str) -> None:
    frozen = freeze([nodes.reference("", "x", refuri=f"document:{place}")])
    (link,) = thaw(Note(frozen, "home"), "other", relative)
    assert link["refuri"] == expected


def test_reference_to_a_page_of_another_book_leaves_its_text() -> None:
    frozen = freeze([nodes.reference("", "x", refuri="document:guide")])
    (text,) = thaw(Note(frozen, "home"), "other", lambda *_places: "")
    assert type(text) is nodes.inline
    assert text.astext() == "x"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("One", "One"),
        ("One.", "One."),
        ("Is it? Yes.", "Is it?"),
        ("Use it! Now.", "Use it!"),
        ("Version 0.21.2 of it. Next.", "Version 0.21.2 of it."),
        ("Use e.g. This. Next.", "Use e.g. This."),
        ("See cf. Fig. 3 there. Next.", "See cf. Fig. 3 there."),
        ("It (etc.) Goes on. Next.", "It (etc.) Goes on."),
        ("A dot. and small letters. Next.", "A dot. and small letters."),
        ('He said "no." Then. More.', 'He said "no."'),
        ("Set approx.  ten of them. More.", "Set approx.  ten of them."),
        ("Use v. 1.2 of e.g. Demo. More.", "Use v. 1.2 of e.g. Demo."),
        ("See sec. 2. More.", "See sec. 2."),
        ("Zhang et al. (2023) say so. More.", "Zhang et al. (2023) say so."),
        ("Ca. 5 % is lost. More.", "Ca. 5 % is lost."),
        ("First line\nsecond. Third.", "First line\nsecond."),
        ("", ""),
    ],
)
def test_first_sentence_of_text(text: str, sentence: str) -> None:
    assert (
        "".join(n.astext() for n in first_sentence(nodes.paragraph("", text)))
        == sentence
    )


@pytest.mark.parametrize(
    ("children", "sentence"),
    [
        (
            [nodes.Text("Use "), nodes.literal("", "a. B"), nodes.Text(". Next.")],
            "Use a. B.",
        ),
        (
            [
                nodes.Text("Use it. "),
                nodes.literal("", "b"),
                nodes.Text(" is next. Last."),
            ],
            "Use it.",
        ),
        # what follows at a text's end is not known
        (
            [
                nodes.Text("Use it."),
                nodes.literal("", "b"),
                nodes.Text(" is next. Last."),
            ],
            "Use it.b is next.",
        ),
        (
            [
                nodes.Text("See "),
                nodes.footnote_reference("", "1"),
                nodes.Text(". Next."),
            ],
            "See .",
        ),
        ([nodes.literal("", "code. Only")], "code. Only"),
        (
            [nodes.reference("", "web", refuri="u", anonymous=1), nodes.Text(". N.")],
            "web.",
        ),
        ([nodes.reference("", "web", anonymous=1), nodes.Text(". N.")], "web."),
    ],
)
def test_first_sentence_of_markup(children: list[nodes.Node], sentence: str) -> None:
    paragraph = nodes.paragraph("", "", *children)
    before = paragraph.pformat()
    found = first_sentence(paragraph)
    assert "".join(n.astext() for n in found) == sentence
    assert paragraph.pformat() == before, "the paragraph is left as it was"
    assert all(n.parent is not paragraph for n in found)


def test_sentence_takes_no_ids_and_counts_no_anonymous_reference() -> None:
    paragraph = nodes.paragraph(
        "",
        "",
        nodes.emphasis("", "a", ids=["i"]),
        nodes.reference("", "web", anonymous=1),
        nodes.Text("."),
    )
    emphasis, reference, _dot = first_sentence(paragraph)
    assert emphasis["ids"] == []
    assert type(reference) is nodes.inline
