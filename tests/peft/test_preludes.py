"""The page with what heuristics' code takes for granted, and the links to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Built, Project

CONF = """\
import sys
from pathlib import Path

sys.path.insert(0, {extensions!r})
import preludes

preludes.FOLDER = Path({folder!r})
extensions = ["myst_parser", "preludes"]
"""


def linked(built: Built) -> str:
    (link,) = built.soup("heuristics/huggingface_peft_One.html").select(
        'a[href*="run.html#"]'
    )
    return str(link["href"]).partition("#")[2]


def test_a_file_that_is_new_is_shown_and_linked(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    folder = tmp_path / "preludes"
    folder.mkdir()
    (folder / "common.py").write_text("common = 1\n", encoding="utf-8")
    conf = CONF.format(extensions=str(ROOT / "docs/_ext"), folder=str(folder))
    made = project(
        {
            "conf.py": conf,
            "index.md": "# Start\n\n```{toctree}\nrun\nheuristics/huggingface_peft_One\n```\n",
            "run.md": "# Run\n",
            "heuristics/huggingface_peft_One.md": "# One\n",
        }
    )
    assert linked(made.ok("html")) == "run-common"
    (folder / "One.py").write_text("one = 1\n", encoding="utf-8")
    built = made.ok("html")
    assert linked(built) == "run-one"
    assert "one = 1" in built.soup("run.html").get_text()
