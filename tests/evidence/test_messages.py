"""Messages in evidence: what is taken from quotes, the index of them, and what a pasted text fits."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from commands import run
from conftest import ROOT
from exported import data_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sphinx.search.en import SearchEnglish

from sphinxext_heuristics._core.evidence import search
from sphinxext_heuristics._core.evidence.guessed import guesses
from sphinxext_heuristics._core.evidence.messages import (
    ANYTHING,
    among,
    in_quote,
    messages_in,
    one_line,
)
from sphinxext_heuristics._core.evidence.pasted import (
    Asked,
    Excerpt,
    Known,
    Section,
    answers,
    fit,
    keyword,
    plain,
    quoted,
    shown_in,
    stems,
    traced,
)
from sphinxext_heuristics._core.model import Evidence, Message
from sphinxext_heuristics._core.resolve.records import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Built, Project


def evidence(quote: str, *, prose: bool = False) -> Evidence:
    return Evidence(
        module="zoo", qualname="", quote=quote, prose=prose, source="", line=1
    )


def pairs(found: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(message.kind, message.text) for message in found]


# -- quotes by themselves -------------------------------------------------------------

QUOTES: dict[str, list[tuple[str, str]]] = {
    'raise ValueError("Cannot do it")': [("ValueError", "Cannot do it")],
    'raise ValueError("Cannot do it") from error': [("ValueError", "Cannot do it")],
    'raise exceptions.DeepError(f"{a} and " "b")': [("DeepError", "… and b")],
    'raise Http404("no such page")': [("Http404", "no such page")],
    'raise self.wrong("no such page")': [],
    'raise OSError(errno.ENOENT, "no file", path)': [("OSError", "no file")],
    'raise ClientError(status=404, message="not there")': [
        ("ClientError", "not there")
    ],
    "raise ValueError(name)": [],
    "raise ValueError": [],
    "raise": [],
    'raise KeyError("adapter_name")': [("KeyError", "adapter_name")],
    # f-strings
    'raise ValueError(f"NaNs in {x!r:>{w}} and {y=} {{z}}")': [
        ("ValueError", "NaNs in … and y=… {z}")
    ],
    'raise ValueError(f"{a}{b} {c} is bad")': [("ValueError", "… is bad")],
    'raise ValueError(\n    f"one {a}\\n"\n    "two   three"\n)': [
        ("ValueError", "one … two three")
    ],
    # other ways to put something in
    'raise ValueError("%s of %(n)5.2f, 100%%" % (a, b))': [
        ("ValueError", "… of …, 100%")
    ],
    'raise ValueError("{} of {n:>{w}}.".format(a, n=b))': [("ValueError", "… of ….")],
    'raise ValueError("{ broken".format(a))': [("ValueError", "{ broken")],
    'raise ValueError("have " + name + ", want " + str(other) + ".")': [
        ("ValueError", "have …, want ….")
    ],
    'raise ValueError(", ".join(["a b", name]))': [],
    # warnings
    'warnings.warn("mind it")': [("UserWarning", "mind it")],
    'warn("mind it")': [("UserWarning", "mind it")],
    'warnings.warn("mind it", FutureWarning, stacklevel=2)': [
        ("FutureWarning", "mind it")
    ],
    'warnings.warn("mind it", category=zoo.ZooWarning)': [("ZooWarning", "mind it")],
    'warnings.warn(message="mind it")': [("UserWarning", "mind it")],
    'warnings.warn("mind it", category)': [("Warning", "mind it")],
    'warnings.filterwarnings("ignore", message="mind it")': [],
    # logs
    'logger.warning("took %s", seconds)': [("log", "took …")],
    'logger.warning("took 100% of it")': [("log", "took 100% of it")],
    'logging.getLogger(__name__).error(f"took {s}")': [("log", "took …")],
    "logger.setLevel('no level')": [],
    "parser.error('no log')": [],
    "logger.warning_once('once')": [("log", "once")],
    # by a name
    'msg = f"no {a} here"\nraise ValueError(msg)': [("ValueError", "no … here")],
    'if a:\n    m = "no a"\nelse:\n    m = "no b"\nraise ValueError(m)': [
        ("ValueError", "no a"),
        ("ValueError", "no b"),
    ],
    'msg = "one"\nraise KeyError(msg)\nmsg = "two"\nraise ValueError(msg)': [
        ("KeyError", "one"),
        ("ValueError", "two"),
    ],
    'm = "no"\nif a:\n    raise KeyError(m)\nraise ValueError(m)': [
        ("KeyError", "no"),
        ("ValueError", "no"),
    ],
    'm = "no"\nif a:\n    m = "none"\n    raise KeyError(m)\nraise ValueError(m)': [
        ("KeyError", "none"),
        ("ValueError", "no"),
    ],
    'm = "no"\nif a:\n    m = "none"\nraise ValueError(m)': [
        ("ValueError", "none"),
        ("ValueError", "no"),
    ],
    'try:\n    m = "no"\nexcept E:\n    m = "none"\nfinally:\n    raise V(m)': [
        ("V", "no"),
        ("V", "none"),
    ],
    'try:\n    m = "no"\n    open(m)\nexcept E:\n    raise V(m)': [("V", "no")],
    'for a in b:\n    with a:\n        m = "no"\nraise V(m)': [("V", "no")],
    'match a:\n    case 1:\n        m = "no"\n    case _:\n        m = "none"\nwarn(m)': [
        ("UserWarning", "no"),
        ("UserWarning", "none"),
    ],
    'm = "no"\ndef nested():\n    m = "other"\n    return m\nraise ValueError(m)': [
        ("ValueError", "no")
    ],
    'def nested():\n    m = "other"\nraise ValueError(m)': [],
    'm = "no"\nclass A:\n    def b(self, m):\n        raise ValueError(m)': [],
    'if (warn("no")):\n    pass\nelif warn("none"):\n    pass': [
        ("UserWarning", "no"),
        ("UserWarning", "none"),
    ],
    'classifier_names = ["classifier", "the score"]': [],
    'msg = "nobody says this"': [],
    # what is around them
    'if bad:\n    raise ValueError("no")': [("ValueError", "no")],
    'raise ValueError(\n    "not closed"': [],
    '"only the words"': [],
    '"""A docstring with words."""': [],
    'help="words of help"': [],
    "# a comment": [],
    "": [],
    'raise ValueError(b"bytes are none")': [],
    'raise ValueError("\\x1b[31mred\\x1b[0m and \\ud800")': [
        ("ValueError", "…[31mred…[0m and …")
    ],
}


@pytest.mark.parametrize("quote", QUOTES)
def test_messages_of_a_quote(quote: str) -> None:
    assert pairs(in_quote(evidence(quote))) == QUOTES[quote]


def test_a_log_call_with_arguments_above_the_quoted_lines() -> None:
    tree = ast.parse(
        'logger.warning("low on %s: %d", what, left)\nraise ValueError("No more")\n'
    )
    assert pairs(among(messages_in(tree), 1, 1)) == [("log", "low on …: …")]
    assert pairs(among(messages_in(tree), 2, 2)) == [("ValueError", "No more")]


def test_prose_alone_does_not_tell_whether_it_is_a_message() -> None:
    assert in_quote(evidence("Cannot do it", prose=True)) == ()


SNIPPETS = st.sampled_from([
    "raise ", "ValueError(", '"a b"', "f'{x} y'", "%", ".format(", ")", "warnings.warn(", "msg = ", "\n", "    ", "+",
    "logger.warning(", "if x:", "else:", "assert a, ", '"""', "{", "}", "\\", "#", ",", "\0", "…", "'", "m += ",
])  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.lists(SNIPPETS).map("".join)), st.booleans())
def test_no_quote_raises(quote: str, prose: bool) -> None:  # noqa: FBT001 - hypothesis
    for message in in_quote(evidence(quote, prose=prose)):
        assert message.text.isprintable()
        assert message.text == one_line(message.text)
        assert message.text.strip(ANYTHING)
        assert (
            fit(quoted(message), plain(f"{message.kind}: {message.text}"))
            or "`" in message.text
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "quote",
    [
        "raise ValueError(" + "'a' + " * 20_000 + "'b')",
        "raise ValueError(" + "x + " * 900 + "'b c')",
        "ValueError(" * 3_000,
        "(" * 20_000 + '"a b"',
        '"a b"\n' * 20_000,
        "f'{" * 10_000,
        "%(" * 30_000,
        'm = "a b"\nraise ValueError(m)\n' * 2_000,
    ],
)
def test_long_quotes_take_no_long_time(quote: str) -> None:
    took = []
    for _try in range(3):  # a busy machine slows processor time, too
        start = time.process_time()
        in_quote(evidence(quote))
        took.append(time.process_time() - start)
        if took[-1] < 4:
            break
    assert min(took) < 4


# -- quotes in their source -----------------------------------------------------------

ZOO = '''\
import warnings


def feed(animal, food):
    """Feed an animal, and only one animal at a time."""
    if food is None:
        raise ValueError(
            f"{animal} cannot be fed: "
            "there is no food left for it."
        )
    if food == "hay":
        msg = "Hay is not enough for %s in winter" % animal
        warnings.warn(msg, FutureWarning)
    if not animal:
        raise RuntimeError("The zoo is closed today")
    parser.add_argument("--food", help="what the animal shall eat")


def other(msg):
    warnings.warn(msg)
'''


def quoted_in(first: int, last: int = 0) -> list[tuple[str, str]]:
    return pairs(among(messages_in(ast.parse(ZOO)), first, last or first))


FED = ("ValueError", "… cannot be fed: there is no food left for it.")
HAY = ("FutureWarning", "Hay is not enough for … in winter")
CLOSED = ("RuntimeError", "The zoo is closed today")


def test_the_whole_message_is_listed_where_a_part_is_quoted() -> None:
    assert quoted_in(9) == [FED]
    assert quoted_in(8) == [FED]
    assert quoted_in(7, 10) == [FED]
    assert quoted_in(6, 15) == [FED, HAY, CLOSED]


def test_a_name_is_followed_to_where_it_is_said() -> None:
    assert quoted_in(12) == [HAY]
    assert quoted_in(13) == [HAY]
    assert quoted_in(20) == [], "a name of one function is unknown in another"


def test_other_strings_of_the_lines_are_none() -> None:
    assert quoted_in(5) == []
    assert quoted_in(11) == []
    assert quoted_in(16) == []


# -- fitting --------------------------------------------------------------------------

DORA = Message(
    kind="ValueError", text="Cannot pass `adapter_names` when DoRA is enabled."
)
NANS = Message(
    kind="ValueError",
    text="NaNs detected in the merged weights. The adapter … seems to be broken",
)
NAME = Message(
    kind="UserWarning",
    text="Adapter name '…' should not be contained in the prefix '…'. "
    "This may lead to reinitialization of the adapter weights during loading.",
)
PREFIX = Message(kind="ValueError", text="… does not work with gradient checkpointing.")
SHORT = Message(kind="ValueError", text="Not ready")

TRACEBACK = """\
Traceback (most recent call last):
  File "train.py", line 12, in <module>
    model(x, adapter_names=["a", "b"])
    ~~~~~^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "layer.py", line 851, in _check_forward_args
    raise ValueError(msg)
{error}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DORA.text, DORA),
        ("ValueError: Cannot pass adapter_names when DoRA is enabled.", DORA),
        ("Cannot pass\n   `adapter_names`\twhen DoRA is enabled.", DORA),
        (TRACEBACK.format(error=f"ValueError: {DORA.text}"), DORA),
        (
            "The adapter default: NaNs detected in the merged weights. The adapter my lora seems to be broken",
            NANS,
        ),
        ("NaNs detected in the merged weights. The adapter  seems to be broken", NANS),
        (NAME.text.replace("…", "x"), NAME),
        ("PREFIX_TUNING does not work with gradient checkpointing.", PREFIX),
        ("x.py:3: ValueError: Not  `ready`", SHORT),
    ],
)
def test_a_text_that_has_all_of_a_message(text: str, message: Message) -> None:
    pieces = quoted(message).pieces
    assert fit(quoted(message), plain(text)) == sum(map(len, pieces))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adapter_names when DoRA", DORA),
        ("DoRA is enabled", DORA),
        ("ValueError: Cannot pass `adapter_names`", DORA),
        ("seems to be broken", NANS),
        ("lead to reinitialization of the adapter weights", NAME),
    ],
)
def test_a_text_that_is_a_part_of_a_message(text: str, message: Message) -> None:
    assert fit(quoted(message), plain(text)) == len(
        plain(text).removeprefix("ValueError: ")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cannot pass `adapter_names` when dora is enabled.", DORA),  # case counts
        ("when DoRA", DORA),
        ("is enabled. DoRA when Cannot pass", DORA),
        ("the adapter", NANS),
        (
            TRACEBACK.format(
                error="ValueError: Cannot pass `adapter_names` if DoRA is enabled."
            ),
            DORA,
        ),
        (TRACEBACK.format(error="ValueError: seems to be"), NANS),
        ("the adapter_name is here", SHORT),
        ("", NANS),
        ("… … … …", NANS),
        ("It is not ready, Not ready, no", SHORT),
        ("RuntimeError: Not ready", SHORT),
    ],
)
def test_a_text_that_fits_no_message(text: str, message: Message) -> None:
    assert not fit(quoted(message), plain(text))


CUT = Message(
    kind="ValueError",
    text="Target modules … not found in the base model. Check the modules and try again",
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("Target modules {'q'} not found in the base model. Please do", 44),
        ("Target modules {'q'} not found in the base model. Check the mod", 44),
        ("x.py:\nValueError: Target modules ['a', 'b'] not found in the base mo", 40),
        ("Target modules q not found in the base model. Check it...", 44),
        ("ValueError: Target modules q not found in the wood", 0),
        ("ValueError: Target modules q", 0),
    ],
)
def test_a_message_whose_end_is_missing(text: str, size: int) -> None:
    assert fit(quoted(CUT), plain(text)) == size


def test_a_long_fixed_part_is_enough_of_a_message() -> None:
    assert fit(
        quoted(NANS), plain("NaNs detected in the merged weights. The adapter x")
    )
    text = "ValueError: Cannot pass `adapter_names` if DoRA is enabled."
    assert not fit(quoted(DORA), plain(f"{text} Why?"))


def test_numbers_stand_for_any_and_equal_ones_fit_better() -> None:
    old = Message(kind="ImportError", text="This needs zoo >= 1.2, not 8-bit cages 3")
    assert fit(
        quoted(old), plain("ImportError: This needs zoo >= 2.10, not 8-bit cages 7")
    )
    assert not fit(quoted(old), plain("This needs zoo >= 2.10, not 4-bit cages 7"))
    rank, base = shown_in(
        [
            "E: size mismatch\nRuntimeError: sizes of […]lora_A[…]: [64, 40] in the file, [8, 40] here.",
            "RuntimeError: sizes of […]lora_A[…]: [16, 50] in the file, [16, 40] here.",
        ]
    )
    other_rank = plain(
        "RuntimeError: sizes of q.lora_A.w: [4, 512] in the file, [2, 512] here."
    )
    other_base = plain(
        "RuntimeError: sizes of q.lora_A.w: [4, 512] in the file, [4, 768] here."
    )
    assert fit(rank, other_rank) > fit(base, other_rank) > 0
    assert fit(base, other_base) > fit(rank, other_base) > 0


PRINTED = """\
$ python train.py
zoo.py:3: HungerWarning: 12 of the lions called 'Leo' are hungry
They will bite […] or more keepers.
Traceback (most recent call last):
  File "train.py", line 12, in <module>
    feed_all_the_lions_of("Leo")
keeper.FoodError: no
"""


def test_what_a_page_shows_are_its_lines_of_errors_and_warnings() -> None:
    assert [(*one.message, one.pieces) for one in shown_in([PRINTED])] == [
        (
            "HungerWarning",
            "12 of the lions called … are hungry",
            (" of the lions called ", " are hungry"),
        ),
        (
            "",
            "They will bite … or more keepers.",
            ("They will bite ", " or more keepers."),
        ),
    ]
    assert not list(shown_in(["All is well in this zoo of 12 lions"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["a" * 2**20, " " * 2**20, "a b " * 2**18, "Cannot pass " * 2**17, "…" * 2**20],
)
def test_a_megabyte_takes_no_long_time(text: str) -> None:
    start = time.process_time()
    for message in (DORA, NANS, NAME, PREFIX, SHORT):
        fit(quoted(message), plain(text))
    assert time.process_time() - start < 6
    assert fit(quoted(DORA), plain(f"{text}\n{DORA.text}"))


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_any_text_is_compared_with_any_message(text: str, said: str) -> None:
    message = Message(kind="ValueError", text=one_line(f"x{said}y"))
    assert fit(quoted(message), plain(text)) >= 0
    assert fit(quoted(message), plain(f"{text}\nValueError: {message.text}"))


# -- asking ---------------------------------------------------------------------------

BASE = Known(
    title="Prepare the base",
    note="Call `prepare_base` first",
    messages=(quoted(DORA), quoted(SHORT)),
    keywords=tuple(
        map(keyword, ("KeyError: None", "loss stuck", "resume", "resume training"))
    ),
    code=(("weights = read_all_weights(",) * 2,),
    words=("prepar bas los stuck resum train", "call first", "adapter weight"),
)
SAFE = Known(
    title="Check the weights",
    note="Use `safe_merge`",
    messages=(quoted(NANS), quoted(DORA)),
    keywords=tuple(map(keyword, ("weights do not change", "größer", "训练"))),
    code=(),
    words=("check weight change", "safe merg", "train"),
)


def told(text: str) -> list[tuple[str, list[str], list[str]]]:
    """Return title, texts of messages and keywords of what knows of a text."""
    known = [BASE, SAFE]
    return [
        (
            known[found.at].title,
            [one.message.text for one in found.messages],
            list(found.keywords),
        )
        for found in answers(known, text)
    ]


def quoting(text: str) -> list[str]:
    return [title for title, messages, _keywords in told(text) if messages]


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[1;31mValueError\x1b[0m: Cannot pass adapter_names when DoRA is enabled.",
        "[31mCannot pass adapter_names[0m when DoRA is enabled.",
        "[rank1]: Cannot pass\n[rank1]: adapter_names when DoRA\r\n[rank1]: is enabled.",
        "[rank0]:[rank0]: Cannot pass adapter_names when\n[1,0]<stderr>: DoRA is enabled.",
        "╭─ Error ─╮\n│ Cannot pass adapter_names  │\n│ when DoRA is enabled.      │\n╰────╯",
        "> > Cannot pass adapter_names\n> > when DoRA is enabled.",
        " 12%|█▏  | 3/24 [00:01<00:09, 2.30it/s]Cannot pass\n 15%|##  | 4/24 [?, ?it/s]\nadapter_names when DoRA is enabled.",
        "Cannot pass ‘adapter_names’ when “DoRA” is enabled.",
        "'Cannot pass \\'adapter_names\\' when DoRA is enabled.'",
        "Cannot pass\u2028adapter_names\u00a0when\u200b DoRA is enabled.",
    ],
)
def test_what_is_around_a_message_does_not_matter(text: str) -> None:
    assert quoting(text) == ["Prepare the base", "Check the weights"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x.py:3: in f\nKeyError: None", [("Prepare the base", ["KeyError: None"])]),
        ("会报KeyError: None，请问", [("Prepare the base", ["KeyError: None"])]),
        ("The WEIGHTS\n do not change!", [("Check the weights", ["weights do not change"])]),
        (
            "How do I resume training? The loss, stuck at 2",
            [("Prepare the base", ["loss stuck", "resume training"])],
        ),
        ("继续训练 größer", [("Check the weights", ["größer", "训练"])]),
        # one alone, or within another, or within a word
        ("I resume training", []),
        ("loss stuckness, resumed", []),
        ("KeyError: Nonesuch", []),
        ("größeren 训", []),
        ("", []),
    ],
)  # fmt: skip
def test_keywords_in_a_text(text: str, wanted: list[tuple[str, list[str]]]) -> None:
    found = told(text)
    assert [(title, keywords) for title, _messages, keywords in found] == wanted
    assert all(not messages for _title, messages, _keywords in found)


def test_what_explains_more_is_first_and_quotes_before_keywords() -> None:
    text = "KeyError: None, and NaNs detected in the merged weights. The adapter x seems to be broken"
    assert [title for title, *_how in told(text)] == [SAFE.title, BASE.title]
    text = "weights do not change, and Cannot pass adapter_names when DoRA is enabled."
    assert [title for title, *_how in told(text)] == [SAFE.title, BASE.title]


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


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("error", ["ValueError: no", "asyncio.exceptions.TimeoutError"])
def test_code_from_where_it_was_raised_is_known(trace: str, error: str) -> None:
    found = answers([BASE, SAFE], trace.format(error=error))
    assert [one.code for one in found] == [(BASE.code[0][0],)]
    _raised, said = traced(trace.format(error=error))
    assert "read_all_weights" not in said
    assert error in said


def test_code_of_another_frame_is_not_known() -> None:
    text = TRACES[0].format(
        error='  File "b.py", line 1, in f\n    open(path)\nOSError: no'
    )
    assert not answers([BASE, SAFE], text)
    assert not answers([BASE, SAFE], TRACES[0].partition("{")[0])


# -- guessing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("merge", "merging merged merges"),
        ("quantize", "quantized quantization quantizes"),
        ("train", "training trained trainable trains"),
        ("memory", "memories"),
        ("swap", "swapping swapped"),
        ("embed", "embedding embeddings"),
    ],
)
def test_endings_do_not_matter(one: str, other: str) -> None:
    assert {*stems(one)} == {*stems(other)}


def test_what_a_text_is_about() -> None:
    text = "How do I get the 4-bit LoRA's rank, r=64, into merge_and_unload?"
    assert [*stems(text)] == ["bit", "lora", "rank", "merg", "unload"]
    assert [*stems("请问如何合并LoRA?")] == ["合", "并", "lora"]


ASKED = Asked((), (BASE, SAFE), ())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("preparing the base for adapters", [0]),
        ("check all weights", [1]),
        ("train safely, then check the base", [0, 1]),
        # one word of several, or of the text of a page alone
        ("check the oven", []),
        ("adapter weights", []),
        ("What is the capital of France?", []),
        ("", []),
    ],
)
def test_what_may_fit(text: str, found: list[int]) -> None:
    assert [one.at for one in guesses(ASKED, text)] == found
    assert not guesses(ASKED, text, known=(0, 1))


def section(title: str, *texts: str) -> Section:
    """Return a section of a guide with its passages."""
    return Section(
        place=Place("guide", title),
        title=title,
        words=tuple(stems(title)),
        members=(),
        is_symptom=False,
        excerpts=tuple(Excerpt(it, tuple(stems(it)), ()) for it in texts),
    )


NEGATIVE = "A negative weight counts as a positive one. In release: up to 0.17.1"
COPIES = "A merge needs memory for two copies"
GUIDE = (
    section("Fixed: merging", NEGATIVE, COPIES),
    section("Fixed: loading", "The adapter's file has no weights", "Loading is slow"),
    section("How do I merge two adapters at once?"),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("negative weights count as positive?", [(2, NEGATIVE)]),
        ("can one merge two adapters", [(4, "")]),
        # found by its title, and with what is like the text
        ("fixed in merging: a negative weight counts", [(2, NEGATIVE)]),
        # what has most of the text's rare words first, each section once
        ("a merge of two copies, with two adapters at once", [(4, ""), (2, COPIES)]),
        # one word, and too little of a long text
        ("negative", []),
        ("positive reviews count where shops sell bread, cakes and fresh milk", []),
        ("slow bread", []),
    ],
)
def test_a_passage_like_a_text_may_fit(text: str, found: list[tuple[int, str]]) -> None:
    assert guesses(Asked((), (BASE, SAFE), GUIDE), text) == found


def test_what_is_alike_comes_last() -> None:
    found = guesses(Asked((), (BASE, SAFE), GUIDE), "check: a negative weight changes")
    assert found == [(1, ""), (2, NEGATIVE)]


# -- the directive --------------------------------------------------------------------

FILES = {
    "conf.py": """\
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
extensions = ["myst_parser", "sphinxext_heuristics"]
heuristics_package = "zoo"
version = release = "1.5"
copyright = "Nobody"
""",
    "index.md": "# Zoo\n\n```{toctree}\nmessages\nheuristics/Food\nheuristics/Hay\n```\n",
    "messages.md": "# Messages\n\n```{heuristic-messages}\n```\n",
    "heuristics/Food.md": """\
````{heuristic} Food
:note: Buy *food* first
:severity: warning
:workflow: index
:category: Care

```{evidence} zoo:feed
raise ValueError(f"{animal} cannot be fed: there is no food left for it.")
```

```{evidence} zoo:feed
:text:

only one animal at a time
```
````
""",
    "heuristics/Hay.md": """\
````{heuristic} Hay
:note: Hay is for summer
:workflow: index

```{evidence} zoo:feed
:text:

Hay is not enough for %s
```

```{evidence} zoo:feed
:text:

there is no food left for it.
```

```{evidence} zoo:feed
raise RuntimeError("The zoo is closed today")
```
````
""",
    "zoo.py": ZOO,
}


@pytest.fixture
def zoo(project: Callable[..., Project]) -> Project:
    return project(FILES)


def documents_with(built: Built, words: str) -> set[str]:
    """Return the documents that hold all words, by the index of the site's search."""
    text = built.read("searchindex.js")
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    found = []
    stem = SearchEnglish({}).stem
    for word in map(stem, re.findall(r"\w+", words.lower())):
        at = [
            index[terms][word]
            for terms in ("terms", "titleterms")
            if word in index[terms]
        ]
        numbers = {
            number for one in at for number in (one if isinstance(one, list) else [one])
        }
        found.append({index["docnames"][number] for number in numbers})
    return set.intersection(*found)


def test_the_search_finds_the_index_and_the_heuristic(zoo: Project) -> None:
    built = zoo.ok("html")
    assert documents_with(built, "food left") == {
        "messages",
        "heuristics/Food",
        "heuristics/Hay",
    }
    assert documents_with(built, "zoo closed") >= {"messages", "heuristics/Hay"}
    assert documents_with(built, "ValueError fed") >= {"messages", "heuristics/Food"}
    assert documents_with(built, "FutureWarning winter") == {"messages"}, (
        "all of the message is there"
    )


def test_a_build_on_which_nothing_changed_opens_no_source(
    zoo: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.ok()
    # What is remembered within this process would hide that a file is needed.
    monkeypatch.setattr(
        search, "read_source", lambda _state: pytest.fail("a source file is read")
    )
    zoo.ok()


# -- heuristics.json ------------------------------------------------------------------


def test_the_data_has_messages_and_evidence(zoo: Project) -> None:
    first, second = (zoo.ok("heuristics", "-E", out=out) for out in ("one", "two"))
    assert first.read("heuristics.json") == second.read("heuristics.json")
    food, hay = data_of(first)["heuristics"]
    assert food["messages"] == [{"kind": FED[0], "text": FED[1], "object": "zoo:feed"}]
    assert food["evidence"] == [
        {
            "object": "zoo:feed",
            "quote": 'raise ValueError(f"{animal} cannot be fed: there is no food left for it.")',
            "prose": False,
            "line": 7,
            "version": "1.5",
        },
        {
            "object": "zoo:feed",
            "quote": "only one animal at a time",
            "prose": True,
            "line": 5,
            "version": "1.5",
        },
    ]
    assert [message["kind"] for message in hay["messages"]] == [
        "FutureWarning",
        "ValueError",
        "RuntimeError",
    ]
    zoo.write(
        {
            "zoo.py": "",
            "heuristics/Hay.md": FILES["heuristics/Hay.md"].replace(
                "zoo:feed\nraise", "gone\nraise"
            ),
        }
    )
    changed = data_of(zoo.build("heuristics"))["heuristics"]
    assert [(one["line"], one["version"]) for one in changed[1]["evidence"]] == [
        (None, "1.5"),
        (None, "1.5"),
        (None, None),
    ]


# -- explain --------------------------------------------------------------------------


def explained(zoo: Project, text: str, *options: str) -> Any:  # noqa: ANN401 - what test_cli calls Ran
    return run("explain", zoo.src, text, "-q", *options)


def test_explain_bytes_from_a_pipe(zoo: Project) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "sphinxext_heuristics",
            "explain",
            str(zoo.src),
            "-",
            "-q",
        ],
        input=b"\xff\xfe\nRuntimeError: The zoo is closed today\n" * 20_000,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"Hay (tip)")


def test_links_of_a_passage_are_shown_by_their_titles(zoo: Project) -> None:
    said = (
        "The lock of gate four squeaks: {heuristic}`Hay`, {heuristic}`oil <Food>`, "
        "{ref}`at-night`, {doc}`locks`, [](locks.md), {term}`messages`, {ref}`by day <at-night>`; `gate four has a squeak`."
    )
    gates = f"# Zoo\n\n## Gates\n\n{said}\n\n(at-night)=\n### At *night*\n\nClosed.\n"
    hay = FILES["heuristics/Hay.md"].replace(":note:", ":title: Buy hay\n:note:")
    zoo.write(
        {
            "heuristics/Hay.md": hay.replace(":workflow: index", ":workflow: gates"),
            "guides/gates.md": gates,
            "guides/locks.md": "# Locks of the zoo\n",
            "other/locks.md": "# Other locks\n",
        }
    )
    done = explained(zoo, "gate four has a squeak")
    assert (
        "Gates: The lock of gate four squeaks: Buy hay, oil, At night, Locks of the zoo, "
        "Locks of the zoo, messages, by day; gate four has a squeak.\n" in done.stdout
    )


# -- PEFT -----------------------------------------------------------------------------

PEFT = {
    "conf.py": 'extensions = ["myst_parser", "sphinxext_heuristics"]\nheuristics_package = "peft"\n',
    "index.md": "# T\n\n```{toctree}\nheuristics/A\nheuristics/B\n```\n\n```{heuristic-messages}\n```\n",
    "heuristics/A.md": """\
````{heuristic} A
:note: No DoRA in mixed batches
:workflow: index

```{evidence} peft.tuners.lora.layer:LoraLayer._check_forward_args
msg = "Cannot pass `adapter_names` when DoRA is enabled."
raise ValueError(msg)
```
````
""",
    "heuristics/B.md": """\
````{heuristic} B
:note: Mind it
:workflow: index

```{evidence} peft.tuners.lora.layer:Linear.merge
:text:

NaNs detected in the merged weights. The adapter {active_adapter} seems to be broken
```

```{evidence} peft.tuners.tuners_utils:BaseTuner.inject_adapter
:text:

Target modules {peft_config.target_modules} not found in the base model.
```

```{evidence} peft.tuners.tuners_utils:BaseTuner.__init__
:text:

Already found a `peft_config` attribute in the model. This will lead to having multiple adapters
```

```{evidence} peft.tuners.lora.config:LoraConfig
:text:

the final layer `classifier/score` are randomly initialized and as such need to be trainable and saved.
```
````
""",
}


def test_messages_of_peft(project: Callable[..., Project]) -> None:
    pytest.importorskip("importlib.metadata").version("peft")
    site = project(PEFT)
    terms = site.ok("html").soup("index.html").select("dl.heuristic-messages > dt")
    entries = [
        tuple(part.get_text() for part in term.select("code, .classifier"))
        for term in terms
    ]
    modules = "Target modules … not found in the base model. Please check the target modules and try again."
    multiple = "This will lead to having multiple adapters in the model. Make sure to know what you are doing!"
    assert entries == [
        (modules, "NoMatchingPeftModuleError"),
        (
            f"Already found a `peft_config` attribute in the model. {multiple}",
            "UserWarning",
        ),
        (DORA.text, "ValueError"),
        (NANS.text, "ValueError"),
    ]
    ran = explained(
        site,
        TRACEBACK.format(
            error="ValueError: Cannot pass `adapter_names` when DoRA is enabled."
        ),
    )
    assert ran.stdout.startswith("A (tip): No DoRA in mixed batches\n")
    assert "peft.tuners.lora.layer:LoraLayer._check_forward_args, peft 0." in ran.stdout
