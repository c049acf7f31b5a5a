"""The workflow for PEFT's repository, run as it is written on PEFT's tree with the hook.

HEURISTICS_PEFT names a checkout of PEFT, and HEURISTICS_ADOPT an environment.
`make try-adopt` runs this.
"""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

ADOPT = runpy.run_path(str(ROOT / "tools/adopt.py"))
#: What a contributor to PEFT changes (file, text, new text), and what is said of it: of
#: each heuristic, what has become of it, and why.
REFACTORINGS = {
    "a method gets another name": (
        ("tuners/lora/model.py", "def add_weighted_adapter(", "def combine_adapters("),
        dict.fromkeys(
            ("Eval_Mode_Not_Kept", "Weighted_Adapter_Rules"),
            (
                "gone from peft.LoraModel.add_weighted_adapter",
                "impl target 'peft.LoraModel.add_weighted_adapter' does not exist",
            ),
        ),
    ),
    "a quoted line changes": (
        (
            "utils/other.py",
            "param.requires_grad = False",
            "param.requires_grad_(False)",
        ),
        {
            "Kbit_Prep_Before_Wrapping": (
                "gone from parameter model of peft.prepare_model_for_kbit_training",
                "the quoted code is not in peft.utils.other:prepare_model_for_kbit_training",
            )
        },
    ),
    "a parameter is gone": (
        ("utils/other.py", "gradient_checkpointing_kwargs", "checkpointing_options"),
        {
            "Gradient_Checkpointing": (
                (
                    "gone from parameter gradient_checkpointing_kwargs of "
                    "peft.prepare_model_for_kbit_training"
                ),
                "param 'gradient_checkpointing_kwargs' leaves no entry",
            )
        },
    ),
    "a local variable gets another name": (
        ("tuners/tuners_utils.py", "should_require_grad", "is_trained"),
        {},
    ),
}


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


def test_it_is_green_on_the_branch(branch: Any) -> None:  # noqa: ANN401 - of a tool
    look, _install, check = ADOPT["lines"]()
    assert not branch.must(look)
    assert branch.must(check) == "docs/source: up to date\n"


def test_it_says_which_variables_are_missing(branch: Any) -> None:  # noqa: ANN401 - of a tool
    done = branch.run(f"unset HEURISTICS; {ADOPT['lines']()[0]}")
    assert done.returncode == 1
    assert done.stdout.startswith("::error::Set HEURISTICS_REPOSITORY (OWNER/NAME)")


@pytest.mark.parametrize("name", REFACTORINGS)
def test_it_is_red_for_what_a_refactoring_takes_away(branch: Any, name: str) -> None:  # noqa: ANN401 - of a tool
    (file, old, new), lost = REFACTORINGS[name]
    _look, install, check = ADOPT["lines"]()
    path = branch.folder / "src/peft" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    branch.must(install)
    done = branch.run(check)
    path.write_text(text, encoding="utf-8")
    if not lost:
        assert done.stdout == "docs/source: up to date\n"
        return
    assert done.returncode == 1
    first, *lines, what, action = done.stdout.splitlines()
    assert first == "docs/source/_heuristics.json: out of date for peft 0.20.1.dev0"
    assert [line for line in lines if line[0] != " "] == list(lost)
    for heuristic, (change, reason) in lost.items():
        below = lines[lines.index(heuristic) + 1 :]
        assert below[0] == f"  {change}"
        assert f"{heuristic}.md:" in below[1]
        assert f": {reason}" in below[1]
    assert what.startswith("docs/source/_heuristics.json has warnings")
    assert f"`{check.replace('--check ', '').strip()}`" in action
