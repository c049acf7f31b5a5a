"""The configuration: values that are allowed, and what is said of the others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sphinxext_heuristics._core.config import OPTIONS, Settings
from sphinxext_heuristics._core.integration.conf_py import assignments, problems_in


@pytest.mark.parametrize(
    ("name", "namespace", "stripped"),
    [
        ("acme_Merge", "acme", "Merge"),
        ("Merge", "acme", "Merge"),
        ("acme", "acme", "acme"),
        ("acmeMerge", "acme", "acmeMerge"),
        ("acme_Merge", "", "acme_Merge"),
    ],
)
def test_namespace(name: str, namespace: str, stripped: str) -> None:
    assert Settings.of(config(heuristics_namespace=namespace)).strip(name) == stripped


def config(**values: Any) -> Any:  # noqa: ANN401 - stands for Sphinx's
    return SimpleNamespace(
        **{option.name: option.default for option in OPTIONS} | values
    )


ALLOWED: list[tuple[str, list[Any], list[Any]]] = [
    (
        "heuristics_namespace",
        ["", "acme", "a-b_c.d"],
        [None, 1, b"x", ["x"], "a b", "a/b"],
    ),
    (
        "heuristics_package",
        ["", "peft", "a.b_c", "a-b"],
        [None, 1, "not a package", "1x", "a..b", "a."],
    ),
    (
        "heuristics_dir",
        [None, "heuristics", "a/b"],
        ["", " ", ".", "./", "/abs", "../up", "a/../../b", "..", 3, Path("x"), "a\0b"],
    ),
    (
        "heuristics_categories",
        [{}, {"A": "a"}],
        [None, [], ["A"], {"A": 1}, {1: "a"}, "A"],
    ),
    (
        "heuristics_targets",
        [{}, {"A": "a", "B": None}],
        [None, [], "a", {"A": 1}, {1: "a"}],
    ),
    ("heuristics_undocumented", ["warn", "planned"], ["", None, True, "Planned"]),
    (
        "heuristics_sections",
        [[], ["Why"], ("Why", "See also")],
        [None, "Why", [1], {"Why"}, [None]],
    ),
    ("heuristics_index_file", [None, "x.md"], ["", "/x.md", 3, "a\0b"]),
    (
        "heuristics_placement",
        ["summary", "top", "bottom"],
        ["", "Top", None, 3, ["top"]],
    ),
    ("heuristics_max_shown", [0, 3, 100], [-1, True, "3", None, 3.0]),
    ("heuristics_inherited", ["show", "link", "none"], ["", None, True, False]),
    ("heuristics_rollup", [True, False], [None, 1, "yes"]),
    (
        "heuristics_exclude",
        [[], ("a",), ["a/*", "b"]],
        ["a", None, [1], {"a"}, ["[z-a]"]],
    ),
    ("heuristics_reach_file", [None, "x.txt"], ["", "/x", 3, "\ud800"]),
    (
        "heuristics_source_url",
        [None, "https://x/{path}", "HTTP://x/{line:>4}/{{}}", "../src/{path}#L{line}"],
        [
            3,
            ["x"],
            "{path.x}",
            "{line[0]}",
            "{path[x]}",
            "{}",
            "{0}",
            "{version:d}",
            "{line:s}",
            "{x}",
            "{",
            "javascript:alert({line})",
            " java\tScript://%0aalert(1)",
            "data:text/html,{path}",
        ],
    ),
]


def test_every_option_is_in_the_table() -> None:
    assert [name for name, *_values in ALLOWED] == [option.name for option in OPTIONS]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, good, _bad in ALLOWED for value in good]
)
def test_allowed_value(name: str, value: object, tmp_path: Path) -> None:
    assert problems_in(config(**{name: value}), tmp_path / "conf.py") == []


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, _good, bad in ALLOWED for value in bad]
)
def test_bad_value_is_told_and_the_default_holds(
    name: str, value: object, tmp_path: Path
) -> None:
    conf_py = tmp_path / "conf.py"
    conf_py.write_text(f"\n{name} = None\n")
    bad, default = config(**{name: value}), config()
    (problem,) = problems_in(bad, conf_py)
    assert problem.message.startswith(f"{name} = {value!r}: allowed is ")
    assert (problem.subtype.word, problem.source, problem.line) == (
        "config",
        str(conf_py),
        2,
    )
    assert Settings.of(bad) == Settings.of(default)


def test_assignments(tmp_path: Path) -> None:
    conf_py = tmp_path / "conf.py"
    conf_py.write_text(
        "heuristics_dir = 1\nif a:\n    heuristics_dir = 2  # the last one\nheuristics_rollup: bool=True\n"
        "# heuristics_package = 1\nheuristics_exclude += []\nif heuristics_placement == 1:\n    dir = heuristics_dir\n"
    )
    assert assignments(conf_py) == {
        "heuristics_dir": 3,
        "heuristics_rollup": 4,
        "heuristics_exclude": 6,
    }


def test_no_conf_py_has_no_assignments(tmp_path: Path) -> None:
    assert assignments(tmp_path / "nowhere.py") == {}
    (problem,) = problems_in(config(heuristics_max_shown=-1), tmp_path / "nowhere.py")
    assert problem.line == 1
