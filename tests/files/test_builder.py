"""The builder ``heuristics``: data that fits its schema and is the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from exported import data_of, schema
from jsonschema import Draft202012Validator

import sphinxext_heuristics
from sphinxext_heuristics._core.model import Heuristic
from sphinxext_heuristics._core.read.heuristic import HeuristicDirective

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project

FILES = """\
=== conf.py
extensions = ["sphinx.ext.autodoc", "myst_parser", "sphinxext_heuristics"]
project = "Zoo docs"
release = "1.5"
heuristics_namespace = "zoo"
heuristics_categories = {"Speed": "How fast", "Safety": ""}
=== index.rst
Start
=====

.. toctree::

   api
   guides/how to
   heuristics/zoo_B
   heuristics/zoo_A
=== api.rst
API
===

.. autoclass:: keeper.Base
   :members:

.. autoclass:: keeper.Child
   :members:
   :inherited-members:

.. autoclass:: keeper.Other
   :members:
=== guides/how to.rst
How to
======

.. _the-part:

The part
--------

Text.
=== heuristics/zoo_A.md
```{heuristic} A
:title: Title of A
:note: Use `run|x` and *not* "go"
:impl: ~keeper.Base.run, ?keeper.Base.gone, the child <keeper.Child>
:except: keeper.Other
:workflow: how to
:principle: the-part
:category: Speed
:severity: warning
:messages:
  KeyError: first, …
  no key
:since: 1.0
:class: extra
```
=== heuristics/zoo_B.rst
.. heuristic:: B
   :note: Old
   :impl: keeper.Other
   :until: 1.4
   :no-inject:
=== keeper.py
class Base:
    \"\"\"Base.

    .. heuristic:: In_Docstring
       :note: N
       :workflow: how to
       :no-inject:
    \"\"\"

    def run(self):
        \"\"\"Run.\"\"\"


class Child(Base):
    \"\"\"Child.\"\"\"


class Other(Base):
    \"\"\"Other.\"\"\"

    def run(self):
        \"\"\"Run otherwise.\"\"\"
""".replace('\\"', '"')


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def every_object(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        if "properties" in node and node.get("type") == "object":
            yield node
        for child in node.values():
            yield from every_object(child)
    elif isinstance(node, list):
        for child in node:
            yield from every_object(child)


def test_all_that_the_schema_describes_is_always_there_and_more_may_come() -> None:
    for node in every_object(schema()):
        assert node.get("additionalProperties") is not False
        assert set(node["required"]) >= set(node["properties"]), (
            "all that is described is always there"
        )


def test_what_options_give_has_a_field_and_is_in_the_schema() -> None:
    described = schema()["$defs"]["heuristic"]["properties"]
    for option in HeuristicDirective.known:
        assert not option.field or option.field in Heuristic._fields, option.name
        key = option.key or option.field
        assert not key or key in described, option.name


@pytest.fixture(scope="module")
def data(shared_project: Callable[..., Project]) -> Any:  # noqa: ANN401 - JSON
    return data_of(shared_project(FILES).build("heuristics", "-E"))


def test_versions(data: Any) -> None:  # noqa: ANN401 - JSON
    assert data["schema_version"] == 1
    assert data["project"] == {"name": "Zoo docs", "version": "1.5"}
    assert data["package"] == {"name": "", "version": "1.5"}
    assert data["extension"] == {
        "name": "sphinxext_heuristics",
        "version": sphinxext_heuristics.__version__,
    }
    assert data["namespace"] == "zoo"


def test_heuristics_stand_in_the_order_of_the_toctree(data: Any) -> None:  # noqa: ANN401 - JSON
    assert [item["name"] for item in data["heuristics"]] == ["In_Docstring", "B", "A"]


def test_all_fields(data: Any) -> None:  # noqa: ANN401 - JSON
    in_docstring, old, item = data["heuristics"]
    connections = item.pop("connections")
    assert item == {
        "name": "A",
        "page": "zoo_A",
        "title": "Title of A",
        "note": {"text": 'Use run|x and not "go"', "markdown": 'Use `run\\|x` and *not* "go"'},
        "severity": "warning",
        "weight": 0,
        "categories": ["Speed"],
        "keywords": [],
        "reported": ["KeyError: first, …", "no key"],
        "since": "1.0",
        "until": None,
        "holds": True,
        "inject": True,
        "classes": ["extra"],
        "except": ["keeper.Other"],
        "parameters": [],
        "docname": "heuristics/zoo_A",
        "anchor": "heuristic-a",
        "url": "heuristics/zoo_A.html#heuristic-a",
        "source": {"path": "heuristics/zoo_A.md", "line": 1},
        "evidence": [],
        "messages": [],
        "entries": [
            {
                "name": name, "names": [name, *more], "docname": "api", "anchor": name, "url": f"api.html#{name}",
                "parameter": None, "reach": reach,
            }
            for name, more, reach in (
                ("keeper.Base.run", [], "named"),
                ("keeper.Child", [], "named"),
                ("keeper.Child.run", ["keeper.Base.run"], "inherited"),
            )
        ],
        "pages": [
            {"docname": "guides/how to", "anchor": "", "url": "guides/how%20to.html"},
            {"docname": "guides/how to", "anchor": "the-part", "url": "guides/how%20to.html#the-part"},
        ],
    }  # fmt: skip
    assert connections[:3] == [
        {
            "type": "impl", "target": "keeper.Base.run", "text": None, "name": "zoo_run", "planned": False,
            "exists": True, "url": "api.html#keeper.Base.run", "names": ["keeper.Base.run", "keeper.Child.run"],
        },
        {
            "type": "impl", "target": "keeper.Base.gone", "text": None, "name": "zoo_keeper_Base_gone", "planned": True,
            "exists": False, "url": None, "names": [],
        },
        {
            "type": "impl", "target": "keeper.Child", "text": "the child", "name": "zoo_the child", "planned": False,
            "exists": True, "url": "api.html#keeper.Child", "names": ["keeper.Child"],
        },
    ]  # fmt: skip
    assert (old["until"], old["holds"], old["inject"], old["entries"]) == (
        "1.4",
        False,
        False,
        [],
    )
    assert in_docstring["source"]["path"] == "keeper.py"


def test_urls_are_those_of_html(shared_project: Callable[..., Project]) -> None:
    zoo = shared_project(FILES)
    html = zoo.build("html")
    for item in data_of(zoo.build("heuristics"))["heuristics"]:
        for place in (item, *item["entries"], *item["pages"], *item["connections"]):
            if place["url"]:
                path, _hash, anchor = place["url"].replace("%20", " ").partition("#")
                page = html.soup(path)
                assert not anchor or page.find(id=anchor), place


def test_two_builds_write_the_same_bytes(project: Callable[..., Project]) -> None:
    zoo = project(FILES)
    first = zoo.build("heuristics", "-E", out="one")
    second = zoo.build("heuristics", "-E", "-j2", out="two")
    names = sorted(path.name for path in first.out.iterdir())
    assert names == ["_HeuristicIndex.md", "heuristics.json"]
    for name in names:
        assert (first.out / name).read_bytes() == (second.out / name).read_bytes()
        assert str(zoo.root) not in first.read(name), "no path of this machine"


def test_all_is_written_also_where_nothing_has_changed(
    project: Callable[..., Project],
) -> None:
    zoo = project(FILES)
    out = zoo.build("heuristics").out
    (out / "heuristics.json").unlink()
    zoo.build("heuristics")
    assert (out / "heuristics.json").is_file(), "also where no page was read"


def test_a_change_of_one_note_is_one_change(project: Callable[..., Project]) -> None:
    zoo = project(FILES)
    before = zoo.build("heuristics").read("heuristics.json").splitlines()
    zoo.write(
        {
            "heuristics/zoo_B.rst": (zoo.src / "heuristics/zoo_B.rst")
            .read_text()
            .replace("Old", "Older")
        }
    )
    after = zoo.build("heuristics").read("heuristics.json").splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [line.strip() for line in changed] == [
        '"text": "Older",',
        '"markdown": "Older"',
    ]


def test_the_suffix_of_html_is_used(project: Callable[..., Project]) -> None:
    zoo = project(FILES)
    data = data_of(zoo.build("heuristics", "-D", "html_file_suffix=.htm"))
    assert data["heuristics"][-1]["url"] == "heuristics/zoo_A.htm#heuristic-a"


def test_categories_have_counts(data: Any) -> None:  # noqa: ANN401 - JSON
    assert data["categories"] == [
        {"name": "Speed", "count": 1, "description": "How fast"},
        {"name": "Safety", "count": 0, "description": ""},
    ]


def test_a_project_without_heuristics(project: Callable[..., Project]) -> None:
    data = data_of(project({"index.rst": "T\n=\n"}).build("heuristics"))
    assert data["heuristics"] == []


FAULTY = """\
=== conf.py
from sphinxext_heuristics.api import Problem

extensions = ["sphinx.ext.autodoc", "myst_parser", "sphinxext_heuristics"]
release = "1.5"
heuristics_package = "keeper"
heuristics_max_shown = "two"
heuristics_categories = {"Speed": ""}
suppress_warnings = ["heuristic.category"]


def check(app, plan):
    record = plan.catalogue.heuristics["A"]
    return [Problem.at(record, "mine", "what an extension finds")]


def setup(app):
    app.connect("heuristics-resolved", check)
=== index.rst
Start
=====

.. toctree::

   heuristics/A

.. autoclass:: keeper.Base

See :heuristic:`Nothing`.
=== heuristics/A.md
```{heuristic} A
:note: N
:impl: keeper.Base, keeper.Bose
:category: Sped
:severity: high
```

```{evidence} keeper:Base
def walk(self):
```
=== keeper.py
class Base:
    '''Base.

    .. heuristic:: In_Docstring
       :note: N
       :weight: heavy
       :no-inject:
    '''
"""


def test_problems_are_those_that_the_build_warns_of(
    project: Callable[..., Project],
) -> None:
    zoo = project(FAULTY)
    built = zoo.build("heuristics", "-j2")
    problems = data_of(built)["problems"]
    keys = ("subtype", "file", "line", "heuristic", "option", "value")
    docstring = "keeper.py:docstring of keeper.Base"
    assert [tuple(problem[key] for key in keys) for problem in problems] == [
        ("config", "conf.py", 6, None, "heuristics_max_shown", None),
        ("mine", "heuristics/A.md", 1, "A", None, None),
        ("target", "heuristics/A.md", 3, "A", "impl", "keeper.Bose"),
        ("option", "heuristics/A.md", 5, "A", "severity", None),
        ("evidence", "heuristics/A.md", 8, "A", None, None),
        ("ref", "index.rst", 10, None, None, None),
        ("option", docstring, 5, "In_Docstring", "weight", None),
    ]
    assert built.warnings == [
        f"<src>/{it['file']}:{it['line']}: WARNING: {it['message']} "
        f"[heuristic.{it['subtype']}]"
        for it in problems
    ]
    assert data_of(zoo.build("heuristics"))["problems"] == problems, "nothing was read"


def test_a_problem_outside_of_the_sources_is_seen_from_there(
    project: Callable[..., Project],
) -> None:
    zoo = project(FAULTY)
    (zoo.root / "settings").mkdir()
    (zoo.src / "conf.py").rename(zoo.root / "settings" / "conf.py")
    built = zoo.build("heuristics", "-c", str(zoo.root / "settings"))
    found = {it["option"]: it for it in data_of(built)["problems"]}
    wrong = found["heuristics_max_shown"]
    assert (wrong["file"], wrong["line"]) == ("../settings/conf.py", 6)


QUOTES = """\
=== conf.py
extensions = ["sphinx_design", "sphinxext_heuristics"]
=== keeper.py
def walk():
    pass
=== index.rst
Start
=====

.. heuristic:: A
   :note: N

   .. evidence:: keeper:walk

      pass

   .. note::
      :collapsible: closed

      .. tip::

         .. evidence:: keeper:walk

            pass

   .. note::
      :collapsible:

      .. evidence:: keeper:walk

         pass

   .. dropdown:: More

      .. evidence:: keeper:walk

         pass

   .. dropdown:: More
      :open:

      .. evidence:: keeper:walk

         pass
"""


def test_quotes_in_what_is_collapsed(project: Callable[..., Project]) -> None:
    built = project(QUOTES).build("heuristics")
    (item,) = data_of(built)["heuristics"]
    collapsed = [quoted["collapsed"] for quoted in item["evidence"]]
    assert collapsed == [False, True, False, True, False]
