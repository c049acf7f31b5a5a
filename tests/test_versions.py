"""Versions: what bounds hold, and what is installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from sphinxext_heuristics._core import model, versions

if TYPE_CHECKING:
    from pathlib import Path


#: Since, until and the version, "-" for none, and whether the bounds hold.
BOUNDS = """
-         -           0.20        yes
0.20      -           0.20        yes
0.20      -           0.20.2      yes
0.20.0    -           0.20        yes
0.20.2    -           0.20.1      no
0.21      -           0.20.9      no
v0.3      -           0.20        yes
# a bound is a prefix
-         0.20        0.20.2      yes
-         V0.20       0.20.2      yes
-         0.20        0.21        no
-         0.20        0.2         yes
-         0.2         0.20        no
-         0           0.99.1      yes
-         0           1.0         no
-         0.20.0      0.20        yes
-         0.20        0.20.post1  yes
# a development or release-candidate version counts as its release
0.21      -           0.21.0.dev0 yes
-         0.20        0.21.0.dev0 no
0.21      -           0.21.0rc1   yes
# bounds that are no plain releases are compared as they are
0.21.0rc1 -           0.21.0.dev0 yes
0.21.0rc2 -           0.21.0rc1   no
-         0.21.0rc1   0.21.0rc1   yes
-         0.21.0rc1   0.21.0      no
1!2.0     -           1!2.1       yes
# what cannot be read excludes nothing
0.20      -           -           yes
0.20      -           main        yes
many      few         0.20        yes
"""
#: Since, until, and whether no version lies between them.
EMPTY = """
0.20      0.20        no
0.20.2    0.20        no
0.21      0.20        yes
0.20      0.20.0rc1   yes
0.20.0rc1 0.20.0rc2   no
-         0.20        no
0.20      -           no
0.20      some        no
"""


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table's lines."""
    lines = [line for line in table.splitlines() if line and line[0] != "#"]
    return [["" if cell == "-" else cell for cell in line.split()] for line in lines]


@pytest.mark.parametrize(("since", "until", "version", "expected"), rows(BOUNDS))
def test_bounds_hold(since: str, until: str, version: str, expected: str) -> None:
    assert versions.holds(since, until, version) is (expected == "yes")


@pytest.mark.parametrize(("since", "until", "expected"), rows(EMPTY))
def test_empty_ranges(since: str, until: str, expected: str) -> None:
    assert versions.is_empty_range(since, until) is (expected == "yes")


def test_more_digits_than_python_reads_exclude_nothing() -> None:
    assert versions.holds("9" * 5000, "", "1.0")


def dist_info(site: Path, name: str, version: str, top: str = "") -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    if top:
        (info / "top_level.txt").write_text(f"{top}\n")


def test_installed_version_by_package_and_by_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist_info(tmp_path, "tabledemo", "1.2.3", top="tabledemo")
    dist_info(tmp_path, "other-name", "4.5", top="tableother")
    dist_info(tmp_path, "tablespace-one", "6.1", top="tablespace")
    dist_info(tmp_path, "tablespace-two", "6.2", top="tablespace")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert versions.installed("tabledemo") == "1.2.3"
    assert versions.installed("tabledemo.sub") == "1.2.3"
    assert versions.installed("tableother") == "4.5", (
        "the distribution's name is another than the package's"
    )
    assert versions.installed("tablespace.two") == "6.2"
    assert versions.installed("tablespace.three") is None, (
        "of what several share, none speaks for all"
    )
    assert versions.installed("tablenowhere") is None
    assert versions.installed("") is None


def test_metadata_that_is_not_there_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tablenone-1.0.dist-info").mkdir()
    dist_info(tmp_path, "my-table", "1.5", top="tabledash")
    (tmp_path / "tablefiles-2.0.dist-info").mkdir()
    (tmp_path / "tablefiles-2.0.dist-info/METADATA").write_text(
        "Name: tablefiles\nVersion: 2.0\n"
    )
    (tmp_path / "tablefolder").mkdir()
    for name in ("tablefile.py", "tablefolder/a.py"):
        (tmp_path / name).touch()
    (tmp_path / "tablefiles-2.0.dist-info/RECORD").write_text(
        "tablefile.py,,\ntablefolder/a.py,,\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert versions.installed("tablenone") is versions.installed("tablegone") is None
    assert versions.installed("tabledash") == "1.5"
    assert versions.distribution("tabledash") == "my-table"
    assert versions.installed("tablefile") == versions.installed("tablefolder") == "2.0"
    assert versions.distribution("tablenone") == "tablenone"
    assert versions.distribution("tablegone") == ""


@pytest.mark.parametrize("record", [model.Heuristic, model.Found, model.Message])
def test_stored_records_are_made_anew_when_their_fields_change(
    monkeypatch: pytest.MonkeyPatch, record: type[Any]
) -> None:
    before = versions.records_version("1.0")
    assert before != versions.records_version("1.1")
    monkeypatch.setattr(record, "_fields", (*record._fields, "new"))
    assert before != versions.records_version("1.0")


def test_another_python_may_read_the_same_source_differently(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = versions.records_version("1.0")
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    assert before != versions.records_version("1.0")
