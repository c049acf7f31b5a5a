"""The hook for doc-builder: what runs there, from the data beside it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hooked import ZOO, Docs, data_of, forget

from sphinxext_heuristics.docbuilder import hook_code
from sphinxext_heuristics.docbuilder.export import CODE, DATA
from sphinxext_heuristics.docbuilder.objects import documented_methods

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALERT = "> [!WARNING]\n> **Food.** Use `care`."
LINK = "See [Water](https://a.b/c.html#d)."


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docs]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Docs(tmp_path)
    forget()


def at(parameter: str = "", text: str = ALERT) -> dict[str, str]:
    return {"parameter": parameter, "text": text} if parameter else {"text": text}


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


# -- where it goes --------------------------------------------------------------------


def test_an_alert_follows_the_first_paragraph(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    zoo = docs.show({"zoo:Base.feed": [at()]})
    # from Python 3.13 on, __doc__ itself has no indentation
    assert inspect.getdoc(zoo.Base.feed) == (
        f"Feed it.\n\n{ALERT}\n\nArgs:\n    food: What."
    )
    assert said(capsys) == ["heuristics: 1 alerts added to docstrings"]


def test_alerts_keep_their_order_and_links_follow(docs: Docs) -> None:
    texts = [ALERT.replace("Food", "One"), ALERT.replace("Food", "Two"), LINK]
    shown = "\n\n".join(texts)
    zoo = docs.show({"zoo:Base.feed": [at(text=text) for text in texts]})
    text = inspect.getdoc(zoo.Base.feed)
    assert text == f"Feed it.\n\n{shown}\n\nArgs:\n    food: What."
    zoo = docs.show({"zoo:Base.feed": [at("food", text) for text in texts]})
    indented = shown.replace("\n", "\n        ").replace(" " * 8 + "\n", "\n")
    text = inspect.getdoc(zoo.Base.feed)
    assert text == f"Feed it.\n\nArgs:\n    food: What.\n\n        {indented}"


def test_the_same_text_may_be_at_two_places(docs: Docs) -> None:
    entries = [at(text=LINK), at("food", LINK)]
    zoo = docs.show({"zoo:Base.feed": entries})
    assert zoo.Base.feed.__doc__.count(LINK) == 2


SEVERAL = """\
Load it.

Args:
    name (`str`, *optional*):
        The name.

            - a list

    size, color (`int`): Both.
    **options: More.

Returns:
    model (`str`): The model.
"""


def inserted(docs: Docs, docstring: str, *alerts: dict[str, str]) -> str:
    """Return the docstring of a function with alerts, each shown as ``@``."""
    source = f"def f():\n    pass\n\n\nf.__doc__ = {docstring!r}\n"
    docs.write({"zoo/__init__.py": source})
    shown: str = docs.show({"zoo:f": list(alerts)}).f.__doc__
    return re.sub(r"> \[!WARNING\]\n *> .*", "@", shown)


@pytest.mark.parametrize(
    ("parameter", "before"),
    [
        ("name", "            - a list\n\n        @\n\n    size"),
        ("size", "Both.\n\n        @\n\n    **opt"),
        ("color", "Both.\n\n        @\n\n    **opt"),
        ("options", "More.\n\n        @\n\nReturns"),
    ],
)
def test_at_the_end_of_a_parameter(docs: Docs, parameter: str, before: str) -> None:
    assert before in inserted(docs, SEVERAL, at(parameter))


def test_it_is_as_deep_as_what_is_said_of_the_parameter(docs: Docs) -> None:
    shallow = "Load it.\n\nArgs:\n    name:\n      The name.\n\n      More.\n"
    assert inserted(docs, shallow, at("name")).endswith("      More.\n\n      @\n")


@pytest.mark.parametrize("parameter", ["model", "opt", "gone", "a list", "Both"])
def test_a_parameter_that_is_gone_has_no_alert(
    docs: Docs, capsys: pytest.CaptureFixture[str], parameter: str
) -> None:
    shown = inserted(docs, SEVERAL, at(parameter), at())
    assert shown == SEVERAL.replace("Load it.\n", "Load it.\n\n@\n")
    assert said(capsys) == [
        f"heuristics: no alert at zoo:f: it describes no parameter {parameter!r}",
        "heuristics: 1 alerts added to docstrings",
    ]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("One.", "One.\n\n@"),
        ("\n    One.\n\n    Two.", "\n    One.\n\n    @\n\n    Two."),
        ("One\n    wrapped.\n\n    Two.", "One\n    wrapped.\n\n    @\n\n    Two."),
        ("One: it\n    is.\n    ", "One: it\n    is.\n\n    @\n    "),
    ],
)
def test_where_the_alert_is(docs: Docs, docstring: str, expected: str) -> None:
    assert inserted(docs, docstring, at()) == expected


@pytest.mark.parametrize(
    "docstring",
    [
        "",
        "\n\n    One.",
        "Args:\n        a: A.",
        "\n    Args:\n        a: A.",
        "One.\n    Args:\n        a: A.",
        "One\n    ```py\n    x\n    ```",
        "\n    <Tip>\n    a\n    </Tip>",
        "As follows:\n\n    - a",
        "It does\n    what is below:\n\n    - a",
    ],
)
def test_a_docstring_without_a_first_paragraph_has_no_alert(
    docs: Docs, capsys: pytest.CaptureFixture[str], docstring: str
) -> None:
    assert inserted(docs, docstring, at()) == docstring
    assert said(capsys) == [
        "heuristics: no alert at zoo:f: its docstring does not begin with a paragraph"
    ]


# -- objects --------------------------------------------------------------------------

WRAPPED = '''
import functools


def twice(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


@twice
def wrapped():
    """Wrapped."""


class More:
    """More."""

    @functools.cached_property
    def cached(self):
        """Cached."""

    @staticmethod
    @twice
    def static():
        """Static."""


def __getattr__(name):
    if name == "Late":
        from zoo.deep import late

        return late.Late
    raise AttributeError(name)
'''


def test_kinds_of_objects(docs: Docs) -> None:
    late = 'class Late:\n    """Late."""\n'
    docs.write({"zoo/__init__.py": ZOO + WRAPPED, "zoo/deep/late.py": late})
    names = ["Base", "Base.load", "Base.name", "clean", "wrapped", "More.cached"]
    names = [f"zoo:{name}" for name in (*names, "More.static", "Late")]
    zoo = docs.show({name: [at()] for name in [*names, "zoo.deep.cage:lock"]})
    objects = [
        zoo.Base,
        zoo.Base.load,
        zoo.Base.name.fget,
        zoo.clean,
        zoo.wrapped,
        zoo.More.cached,
        zoo.More.static,
        zoo.Late,
        sys.modules["zoo.deep.cage"].lock,
    ]
    assert ["**Food.** Use" in found.__doc__ for found in objects] == [True] * 9


def test_a_method_that_a_subclass_repeats_has_it_twice(docs: Docs) -> None:
    def listed(zoo: Any) -> list[list[str]]:  # noqa: ANN401 - a module
        return list(map(documented_methods, [zoo.Base, zoo.Child, zoo.Grandchild]))

    forget()
    before = listed(importlib.import_module("zoo"))
    assert before == [["feed", "load", "wash"], [], ["wash"]]
    names = ("Base.feed", "Child.feed", "Base.wash", "Base.load")
    zoo = docs.show({f"zoo:{name}": [at()] for name in names})
    assert listed(zoo) == before, "doc-builder lists no more methods"
    assert "Food" in zoo.Child.feed.__doc__
    assert zoo.Child.feed.__doc__ == zoo.Base.feed.__doc__
    assert zoo.Grandchild.wash.__doc__ == "Wash it well."


def test_an_alert_that_is_there_is_not_added_again(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    data = {"zoo:Base.feed": [at(), at("food", LINK)], "zoo:Base.load": [at()]}
    zoo = docs.show(data)
    before = zoo.Base.feed.__doc__, zoo.Base.load.__doc__
    assert said(capsys) == ["heuristics: 3 alerts added to docstrings"]
    docs.run(data)
    assert (zoo.Base.feed.__doc__, zoo.Base.load.__doc__) == before
    assert not said(capsys), "what was said is not said again"
    new = ALERT.replace("Food", "New")
    docs.run({"zoo:Base.feed": [at(), at(text=new)]})
    assert zoo.Base.feed.__doc__.count("> [!WARNING]") == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("zoo:silent", "its docstring does not begin with a paragraph"),
        ("zoo:clean.gone", "there is no such object"),
        ("zoo:gone.lock", "there is no such object"),
        ("zoo.gone:lock", "No module named 'zoo.gone'"),
        ("gone:lock", "No module named 'gone'"),
        ("zoo.needy:f", "No module named 'not_there'"),
        ("zoo.broken:f", "no backend"),
        ("zoo:__version__", "'str' object attribute '__doc__' is read-only"),
        ("zoo:odd", "its docstring is read-only"),
        ("", "there is no such object"),
        (".", "there is no such object"),
        ("zoo..x", "there is no such object"),
        ("zoo:Base.<locals>.f", "there is no such object"),
    ],
)
def test_what_takes_no_alert_leaves_the_others(
    docs: Docs, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    odd = (
        "\n\nclass Odd:\n    def __setattr__(self, name, value):\n        raise OSError"
    )
    odd += "('its docstring\\nis read-only')\n\n\nodd = Odd()\n"
    docs.write({"zoo/__init__.py": f"{ZOO}{odd}odd.__dict__['__doc__'] = 'Odd.'\n"})
    zoo = docs.show({name: [at()], "zoo:Base.wash": [at()]})
    assert zoo.Base.wash.__doc__ == f"Wash it.\n\n{ALERT}"
    first, last = said(capsys)
    assert first.startswith(f"heuristics: no alert at {name}: {reason}")
    assert last == "heuristics: 1 alerts added to docstrings"


def test_only_what_a_name_leads_to_is_imported(docs: Docs) -> None:
    docs.write({"zoo/old.py": "raise SystemExit(3)\n"})
    docs.show({"zoo:Base.wash": [at()]})
    assert "zoo.deep" not in sys.modules


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit"])
def test_an_end_is_one(docs: Docs, error: str) -> None:
    docs.write({"zoo/broken.py": f"raise {error}\n"})
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        docs.show({"zoo.broken:f": [at()]})


@pytest.mark.parametrize(
    "error", ["OSError('no CUDA')", "MemoryError", "RecursionError"]
)
def test_a_package_that_cannot_be_imported_is_left_to_doc_builder(
    docs: Docs, capsys: pytest.CaptureFixture[str], error: str
) -> None:
    docs.write({"tensors.py": f"raise {error}\n"})
    docs.write({f"pages/{DATA}": data_of({"zoo:Base": [at()]})})
    forget()
    hook_code.add_alerts(str(docs.pages / CODE))
    (line,) = said(capsys)
    reason = "no CUDA" if "CUDA" in error else error
    assert line == f"heuristics: no alert at zoo:Base: {reason}"


# -- damaged data ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["{", "{}", "[]", "3", "[" * 200_000, '{"a": ' * 200_000, "\xff", "{,"]
)
def test_a_text_of_another_form_shows_nothing(
    docs: Docs, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = docs.pages / DATA
    file.write_bytes(text.encode("latin-1"))
    hook_code.add_alerts(str(docs.pages / CODE))
    (line,) = said(capsys)
    assert line == f"heuristics: no alert at line 1 of {file}: that is no alert"


def test_data_that_are_not_there_are_named(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    hook_code.add_alerts(str(docs.pages / CODE))
    assert said(capsys) == [f"heuristics: there is no {docs.pages / DATA}"]


TWO = data_of({"zoo:Base.wash": [at()], "zoo:Base.load": [at()]})
_, FIRST, LAST, _ = TWO.splitlines(keepends=True)
CONFLICT = "<<<<<<< ours\n=======\n>>>>>>> theirs\n"


@pytest.mark.parametrize(
    ("text", "faults", "count"),
    [
        (TWO.replace(FIRST, ""), [], 1),
        (TWO.replace(LAST, ""), [], 1),
        (TWO.replace(LAST, LAST[:40]), ["line 3"], 1),
        (TWO.replace(LAST, CONFLICT + LAST), ["line 3", "line 4", "line 5"], 2),
        (TWO.replace("\n", "\r\n"), [], 2),
    ],
    ids=["no first", "no last", "cut", "conflict", "crlf"],
)
def test_a_line_that_is_edited_or_merged_costs_itself_alone(
    docs: Docs,
    capsys: pytest.CaptureFixture[str],
    text: str,
    faults: list[str],
    count: int,
) -> None:
    docs.write({f"pages/{DATA}": text})
    forget()
    hook_code.add_alerts(str(docs.pages / CODE))
    zoo = importlib.import_module("zoo")
    shown = [it.__doc__.count("> [!WARNING]") for it in (zoo.Base.wash, zoo.Base.load)]
    assert sum(shown) == count
    *lines, last = said(capsys)
    assert last == f"heuristics: {count} alerts added to docstrings"
    places = ", ".join(f"{it} of {docs.pages / DATA}" for it in faults)
    wanted = f"heuristics: no alert at {places}: that is no alert"
    assert lines == ([wanted] if faults else [])


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"text": None},
        {"text": 3},
        {"text": []},
        {"text": [ALERT]},
        at(text="Some text."),
        at(text=f"{ALERT}\n\nReturns:"),
        at(text=f"{ALERT}\n"),
        at(text="> [!WARNING]\n> "),
        at(text=ALERT.replace("care", "\ud800")),
        at(text=ALERT.replace("care", "<include>{</include>")),
        at(text="Args:"),
        at(text="```[a](b)"),
        at(text="1 more: [a](b)\nReturns:"),
        at("gone"),
        at("(" * 500),
        {"text": ALERT, "parameter": 3},
        {"text": ALERT, "parameter": ["food"]},
    ],
)
def test_an_alert_of_another_form_costs_itself_alone(
    docs: Docs, capsys: pytest.CaptureFixture[str], entry: object
) -> None:
    good = at(text=ALERT.replace("Food", "Good"))
    before, after = {"zoo:Base.feed": [good, entry]}, {"zoo:Base.wash": [good]}
    zoo = docs.show({**before, **after})
    for found in (zoo.Base.feed, zoo.Base.wash):
        assert found.__doc__.count("> [!WARNING]") == 1
        assert "Good" in found.__doc__
    first, last = said(capsys)
    assert first.startswith("heuristics: no alert at zoo:Base.feed")
    assert last == "heuristics: 2 alerts added to docstrings"


@pytest.mark.parametrize("entry", [3, None, "text", [], [[]]])
def test_what_is_no_record_costs_itself_alone(
    docs: Docs, capsys: pytest.CaptureFixture[str], entry: object
) -> None:
    zoo = docs.show({"zoo:Base.feed": [entry], "zoo:Base.wash": [at()]})
    assert zoo.Base.wash.__doc__ == f"Wash it.\n\n{ALERT}"
    file = docs.pages / DATA
    assert said(capsys) == [
        f"heuristics: no alert at line 2 of {file}: that is no alert",
        "heuristics: 1 alerts added to docstrings",
    ]


MANY = 100_000


@pytest.mark.parametrize(
    ("docstrings", "line"),
    [
        (
            {f"zoo:gone{n}": [at()] for n in range(MANY)},
            "zoo:gone0, zoo:gone1, zoo:gone2 and 99997 more: there is no such object",
        ),
        (
            {f"gone..{n}": [at()] for n in range(MANY)},
            "gone..0, gone..1, gone..2 and 99997 more: there is no such object",
        ),
        (
            {"zoo:Base.feed": [at("gone")] * MANY},
            (
                "zoo:Base.feed, zoo:Base.feed, zoo:Base.feed and 99997 more: it describes "
                "no parameter 'gone'"
            ),
        ),
        (
            {"zoo:Base.feed": [at(text=f"Text {n}.") for n in range(MANY)]},
            (
                "zoo:Base.feed, zoo:Base.feed, zoo:Base.feed and 99997 more: its text is "
                "not an alert in two lines"
            ),
        ),
        (
            {"zoo:gone": [at()], "zoo:away": [at()]},
            "zoo:gone, zoo:away: there is no such object",
        ),
    ],
    ids=["objects", "names", "parameters", "texts", "two"],
)
def test_many_faults_are_a_line(
    docs: Docs,
    capsys: pytest.CaptureFixture[str],
    docstrings: dict[str, Any],
    line: str,
) -> None:
    begun = time.process_time()
    docs.show(docstrings)
    assert time.process_time() - begun < 30
    assert said(capsys) == [f"heuristics: no alert at {line}"]


def test_many_alerts_in_a_docstring(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.process_time()
    alerts = [at("food", ALERT.replace("care", f"{n}")) for n in range(MANY)]
    docs.show({"zoo:Base.feed": alerts})
    assert time.process_time() - begun < 30
    assert said(capsys) == [f"heuristics: {MANY} alerts added to docstrings"]


# -- its form -------------------------------------------------------------------------


def test_it_runs_as_doc_builder_runs_it(docs: Docs) -> None:
    code = inspect.getsource(hook_code)
    data = data_of({"zoo:Base.wash": [at()]})
    docs.write({f"pages/{CODE}": code, f"pages/{DATA}": data})
    zoo = docs.run_config()
    assert zoo.Base.wash.__doc__ == f"Wash it.\n\n{ALERT}"


def test_it_suppresses_nothing_and_imports_the_standard_library() -> None:
    text = inspect.getsource(hook_code)
    assert not re.search(r"noqa|fmt: off|from __future__|type: ignore", text)
    modules = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            modules.add((node.module or "").partition(".")[0])
    assert modules <= sys.stdlib_module_names
