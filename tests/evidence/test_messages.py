"""Messages in evidence: what is taken from quotes, and the index of them."""

from __future__ import annotations

import ast
import json
import re
import time
from typing import TYPE_CHECKING

import pytest
from exported import data_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sphinx.search.en import SearchEnglish

from sphinxext_heuristics._core.evidence import search
from sphinxext_heuristics._core.evidence.messages import (
    ANYTHING,
    among,
    changes,
    in_quote,
    messages_in,
    one_line,
)
from sphinxext_heuristics._core.model import Evidence, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Built, Project


def evidence(quote: str, *, prose: bool = False) -> Evidence:
    return Evidence(
        module="zoo", qualname="", quote=quote, prose=prose, source="", line=1
    )


def pairs(found: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(message.kind, message.text) for message in found]


def test_a_message_that_is_the_same_is_not_told_of() -> None:
    quoted = 'if a:\n    raise ValueError("One")\nraise ValueError("Two")'
    assert changes(evidence(quoted), quoted.replace("Two", "Three")) == (
        "the message 'ValueError: Two' is 'ValueError: Three' there",
    )


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
            "collapsed": False,
            "line": 7,
            "version": "1.5",
        },
        {
            "object": "zoo:feed",
            "quote": "only one animal at a time",
            "prose": True,
            "collapsed": False,
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
    nans = "NaNs detected in the merged weights. The adapter … seems to be broken"
    multiple = "This will lead to having multiple adapters in the model. Make sure to know what you are doing!"
    assert entries == [
        (modules, "NoMatchingPeftModuleError"),
        (
            f"Already found a `peft_config` attribute in the model. {multiple}",
            "UserWarning",
        ),
        ("Cannot pass `adapter_names` when DoRA is enabled.", "ValueError"),
        (nans, "ValueError"),
    ]
