"""Which releases of PEFT and transformers fit: what was tried, and the pair that is installed."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from importlib.metadata import version

import pytest
from conftest import ROOT
from pages import text_of

from claims.models import claim

TOOL = runpy.run_path(str(ROOT / "tools/fitting.py"))
FOUND = json.loads((ROOT / "tests/peft/fitting.json").read_text(encoding="utf-8"))
PAIRS = FOUND["pairs"]

versions_that_fit = claim("Versions_That_Fit")


@versions_that_fit
def test_the_table_is_what_was_tried() -> None:
    assert TOOL["table"](PAIRS) in text_of("Versions_That_Fit")


@versions_that_fit
@pytest.mark.parametrize(
    ("name", "pefts", "releases"),
    [
        ("EncoderDecoderCache", {"0.14.0", "0.15.2", "0.21.2"}, {"4.42.4"}),
        ("HybridCache", {"0.16.0", "0.17.1"}, {"5.0.0", "5.24.0"}),
    ],
)
def test_an_import_ends_with_the_name_that_is_not_there(
    name: str, pefts: set[str], releases: set[str]
) -> None:
    for peft in pefts:
        for release in releases:
            found = PAIRS[peft][release]
            assert found["works"] == ""
            assert f"cannot import name '{name}'" in found["error"]


@versions_that_fit
def test_the_installed_pair_does_what_was_found_for_it() -> None:
    found = PAIRS.get(version("peft"), {}).get(version("transformers"))
    assert found, "run tools/fitting.py for the installed releases"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", TOOL["TRIED"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert " ".join(done.stdout.split()) == found["works"]
    assert bool(done.returncode) is ("error" in found)
