"""The workflow for PEFT's repository, run as it is written on PEFT's tree with the hook.

HEURISTICS_PEFT names a checkout of PEFT, and HEURISTICS_ADOPT an environment.
`make try-adopt` runs this.
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ADOPT = runpy.run_path(str(ROOT / "tools/adopt.py"))
SOURCE = "src/peft"
#: What a contributor to PEFT changes: file, text, new text.
REFACTORINGS = {
    "a method gets another name": (
        "tuners/lora/model.py",
        "def add_weighted_adapter(",
        "def combine_adapters(",
    ),
    "a quoted line changes": (
        "utils/other.py",
        "        param.requires_grad = False\n",
        "        param.requires_grad_(False)\n",
    ),
    "a parameter is gone": (
        "utils/other.py",
        "gradient_checkpointing_kwargs",
        "checkpointing_options",
    ),
    "a local variable gets another name": (
        "tuners/tuners_utils.py",
        "should_require_grad",
        "is_trained",
    ),
}
#: What is said of each, and of nothing else: the heuristic, and what has become of it.
SAID = {}


@pytest.fixture(scope="module")
def branch(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - of a tool
    """Return PEFT's tree with the hook, as the diff has it, installed."""
    folder = tmp_path_factory.mktemp("branch") / "peft"
    copy = ADOPT["Copy"](
        Path(os.environ["HEURISTICS_PEFT"]),
        folder,
        Path(os.environ["HEURISTICS_ADOPT"]).resolve(),
    )
    copy.must(f"git apply {ADOPT['DIFF']}")
    copy.must(ADOPT["lines"]()[-2])
    return copy


@pytest.fixture
def changed(branch: Any, request: pytest.FixtureRequest) -> Iterator[Any]:  # noqa: ANN401 - of a tool
    """Change PEFT, install it, and take the change back afterwards."""
    name, old, new = REFACTORINGS[request.param]
    file = branch.folder / SOURCE / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    branch.must(ADOPT["lines"]()[-2])
    yield branch
    file.write_text(text, encoding="utf-8")


def test_it_is_green_on_the_branch(branch: Any) -> None:  # noqa: ANN401 - of a tool
    look, _install, check = ADOPT["lines"]()
    assert not branch.must(look)
    assert branch.must(check) == "docs/source: up to date\n"


def test_it_says_which_variables_are_missing(branch: Any) -> None:  # noqa: ANN401 - of a tool
    done = branch.run(f"unset HEURISTICS; {ADOPT['lines']()[0]}")
    assert done.returncode == 1
    assert done.stdout.startswith("::error::Set HEURISTICS_REPOSITORY (OWNER/NAME)")
