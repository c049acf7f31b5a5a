"""The release matrix: wheels, the file, and bounds that agree; what the command and the page show is in `cases/releases`. No network."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
from commands import ran_apart, run
from conftest import CASES, MADE, ROOT, made_of_this_tree
from hypothesis import given
from hypothesis import strategies as st
from session import check

from sphinxext_heuristics._core.source.packages import Sources
from sphinxext_heuristics.releases import command as releases
from sphinxext_heuristics.releases.matrix import (
    Standing,
    contradictions,
    in_order,
    read,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Project


#: What the command writes for the project of `cases/releases`.
WRITTEN = """\
{
 "package": "scales",
 "heuristics": {
  "Tare_First": {
   "quotes": "25b21a10a265fef2",
   "releases": {
    "1.0": "absent",
    "2.0": "drifted",
    "3.0": "held"
   }
  },
  "Weigh_Twice": {
   "quotes": "b429fe5f470674ca",
   "releases": {
    "1.0": "held",
    "2.0": "held",
    "3.0": "held"
   }
  }
 }
}
"""


#: A project that quotes something.
PROJECT = """
=== conf.py
extensions = ["sphinxext_heuristics.releases"]
heuristics_package = "scales"
heuristics_releases_file = "releases.json"
=== index.rst
Start
=====

.. py:function:: scales.weigh

.. heuristic:: Weigh_Twice
   :note: Once is not enough.
   :impl: scales.weigh

   .. evidence:: scales:weigh

      return x
"""


def make_wheel(folder: Path, version: str, files: Mapping[str, str]) -> Path:
    """Write a wheel that pip takes."""
    folder.mkdir(exist_ok=True)
    path = folder / f"scales-{version}-py3-none-any.whl"
    info = f"scales-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in files.items():
            archive.writestr(member, text)
        archive.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: scales\nVersion: {version}\n",
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def fetch_from(
    registry: Path, by_pip: Callable[[str, str, Path], None]
) -> Callable[[str, str, Path], None]:
    """Return what takes a release from its folder, without pip, whose start takes time."""

    def fetch(distribution: str, release: str, to: Path) -> None:
        folder = registry / f"{distribution}-{release}"
        if folder.is_dir():
            shutil.copytree(folder, to)
        else:
            by_pip(distribution, release, to)

    return fetch


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the command find what is in this folder, pip its wheels, and nothing else."""
    folder = tmp_path / "registry"
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(releases, "fetch", fetch_from(folder, releases.fetch))
    return folder


@pytest.mark.parametrize(
    "path", sorted(CASES.glob("releases/*.txt")), ids=lambda path: path.stem
)
def test_session(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path)


@pytest.mark.slow
def test_of_a_wheel_source_is_kept_and_nothing_that_leads_out_or_is_damaged(
    project: Callable[..., Project], registry: Path, tmp_path: Path
) -> None:
    scales = project(PROJECT)
    make_wheel(registry, "1.0", {"scales.py": "", "../../../../evil.py": "x"})
    damaged = make_wheel(registry, "2.0", {"scales.py": "x = 1\n" * 99})
    damaged.write_bytes(damaged.read_bytes()[:-40])
    files = {
        "scales/__init__.py": "def weigh(x):\n    return x\n",
        "scales/data.bin": "x",
        "scales-3.0.data/purelib/scales/more.py": "",
    }
    make_wheel(registry, "3.0", files)
    ran = run("releases", scales.src, "-Q", "--releases", "1.0,2.0,3.0")
    assert ran.status == 1
    outside, broken = ran.stderr.splitlines()
    assert outside.startswith("scales 1.0: not downloaded: ")
    assert "outside" in outside
    assert broken.startswith("scales 2.0: not downloaded: ")
    assert not list(scales.root.rglob("evil*"))
    cache = tmp_path / "cache/sphinxext-heuristics/releases"
    kept = [path for path in cache.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(cache)) for path in kept) == [
        "scales-3.0/scales/__init__.py",
        "scales-3.0/scales/more.py",
    ]
    assert [path.name for path in cache.iterdir()] == ["scales-3.0"]
    written = (scales.src / "releases.json").read_text("utf-8")
    assert read(written).releases == ("3.0",)


# -- bounds, as tables ----------------------------------------------------------------

_WORDS = {"h": Standing.HELD, "d": Standing.DRIFTED, "a": Standing.ABSENT}


def standings(word: str) -> dict[str, Standing]:
    """Return the standings in releases 1, 2, … from their letters."""
    return {str(number): _WORDS[letter] for number, letter in enumerate(word, 1)}


#: What is found in releases 1, 2, …: held, drifted or absent; since; until; whether it agrees.
BOUNDS = """\
hhh  |     |     | agrees
ahh  |     |     | is against
ahh  | 2   |     | agrees
ahh  | 1.5 |     | agrees     # found by hand, between two of them
ahh  | 3   |     | is against
hhh  | 2   |     | is against
hha  |     |     | is against
hhh  |     | 2   | is against
aha  |     |     | is against
aha  | 2   |     | is against
dhh  |     |     | agrees     # it may hold in 1 for another reason
dhh  | 1   |     | agrees     # and be claimed to
dhh  | 3   |     | is against # who left out 1 had a reason
dhd  |     |     | agrees
adh  |     |     | is against
adh  | 2   |     | agrees
adh  | 3   |     | agrees     # who looked may know better
adh  | 1   |     | is against
hda  |     |     | is against
had  |     |     | is against # rather where it is sure to hold
hdh  | 3   |     | agrees
aah  |     | 2   | is against
hhh  | 1.2 | 1.5 | is against
aaa  |     |     | is against
aaa  | 2   |     | is against
aaa  | 4   |     | agrees     # as the author says
aad  |     |     | is against
ddd  |     |     | agrees
ddd  | 2   |     | agrees
     | 2   |     | agrees
hhh  | 3   | 2   | agrees     # no bounds at all, which is told elsewhere
"""


@pytest.mark.parametrize("line", BOUNDS.splitlines())
def test_releases_against_bounds(line: str) -> None:
    word, since, until, said = map(str.strip, line.partition("#")[0].split("|"))
    is_against = any(contradictions(since, until, standings(word)))
    assert said == ("is against" if is_against else "agrees")


@given(st.text("hda", min_size=1, max_size=9), st.data())
def test_what_has_drifted_is_never_held_against_bounds(
    word: str, data: st.DataObject
) -> None:
    bound = st.sampled_from(["", *map(str, range(len(word) + 2))])
    since, until = data.draw(bound), data.draw(bound)
    within, outside = contradictions(since, until, standings(word))
    assert {word[int(release) - 1] for release in within} <= {"a"}
    assert {word[int(release) - 1] for release in outside} <= {"h"}


def test_releases_stand_in_their_own_order() -> None:
    assert in_order(["0.13.0", "0.9.0", "0.18.0rc0", "0.18.0"]) == (
        "0.9.0",
        "0.13.0",
        "0.18.0rc0",
        "0.18.0",
    )
    text = WRITTEN.replace('"2.0": "drifted"', '"10.0": "drifted"')
    assert list(read(text).rows["Tare_First"].standings) == ["1.0", "3.0", "10.0"]


def test_the_file_reads_back() -> None:
    assert text_of(read(WRITTEN)) == WRITTEN
    assert {name: row.line for name, row in read(WRITTEN).rows.items()} == {
        "Tare_First": 4,
        "Weigh_Twice": 12,
    }


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda it: st.lists(it) | st.dictionaries(st.text(), it),
    )
)
def test_any_json_is_read_or_refused(data: object) -> None:
    for value in (
        data,
        {"package": "scales", "heuristics": data},
        {"package": "p", "heuristics": {"x": data}},
    ):
        try:
            read(json.dumps(value))
        except ValueError as error:
            assert str(error)  # noqa: PT017 - it need not be raised


# -- where it looks -------------------------------------------------------------------


def test_only_the_folder_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in" / "spread" / "part").mkdir(parents=True)
    (tmp_path / "in" / "spread" / "part" / "inner.py").write_text("x = 1\n")
    (tmp_path / "out" / "spread").mkdir(parents=True)
    (tmp_path / "out" / "spread" / "outer.py").write_text("x = 1\n")
    sources = Sources([str(tmp_path / "in")])
    assert not sources.exists("json")
    assert not sources.exists("sphinx")
    assert sources.exists("spread.part.inner")
    assert sources.modules("") == ("spread",) or sources.modules("") == ()
    # A namespace that Python itself would spread over its path, now that this has
    # changed.
    monkeypatch.syspath_prepend(tmp_path / "out")
    Sources()
    assert not sources.exists("spread.outer")
    inner = sources.state("spread.part.inner")
    assert inner
    assert inner.path == tmp_path / "in" / "spread" / "part" / "inner.py"


# -- our own site ---------------------------------------------------------------------


@pytest.mark.peft
@pytest.mark.slow
def test_our_own_catalogue_agrees_with_the_releases(tmp_path: Path) -> None:
    """Offline and with an empty cache, so that what the committed file says is all there is."""
    empty = str(tmp_path / "empty")
    doctrees = []
    if made_of_this_tree():
        shutil.copytree(MADE / "doctrees", tmp_path / "doctrees")
        doctrees = ["-d", str(tmp_path / "doctrees")]
    ran = ran_apart(
        "docs",
        "--check",
        "-Q",
        *doctrees,
        module="sphinxext_heuristics.releases",
        XDG_CACHE_HOME=empty,
    )
    assert ran.stdout == "", (
        "a bound to correct, or a heuristic to look for: write the file anew"
    )
    matrix = read((ROOT / "heuristics" / "releases.json").read_text("utf-8"))
    assert len(matrix.releases) >= 8
    assert ran.stderr.count("not downloaded") == len(matrix.releases)
