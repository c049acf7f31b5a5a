"""The domain: its index, what a page's metadata says, and an environment of another form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sphinxext_heuristics._core.integration.domain import HeuristicDomain, is_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


def test_domain_index_can_be_left_out(project: Callable[..., Project]) -> None:
    index = "Start\n=====\n\n.. heuristic:: One\n   :note: n\n   :workflow: index\n"
    made = project({"index.rst": index})
    assert (made.ok("html").out / "heuristic-index.html").is_file()
    conf = 'extensions = ["sphinxext_heuristics"]\nhtml_domain_indices = False\n'
    made.write({"conf.py": conf})
    built = made.ok("html", out="other")
    assert not (built.out / "heuristic-index.html").exists()


def test_domain_index_of_some_documents(project: Callable[..., Project]) -> None:
    index = """
Start
=====

.. toctree::

   other

.. heuristic:: One
   :note: n
   :workflow: index
"""
    built = project(
        {
            "conf.py": 'extensions = ["sphinxext_heuristics"]\nproject = "P"\n'
            'latex_domain_indices = True\nlatex_documents = [("other", "p.tex", "P", "A", "howto")]\n',
            "index.rst": index,
            "other.rst": "Other\n=====\n\n.. heuristic:: Two\n   :note: n\n   :workflow: index\n",
        }
    ).ok("latex")
    latex = built.read("p.tex")
    _before, found, listed = latex.partition("Heuristic index")
    assert found
    assert "Two" in listed
    assert "One" not in listed


def test_an_environment_of_another_form_is_read_anew(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(
        {
            "index.rst": "Start\n=====\n\n.. heuristic:: One\n   :note: n\n   :workflow: index\n"
        }
    )
    with monkeypatch.context() as earlier:
        earlier.setattr(
            HeuristicDomain, "data_version", HeuristicDomain.data_version + 1
        )
        made.ok("text")
    built = made.ok("text")
    assert "One: n" in built.read("index.txt")


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (None, False),
        ("", True),
        ("true", True),
        (True, True),
        (False, False),
        ("FALSE", False),
        ("no", False),
        (0, False),
    ],
)
def test_metadata_flag(value: object, *, flag: bool) -> None:
    assert is_set(value) is flag
