"""What a box finds, whatever a catalogue says: the script that pages run, on items and on built sites."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from asking import DATA, Box, data_of, item
from hypothesis import given, settings
from hypothesis import strategies as st
from sphinx.builders.html import StandaloneHTMLBuilder

from sphinxext_heuristics._core.evidence.messages import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asking import Answer
    from conftest import Built, Project

# -- messages -------------------------------------------------------------------------

DORA = "Cannot pass `adapter_names` when DoRA is enabled."
NANS = "NaNs detected in the merged weights. The adapter … seems to be broken"
NAME = (
    "Adapter name '…' should not be contained in the prefix '…'. "
    "This may lead to reinitialization of the adapter weights during loading."
)
CUT = (
    "Target modules … not found in the base model. Check the modules and try again, "
    "with the names of another layer"
)

ITEMS = [
    item("dora", messages=[("ValueError", DORA, "source")]),
    item("nans", messages=[("ValueError", NANS, "source")]),
    item("name", messages=[("UserWarning", NAME, "source")]),
    item(
        "prefix",
        messages=[
            ("ValueError", "… does not work with gradient checkpointing.", "source")
        ],
    ),
    item("short", messages=[("ValueError", "Not ready", "source")]),
    item("cut", messages=[("ValueError", CUT, "source")]),
    item(
        "needs",
        messages=[("ImportError", "This needs zoo >= 1.2 and 3 cages", "source")],
    ),
    item("said", messages=[("", "The lions of the zoo are hungry", "reported")]),
    item("ends", messages=[("", "This keeper feeds all animals but …", "source")]),
    item("none", messages=[("", "KeyError: None", "reported")]),
    item(
        "gate",
        messages=[
            (
                "",
                "GatePool(zoo='…', gate=…): Max animals exceeded at … (Caused by …)",
                "reported",
            )
        ],
    ),
    item(
        "many words",
        keywords=["the giraffe does not fit into the house of the elephants"],
    ),
]

TRACEBACK = """\
Traceback (most recent call last):
  File "train.py", line 12, in <module>
    model(x, adapter_names=["a", "b"])
    ~~~~~^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "layer.py", line 851, in _check_forward_args
    raise ValueError(msg)
{error}
"""


#: Words that say nothing, as the search of a site has them.
STOP = ("a", "and", "don't", "how", "is", "so", "the", "to", "why")


def asked(items: list[dict[str, Any]], text: str) -> list[Answer]:
    with Box(data_of(items, *STOP)) as box:
        return box.ask(text)


def titles(answers: list[Answer]) -> list[str]:
    return [answer.title for answer in answers]


def known(items: list[dict[str, Any]], text: str) -> list[str]:
    return titles([answer for answer in asked(items, text) if answer.is_known])


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (DORA, "dora"),
        (f"ValueError: {DORA}", "dora"),
        ("ValueError: Cannot pass adapter_names when DoRA is enabled.", "dora"),
        (TRACEBACK.format(error=f"ValueError: {DORA}"), "dora"),
        (f"I call it with two names.\n\nValueError: {DORA}\n\nWhat is wrong?", "dora"),
        # what is put in may be anything, also nothing
        (NANS.replace("…", "my lora"), "nans"),
        (NANS.replace("…", ""), "nans"),
        (f"The adapter default: {NANS.replace('…', 'my lora')}", "nans"),
        (NAME.replace("…", "x"), "name"),
        ("PREFIX_TUNING does not work with gradient checkpointing.", "prefix"),
        (f"{'A_LONG_NAME_' * 4} does not work with gradient checkpointing.", "prefix"),
        (f"This keeper feeds all animals but {'all the lions and ' * 4}bears", "ends"),
        # of several lines
        (
            TRACEBACK.format(
                error=DORA.replace("Cannot pass", "ValueError: Cannot pass\n")
            ),
            "dora",
        ),
        # a short one has its kind
        ("x.py:3: ValueError: Not  `ready`", "short"),
        ("x.py:3: KeyError: None", "none"),
        # numbers stand for any
        ("This needs zoo >= 2.10.1 and 12 cages", "needs"),
        # its end is missing
        ("ValueError: Cannot pass `adapter_names`", "dora"),
        ("NaNs detected in the merged weights. The ada", "nans"),
        (
            "x.py:\nValueError: Target modules ['a', 'b'] not found in the base mo",
            "cut",
        ),
        ("Target modules q not found in the base model. Check the mod...", "cut"),
        ("Target modules q not found in the base model. Check the mod…", "cut"),
        ("GatePool(zoo='a', gate=8): Max animals exceede", "gate"),
        # what a heuristic says that readers paste
        ("zoo.py: The lions of the zoo are hungry", "said"),
    ],
)
def test_a_message_is_known(text: str, title: str) -> None:
    assert known(ITEMS, text) == [title]


@pytest.mark.parametrize(
    "text",
    [
        # case counts
        "cannot pass `adapter_names` when dora is enabled.",
        "is enabled. DoRA when Cannot pass",
        TRACEBACK.format(
            error="ValueError: Cannot pass `adapter_names` if DoRA is enabled."
        ),
        TRACEBACK.format(error="ValueError: seems to be"),
        # too little of one
        "the adapter",
        "when DoRA",
        "ValueError: Target modules q",
        # another end
        "ValueError: Target modules q not found in the wood",
        "GatePool(zoo='a', gate=80): bananas are out of stock",
        "GatePool(zoo='a', gate=8): Max animals exceeded at the south",
        "ValueError: Cannot pass `adapter_names` if DoRA is enabled. Why?",
        # a short one without its kind, or with another
        "It is Not ready",
        "RuntimeError: Not ready",
        "RuntimeError: None",
        # other words around numbers
        "This wants zoo >= 2.10 and 12 cages",
        # keywords, of however many words
        "the giraffe does not fit into the house of the elephants",
        "… … … …",
        "",
    ],
)
def test_a_text_without_a_message_is_not_known(text: str) -> None:
    assert known(ITEMS, text) == []


LONG = (
    "the rest of this line is about something else, namely about all that the reader "
    "had for breakfast, about the weather and the way to the station"
)


@pytest.mark.parametrize(
    "text", [f"{DORA} {LONG}", f"{LONG} {DORA}", f"RuntimeError: {LONG} {DORA}"]
)
def test_a_message_that_is_a_small_part_of_a_line_is_not_known(text: str) -> None:
    assert known(ITEMS, text) == []
    assert known(ITEMS, text.replace(LONG, "why?"))


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[1;31mValueError\x1b[0m: Cannot pass adapter_names when DoRA is enabled.",
        "Cannot \x1b[1mpass\x1b[K adapter_names\x1b[2K when DoRA is enabled.",
        f"{'loading all that there is to load ' * 4}\r{DORA}",
        "[31mCannot pass adapter_names[0m when DoRA is enabled.",
        "[rank1]: Cannot pass\n[rank1]: adapter_names when DoRA\r\n[rank1]: is enabled.",
        "[rank0]:[rank0]: Cannot pass adapter_names when\n[1,0]<stderr>: DoRA is enabled.",
        "╭─ Error ─╮\n│ Cannot pass adapter_names  │\n│ when DoRA is enabled.      │\n╰────╯",
        "> > Cannot pass adapter_names\n> > when DoRA is enabled.",
        " 12%|█▏  | 3/24 [00:01<00:09, 2.30it/s]Cannot pass\n 15%|##  | 4/24 [?, ?it/s]\nadapter_names when DoRA is enabled.",
        "Cannot pass ‘adapter_names’ when “DoRA” is enabled.",
        "'Cannot pass \\'adapter_names\\' when DoRA is enabled.'",
        "Cannot pass\u2028adapter_names\u00a0when\u200b DoRA is enabled.",
        "Cannot pass\n   `adapter_names`\twhen DoRA is enabled.",
    ],
)
def test_what_is_around_a_message_does_not_matter(text: str) -> None:
    assert known(ITEMS, text) == ["dora"]


OUTPUT = """\
$ python train.py
zoo.py:3: HungerWarning: 12 of the lions called 'Leo' are hungry
They will bite the keepers of the zoo
Traceback (most recent call last):
  File "train.py", line 12, in <module>
    feed_all_the_lions_of("Leo")
keeper.FoodError: no
"""


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("HungerWarning: 3 of the lions called 'Nala' are hungry", True),
        ('of the lions called "Nala" are hungry', True),
        ("keeper.FoodError: no", True),
        ("HungerWarning: 3 of the bears called 'Nala' are hungry", False),
        # no error and no warning
        ("They will bite the keepers of the zoo", False),
        ('feed_all_the_lions_of("Leo")', False),
    ],
)
def test_errors_and_warnings_that_a_page_shows_are_known(
    text: str,
    is_known: bool,  # noqa: FBT001 - a row of a table
) -> None:
    found = asked([item("it", outputs=[OUTPUT]), *ITEMS], text)
    assert [one.title for one in found if one.is_known] == ["it"] * is_known
    assert [how for one in found for _, how in one.messages] == ["shown"] * is_known


def test_code_of_a_passage_that_may_be_a_message_is_known() -> None:
    it = item(
        "it",
        passages=[
            [
                "When \x7fthe giraffe is very tall\x7f is said, call \x7fopen_the_door()\x7f"
            ]
        ],
    )
    assert known([it], "ZooError: the giraffe is very tall") == ["it"]
    it["passages"].append(["Ends with \x7fZooKeeperError: closed_for_ever\x7f"])
    assert known([it], "ZooKeeperError: closed_for_ever") == ["it"]
    assert known([it], "open_the_door() of the giraffe") == []


# -- code from where it was raised ----------------------------------------------------

CODE = "weights = read_all_weights("

TRACES = [
    # Python
    """\
Traceback (most recent call last):
  File "/a/train.py", line 12, in <module>
    trainer.train()
    ~~~~~~~~~~~~~^^
  File "/a/zoo.py", line 3, in feed
    weights = read_all_weights(
        path,
    )
{error}
""",
    # of which another one has come
    """\
[rank0]: Traceback (most recent call last):
[rank0]:   File "/a/zoo.py", line 3, in feed
[rank0]:     weights = read_all_weights(
[rank0]: {error}

[rank0]: During handling of the above exception, another exception occurred:

[rank0]: Traceback (most recent call last):
[rank0]:   File "/a/train.py", line 12, in <module>
[rank0]:     trainer.train()
[rank0]: OSError: no file
""",
    # IPython
    """\
Cell In[3], line 1
----> 1 trainer.train()

File /a/zoo.py:3, in feed(self, animal)
      2 path = self.path
----> 3 weights = read_all_weights(
      4     path,

{error}
""",
    # of a cell itself
    """\
Cell In[3], line 1
----> 1 weights = read_all_weights(
      2     path,

{error}
""",
    # in a box
    """\
╭──────────── Traceback (most recent call last) ────────────╮
│ /a/zoo.py:3 in feed                                        │
│                                                            │
│     2 │   path = self.path                                 │
│ ❱   3 │   weights = read_all_weights(                      │
╰────────────────────────────────────────────────────────────╯
{error}
""",
]
QUOTING = [item("it", code=[CODE]), item("trainer", code=["trainer.train()"]), *ITEMS]


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("error", ["ValueError: no", "asyncio.exceptions.TimeoutError"])
def test_code_from_where_it_was_raised_is_known(trace: str, error: str) -> None:
    found = asked(QUOTING, trace.format(error=error))
    assert found[0].title in {"it", "trainer"}
    assert {one.title: one.code for one in found if one.is_known}["it"] == [CODE]


@pytest.mark.parametrize(
    "text",
    [
        TRACES[0].format(
            error='  File "b.py", line 1, in f\n    open(path)\nOSError: no'
        ),
        # where nothing was raised
        TRACES[0].partition("{")[0],
        CODE,
    ],
)
def test_code_of_another_frame_is_not_known(text: str) -> None:
    assert known(QUOTING, text) == []


def test_a_message_with_its_code_names_both() -> None:
    both = item("both", code=[CODE], messages=[("ValueError", DORA, "source")])
    (found,) = asked([both], TRACES[0].format(error=f"ValueError: {DORA}"))
    assert (found.messages, found.code) == ([[DORA, "source"]], [CODE])


# -- words ----------------------------------------------------------------------------


def filled(title: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an item with some words in each field that is not given."""
    filling = {
        "note": "some words",
        "keywords": ["some words"],
        "messages": [("", "some other words", "source")],
        "passages": [["some words " * 20]],
    }
    return item(title, **(filling | more))


#: Beside what is asked for: a word that all items have says nothing.
OTHERS = [filled(f"other number{at}") for at in range(9)]


def test_a_title_counts_more_than_keywords_these_than_a_note_and_the_text_least() -> (
    None
):
    items = [
        filled("text", passages=[["some giraffe " + "words " * 38]]),
        filled("note", note="giraffe words"),
        filled("message", messages=[("", "giraffe words", "source")]),
        filled("keywords", keywords=["giraffe words"]),
        filled("giraffe"),
    ]
    found = titles(asked([*items, *OTHERS], "giraffe"))
    assert found[:2] == ["giraffe", "keywords"]
    assert {*found[2:4]} == {"note", "message"}
    assert found[4:] == ["text"]


def test_what_is_known_comes_before_what_has_more_of_the_words() -> None:
    items = [
        item("Cannot pass adapter_names when DoRA is enabled", keywords=[DORA]),
        item("it", messages=[("ValueError", DORA, "source")]),
    ]
    found = asked([*items, *OTHERS], f"ValueError: {DORA}")
    assert [one.is_known for one in found] == [True, False]
    assert titles(found) == ["it", items[0]["title"]]


TITLES = [
    "Keep the giraffe out of the house",
    "A house for the giraffe",
    "Keep the house warm",
    "Feed the giraffe",
    "Out of hay",
    "Use `feed_all()` for the lions",
    "Lions don't eat hay",
]


@pytest.mark.parametrize("title", TITLES)
def test_titles_find_themselves(title: str) -> None:
    items = [filled(it, note=" ".join(TITLES)) for it in TITLES]
    assert asked(items, title)[0].title == title
    assert not asked(items, title)[0].is_known


def test_a_title_finds_itself_among_many_that_say_more() -> None:
    others = [
        filled(f"Lions {name}", note="Feeding lions", keywords=["feeding lions"])
        for name in ("hay", "day", "night", "zoo", "old", "ill", "new", "big")
    ]
    found = asked([*others, item("Feeding `the` lions"), *OTHERS], "Feeding the lions")
    assert found[0].title == "Feeding `the` lions"
    assert len(found) == 7


@pytest.mark.parametrize(
    "text",
    [
        *("girafe", "giraffes", "giraffa", "jiraffe", "graffe", "GIRAFFE", "Girafffe"),
        # with the other words of a question
        "why is the girafe so tall",
    ],
)
def test_a_typo_of_one_edit_finds_the_word(text: str) -> None:
    assert titles(asked([item("The giraffe"), *OTHERS], text)) == ["The giraffe"]


@pytest.mark.parametrize("text", ["giraf", "grafe", "birafes", "car", "giraffexy"])
def test_two_edits_or_another_short_word_find_nothing(text: str) -> None:
    items = [item("The giraffe"), item("A cat"), *OTHERS]
    assert asked(items, text) == []


@pytest.mark.parametrize(
    "text", ["don't", "don\N{RIGHT SINGLE QUOTATION MARK}t, and so", TRACES[0][:34]]
)
def test_what_says_nothing_finds_nothing(text: str) -> None:
    items = [item("Don or T"), item("The most recent call"), *OTHERS]
    assert asked(items, text) == []


def test_numbers_of_three_digits_are_words_where_they_are_known() -> None:
    items = [item("A 404 raises nothing"), item("The giraffe sleeps"), *OTHERS]
    assert titles(asked(items, "404")) == ["A 404 raises nothing"]
    numbers = " ".join(map(str, range(1000, 1030)))
    assert titles(asked(items, f"giraffe {numbers}")) == ["The giraffe sleeps"]
    assert asked(items, numbers) == []


def test_a_word_that_is_there_is_no_typo() -> None:
    items = [item("a house"), *(item(f"a horse {at}") for at in range(5)), *OTHERS]
    assert titles(asked(items, "house")) == ["a house"]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("The re-entrant door", "reentrant"),
        ("The reentrant door", "door re-entrant"),
        ("The re\N{NON-BREAKING HYPHEN}entrant door", "reentrant"),
        ("A re-entrant door", "entrant"),
        ("merge_and_unload first", "how to unload"),
        ("unload first", "first merge_and_unload"),
        ("merge_and_unload first", "merge_and_unload"),
        ("What lions' cubs eat", "lions"),
        ("It doesn't eat", "doesn\N{RIGHT SINGLE QUOTATION MARK}t"),
        ("It doesn\N{RIGHT SINGLE QUOTATION MARK}t eat", "doesn't"),
        ("What `eats` hay", "eats"),
        ("What 'eats' hay", "eats"),
        ("Größe und Straße", "GRÖSSE grösse größe"),
        ("合并权重", "如何合并"),
        ("8bit cages", "8bit"),
    ],
)
def test_what_joins_words_does_not_matter(title: str, text: str) -> None:
    assert titles(asked([item(title), *OTHERS], text)) == [title]


def test_at_most_seven() -> None:
    items = [item(f"giraffe {name}") for name in "abcdefghij"]
    assert len(asked([*items, *OTHERS], "giraffe")) == 7
    items = [item(f"{name}", messages=[("", DORA, "source")]) for name in "abcdefghij"]
    found = asked([*items, *OTHERS], DORA)
    assert [one.is_known for one in found] == [True] * 7


# -- what is quoted -------------------------------------------------------------------

PASSAGES = [
    ["A giraffe needs a tall door, which the smith makes."],
    ["The gate squeaks", ("What to do", "Oil the hinge of the gate.")],
    ["Lions sleep for \x7f20\x7f hours a day."],
]


@pytest.mark.parametrize(
    ("text", "passage"),
    [
        ("a tall door for the giraffe", PASSAGES[0]),
        # a row is quoted as a whole
        ("oil the hinge", ["The gate squeaks", ["What to do", PASSAGES[1][1][1]]]),
        ("zoo", None),
    ],
)
def test_a_section_quotes_the_passage_that_says_most_of_a_text(
    text: str, passage: list[Any] | None
) -> None:
    section = item("The zoo", severity="", passages=PASSAGES)
    (found,) = asked([section, *OTHERS], text)
    assert found.passage == passage


def test_a_heuristic_quotes_the_passage_with_a_known_message_only() -> None:
    passages = [*PASSAGES, ["See \x7fZooError: the gate is shut\x7f there"]]
    heuristic = item("The zoo", passages=passages)
    (found,) = asked([heuristic, *OTHERS], "a tall door for the giraffe")
    assert found.passage is None
    text = "a tall door for the giraffe\nZooError: the gate is shut"
    (found,) = asked([heuristic, *OTHERS], text)
    assert (found.is_known, found.passage) == (True, passages[-1])


# -- long and hostile texts -----------------------------------------------------------


def test_of_a_long_text_the_end_counts() -> None:
    filling = "a line of the log\n" * 60_000
    assert len(filling) > 2**20
    assert known(ITEMS, f"{filling}\nValueError: {DORA}") == ["dora"]
    assert known(ITEMS, f"ValueError: {DORA}\n{filling}") == []
    of_the_end = filling[: 50_000 - len(DORA) - 1]
    assert known(ITEMS, f"{filling}\n{DORA}\n{of_the_end}") == ["dora"]
    assert known(ITEMS, f"{filling}\n{DORA}\n{of_the_end} ") == []


def words(size: int) -> str:
    """Return words of which each is another."""
    return " ".join(f"w{at}ord" for at in range(size // 8))


def test_a_long_story_finds_what_a_few_of_its_words_are_about() -> None:
    about = "A giraffe moved its neck and the keeper fell"
    story = " ".join(f"nobody{at}knows" for at in range(50))
    items = [filled(about, keywords=[about]), *OTHERS]
    assert titles(asked(items, f"{story}. {about}. {story}")) == [about]
    assert titles(asked(items, f"{story}. A keeper? {story}")) == []


HOSTILE: dict[str, Callable[[int], str]] = {
    "a frame with one word": lambda size: "File a, line 1\n" + "a" * size,
    "different words": words,
    "different words joined": lambda size: words(size).replace(" ", "-"),
    "a log": lambda size: "2026-01-02 12:00:00 INFO zoo.py:12 all is well\n" * (size // 46),
    "a traceback": lambda size: TRACES[0].format(error="E: no") * (size // 180),
    "messages": lambda size: f"ValueError: {DORA}\n" * (size // 62),
} | {
    part: partial(lambda part, size: (part * size)[:size], part)
    for part in (
        *(" ", "7", "a", "ay", "é", "字", "\n", "\r", "\t x", "'", "`x", "a'", "a-", "_"),
        *("a_", "a.", "a.B", ".py", ".py in ", "x.py in \ncode\n", ">", "> ", "[0]:"),
        *("[rank0]: ", "\x1b[", "[1;", "1%|", "│", "…", "… ", "1 ", "~^", "-> 1 "),
        *("File ", "File a, line 1\n", "Cell In\nx\n", ": ", "x: ", "Error", "Error: "),
        *("AError:\n", "a.AError: x\n", "Target modules ", "Cannot pass ", "\U0001d4b3"),
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """Return a box that knows a lot."""
    items = [*QUOTING, item("shown", outputs=[OUTPUT]), *OTHERS]
    with Box(data_of(items, *STOP)) as it:
        yield it


def took(box: Box, text: str) -> float:
    """Return the seconds of the processor: a busy machine has others' work to do, too."""
    start = time.process_time()
    box.ask(text)
    return time.process_time() - start


@pytest.mark.parametrize("name", HOSTILE)
def test_twice_the_text_takes_about_twice_as_long(box: Box, name: str) -> None:
    text = HOSTILE[name]
    took(box, text(1_000))  # it is compiled
    for _try in range(4):
        short, long = took(box, text(12_000)), took(box, text(48_000))
        # four times as long; where a pattern began anew everywhere it is 16 times
        if long < max(8 * short, 0.1):
            return
    pytest.fail(f"12,000 letters take {short:.3f} s, 48,000 {long:.3f} s")


#: What the script looks for, in any order.
SNIPPETS = st.sampled_from([
    *("ValueError: ", "Traceback (most recent call last):\n", '  File "a.py", line 1\n', "\n", " ", "…", "...", "[…]"),
    *("Cannot pass ", "`adapter_names` ", "when DoRA is enabled.", CODE, "1.5", "7", "\x1b[31m", "| ", "> ", "[rank0]: "),
    *("giraffe", "re-entrant", "merge_and_unload", "don't", "'", '"', "\\", "字", "é", "\ud800", "\0", "𝒳", "-", "_", ":"),
])  # fmt: skip
TEXTS = st.text() | st.lists(SNIPPETS).map("".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_any_text_is_answered(box: Box, text: str) -> None:
    found = box.ask(text)
    assert len({one.at for one in found}) == len(found) <= 7
    assert [one.is_known for one in found] == sorted(
        (bool(one.messages or one.code) for one in found), reverse=True
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_any_message_is_known_by_itself(said: list[str]) -> None:
    messages = [f"x{one_line(text)}y" for text in said]
    items = [
        item(str(at), messages=[("ValueError", text, "source")])
        for at, text in enumerate(messages)
    ]
    with Box(data_of(items)) as box:
        for text in messages:
            found = box.ask(f"ValueError: {text}")
            assert any(one.is_known for one in found), text


# -- a site ---------------------------------------------------------------------------

SITE = """
=== conf.py
extensions = ["sphinxext_heuristics"]
=== index.rst
Zoo
===

.. toctree::

   door
   hay
   guide

.. heuristic-messages::
=== zoo.py
def feed(animal):
    keeper.counts_all_animals_again()
    if animal is None:
        raise ValueError(f"{animal} cannot be fed: there is no food left for it.")
    keeper.opens_the_door_of(animal, key=7)
=== door.rst
.. heuristic:: Door
   :title: Closing the door
   :note: Before merging two herds, close the ``door``.
   :workflow: guide
   :keywords: the giraffe ran away from the zoo at night
   :messages:
     ZooError: the … of the door, the big one, is lost
     the hinges of the door are too small for …

   .. evidence:: zoo:feed

      keeper.opens_the_door_of(animal, key=7)

   .. evidence:: zoo:feed

      keeper.counts_all_animals_again()
=== hay.rst
.. heuristic:: Hay
   :note: Buy hay in time
   :workflow: guide

   The herd gets thin.

   .. evidence:: zoo:feed

      keeper.counts_all_animals_again()

   .. evidence:: zoo:feed

      raise ValueError(f"{animal} cannot be fed: there is no food left for it.")
=== guide.rst
Keeping animals
===============

{lines}

At night
--------

.. code-block:: {language}

   zoo.GateError: the hinge of gate 4 is very dry

A penguin swims in cold water, also in winter.
""".replace("{lines}", "All of them want to eat from morning to evening. " * 4)


@pytest.fixture(scope="module")
def zoo(shared_project: Callable[..., Project]) -> Project:
    return shared_project(SITE.replace("{language}", "text"))


#: Where the site's keeper has failed.
RAISED = """\
Traceback (most recent call last):
  File "zoo.py", line 4, in feed
    keeper.opens_the_door_of(animal, key=7)
OSError: it is stuck
"""


def box_of(built: Built) -> Box:
    return Box(built.read(DATA.as_posix()))


@pytest.fixture(scope="module")
def keeper(zoo: Project) -> Iterator[Box]:
    """Return the box of the zoo's site."""
    with box_of(zoo.ok("html")) as it:
        yield it


@pytest.mark.parametrize(
    ("text", "title", "message", "code"),
    [
        (
            "ValueError: Leo cannot be fed: there is no food left for it.",
            "Hay",
            ["… cannot be fed: there is no food left for it.", "source"],
            "",
        ),
        (
            "ZooError: the key of the door, the big one, is lost",
            "Closing the door",
            ["the … of the door, the big one, is lost", "reported"],
            "",
        ),
        (
            "the hinges of the door are too small for Leo",
            "Closing the door",
            ["the hinges of the door are too small for …", "reported"],
            "",
        ),
        (
            "zoo.GateError: the hinge of gate 12 is very dry",
            "At night",
            ["the hinge of gate 4 is very dry", "shown"],
            "",
        ),
        (RAISED, "Closing the door", None, "keeper.opens_the_door_of(animal, key=7)"),
    ],
)
def test_what_a_build_makes_known(
    keeper: Box, text: str, title: str, message: list[str] | None, code: str
) -> None:
    found = keeper.ask(text)
    (it,) = (answer for answer in found if answer.is_known)
    assert (it.title, it.messages) == (title, [message] if message else [])
    assert it.code == ([code] if code else [])
    assert found[0] == it


def test_code_that_several_quote_makes_none_of_them_known(keeper: Box) -> None:
    text = RAISED.replace(
        "keeper.opens_the_door_of(animal, key=7)", "keeper.counts_all_animals_again()"
    )
    assert text != RAISED
    assert not any(one.is_known for one in keeper.ask(text))


@pytest.mark.parametrize("language", ["console", "pytb"])
def test_other_blocks_of_output_are_output(
    project: Callable[..., Project], language: str
) -> None:
    built = project(SITE.replace("{language}", language)).ok("html")
    with box_of(built) as box:
        (found,) = box.ask("GateError: the hinge of gate 9 is very dry")
    assert (found.title, found.is_known) == ("At night", True)


def test_a_block_of_code_is_no_output(project: Callable[..., Project]) -> None:
    built = project(SITE.replace("{language}", "none")).ok("html")
    with box_of(built) as box:
        found = box.ask("GateError: the hinge of gate 9 is very dry")
    assert not any(one.is_known for one in found)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("merged herds", "Closing the door"),
        ("merges, herd", "Closing the door"),
        ("the giraffes run away", "Closing the door"),
        ("a thin herd", "Hay"),
        ("penguins swimming in the winter", "At night"),
        ("keep animal", "Keeping animals"),
    ],
)
def test_endings_do_not_matter(keeper: Box, text: str, title: str) -> None:
    (found, *_more) = keeper.ask(text)
    assert (found.title, found.is_known) == (title, False)


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "which of these is it, and how do they do that to you",
        "How do I bake bread with more flour than usual in my old oven?",
        "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
        "npm ERR! code ERESOLVE\nnpm ERR! could not resolve",
        "12 345 6.7",
        "¯\\_(ツ)_/¯",
        "",
        " \n",
    ],
)
def test_nothing_is_said_to_a_text_about_something_else(keeper: Box, text: str) -> None:
    assert keeper.ask(text) == []


@pytest.mark.parametrize(
    ("language", "title", "text", "nothing"),
    [
        ("de", "Größere Häuser bauen", "hauses", "nicht auch aber"),
        ("de", "Größere Häuser bauen", "GRÖSSERE GRÖßERES", "wir hatten"),
        ("fr", "Fusionner les adaptateurs", "fusionnant", "nous avons"),
        ("ru", "Слияние адаптеров", "адаптера", "но не он"),
        ("ja", "重みをマージする", "マージの重み", "りんご"),
        ("zh", "合并权重", "如何合并权重", "苹果"),
        ("zh", "合并 merging", "merged", "which of these"),
    ],
)  # fmt: skip
def test_words_are_those_of_the_language(
    project: Callable[..., Project], language: str, title: str, text: str, nothing: str
) -> None:
    site = SITE.replace("Closing the door", title).replace("{language}", "text")
    built = project(site).ok("html", "-D", f"language={language}")
    with box_of(built) as box:
        assert title in titles(box.ask(text))
        assert box.ask(nothing) == []


@pytest.mark.parametrize(
    ("builder", "page"),
    # a site of one page has no other for its search
    [("html", "search.html"), ("dirhtml", "search/"), ("singlehtml", "")],
)
def test_the_page_of_the_search_is_there(zoo: Project, builder: str, page: str) -> None:
    with box_of(zoo.ok(builder)) as box:
        assert box.search() == page
        assert titles(box.ask("merge")) == ["Closing the door"]


def test_without_a_search_words_are_as_they_are(
    zoo: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StandaloneHTMLBuilder, "search", False)
    with box_of(zoo.ok("html", out="plain")) as box:
        assert box.search() == ""
        assert titles(box.ask("merging")) == ["Closing the door"]
        assert box.ask("merge") == []


# -- passages of a site ---------------------------------------------------------------

NAMED = """
=== conf.py
extensions = ["myst_parser", "sphinxext_heuristics"]
=== index.md
# Zoo

```{toctree}
Hay
Food
guides/gates
guides/locks
other/locks
```

```{heuristic-messages}
```

## Gates

The lock of gate four squeaks: {heuristic}`Hay`, {heuristic}`oil <Food>`, {ref}`at-night`, {doc}`guides/locks`, [](guides/locks.md), {ref}`by day <at-night>`; `gate four has a squeak`.

(at-night)=
### At *night*

Closed.

| What squeaks | Why | What to do |
| --- | --- | --- |
| the hinge of gate seven | it is dry | oil it, see [](guides/locks.md) |
=== guides/gates.md
# Gates of the zoo
=== guides/locks.md
# Locks of the zoo
=== other/locks.md
# Other locks
=== Hay.md
```{heuristic} Hay
:title: Buy hay
:note: In time
:workflow: index
```
=== Food.md
```{heuristic} Food
:note: In time
:workflow: index
```
"""


def test_a_passage_is_quoted_as_the_page_shows_it(
    project: Callable[..., Project],
) -> None:
    with box_of(project(NAMED).ok("html")) as box:
        found = box.ask("gate four has a squeak")
        assert (found[0].title, found[0].is_known) == ("Gates", True)
        (passage,) = found[0].passage
        assert passage == (
            "The lock of gate four squeaks: Buy hay, oil, At night, Locks of the zoo, "
            "Locks of the zoo, by day; \x7fgate four has a squeak\x7f."
        )
        (found, *_more) = box.ask("oil the dry hinge of gate seven")
        assert (found.title, found.is_known) == ("At night", False)
        assert found.passage == [
            "the hinge of gate seven",
            ["Why", "it is dry"],
            ["What to do", "oil it, see Locks of the zoo"],
        ]
