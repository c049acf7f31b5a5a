"""The four values of the plan: each is made of what it needs, and answers without the rest."""

from __future__ import annotations

from types import SimpleNamespace

from sphinxext_heuristics._core.model import (
    Connection,
    Entry,
    Evidence,
    Heuristic,
    Lost,
    LostReason,
    Message,
    Page,
    Query,
)
from sphinxext_heuristics._core.resolve.catalogue import Catalogue
from sphinxext_heuristics._core.resolve.meanings import Meanings
from sphinxext_heuristics._core.resolve.objects import Objects
from sphinxext_heuristics._core.resolve.pages import External, Pages
from sphinxext_heuristics._core.resolve.placing import Placing
from sphinxext_heuristics._core.resolve.quotes import Quotes
from sphinxext_heuristics._core.resolve.records import Form, Place
from sphinxext_heuristics._core.source.answers import Answers
from sphinxext_heuristics._core.source.packages import Sources

QUOTE = Evidence("pkg.core", "run", "raise E('no')", prose=False, source="/a.md", line=9)  # fmt: skip
ROUND = Heuristic(
    name="Round", anchor="round", source="/src/round.md", line=1, docname="round", title="Round it",
    connections=(Connection("impl", "pkg.Oven.bake"), Connection("workflow", "guide")), evidence=(QUOTE,),
)  # fmt: skip
OLD = ROUND._replace(
    name="Old", anchor="old", docname="old", source="/src/old.md", until="1"
)
OVEN = Entry(("pkg.Oven.bake",), ("pkg.core.Oven.bake",), "pkg.Oven.bake")
GRILL = Entry(
    ("pkg.Grill.bake",), ("pkg.core.Grill.bake", "pkg.core.Oven.bake"), "pkg.Grill.bake"
)
PAGES = {
    "api": Page(
        entries=(OVEN, GRILL), sections=(("api",),), titles=("Reference",)
    ),
    "guide": Page(
        sections=(("guide",), ("hot",)),
        titles=("Guide", "Too hot"),
        queries=(Query("heuristics-for", (("target", ("Old",)),), section="hot"),),
    ),
    "round": Page(heuristics=(ROUND,)),
    "old": Page(heuristics=(OLD,)),
}  # fmt: skip


def catalogue() -> Catalogue:
    return Catalogue(PAGES, version="2")


def meanings(known: Catalogue) -> Meanings:
    entries = (entry for _docname, entry in known.all_entries)
    external = External(SimpleNamespace())  # type: ignore[arg-type]
    objects = Objects(entries, {}, Answers({}, Sources([])))
    return Meanings(known, objects, Pages(PAGES, {}), external, Sources([]))


def test_a_catalogue_is_made_of_what_was_read() -> None:
    known = catalogue()
    assert [*known.heuristics] == ["Round", "Old"]
    assert known.lookup("Round") is ROUND
    assert known.title("guide", "hot") == "Too hot"
    assert known.entries("api") == (OVEN, GRILL)
    assert known.holds(ROUND)
    assert not known.holds(OLD)


def test_meanings_need_no_quote_and_no_place() -> None:
    known = meanings(catalogue())
    method, page = known.connections(ROUND)
    assert [*method.reached] == ["pkg.Oven.bake", "pkg.Grill.bake"]
    assert page.place == Place("guide")
    assert known.selection((("workflow", ("guide",)),)) == (ROUND, OLD)


def test_quotes_need_no_page() -> None:
    lost = Lost(LostReason.NOT_THERE, "gone")
    said = Message("E", "no")
    quotes = Quotes(
        "pkg", "2", verify=lambda _quoted: lost, messages=lambda _quoted: (said,), installed=lambda _name: "3"
    )  # fmt: skip
    assert quotes.verify(QUOTE) is lost
    assert quotes.messages(ROUND) == ((said, QUOTE),)
    assert quotes.release_of(QUOTE) == "pkg 2"
    assert quotes.release_of(QUOTE._replace(module="other")) == "other 3"


def test_placing_is_made_of_catalogue_and_meanings() -> None:
    known = catalogue()
    placing = Placing(known, meanings(known), excluded={"nowhere"})
    (oven, _old), (grill, _old_copy) = placing.verdicts("api")
    assert oven.form is Form.FULL
    assert (grill.form, grill.full_at) == (Form.TITLE, OVEN)
    assert [it.name for it in placing.shown_in["Round"]] == [
        "pkg.Oven.bake",
        "pkg.Grill.bake",
    ]
    assert "Old" not in placing.shown_in
    assert placing.by_page == {"guide": {"": [ROUND]}}
    (by_hand,) = placing.by_hand
    assert by_hand.place == Place("guide", "hot")
    assert by_hand.heuristics == (OLD,)
    assert placing.kept_free("nowhere")
