"""The release matrix: the command that looks into wheels, the file, the page, and bounds that agree. No network."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from commands import ran_apart, run
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from sphinxext_heuristics._core.source.packages import Sources
from sphinxext_heuristics.releases import command as releases
from sphinxext_heuristics.releases.command import cache_folder
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


#: What is released, and what of it is there in the project's own folder: the last one.
SCALES = {
    "1.0": "def weigh(x):\n    return x\n",
    "2.0": "def weigh(x):\n    return x\n\n\nclass Scale:\n    def tare(self, x):\n        return x - 1\n",
    "3.0": "def weigh(x):\n    return x\n\n\nclass Scale:\n    def tare(self, x):\n        return x - self.empty\n",
}

CONF = """\
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
extensions = ["sphinxext_heuristics.releases"]
release = "3.0"
heuristics_package = "scales"
heuristics_releases_file = "releases.json"
heuristics_dir = None
"""

PROJECT = {
    "conf.py": CONF,
    "index.rst": """\
Start
=====

.. toctree::

   page
   other
   table

.. py:function:: scales.weigh
""",
    "page.rst": """\
Page
====

.. heuristic:: Weigh_Twice
   :note: Once is not enough.
   :impl: scales.weigh

   .. evidence:: scales:weigh

      return x

.. heuristic:: Tare_First
   :note: Take the empty pan away.
   :impl: scales.weigh
   :since: 3.0

   .. evidence:: scales:Scale.tare

      return x - self.empty
""",
    "other.rst": "Other\n=====\n\nNothing is shown here.\n",
    "table.rst": "Releases\n========\n\n.. heuristic-releases::\n",
    "scales.py": SCALES["3.0"],
}

#: What the command writes for it.
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


def make_wheel(
    folder: Path, version: str, files: Mapping[str, str], name: str = "scales"
) -> Path:
    """Write a wheel that pip takes."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in files.items():
            archive.writestr(member, text)
        archive.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(autouse=True)
def registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """Let pip find what is in this folder and nothing else.

    What is plainly there is taken without pip, whose start takes the time; the fixture
    `asking_pip` asks it for all.
    """
    folder = tmp_path / "registry"
    for version, text in SCALES.items():
        make_wheel(folder, version, {"scales.py": text})
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)

    def fetch(distribution: str, release: str, to: Path) -> None:
        wheel = folder / f"{distribution}-{release}-py3-none-any.whl"
        shutil.unpack_archive(wheel, to, "zip") if wheel.is_file() else by_pip(
            distribution, release, to
        )

    by_pip = releases.fetch
    if "asking_pip" not in request.fixturenames:
        monkeypatch.setattr(releases, "fetch", fetch)
    return folder


@pytest.fixture
def asking_pip() -> None:
    """Let the test ask pip for whatever it wants."""


@pytest.fixture
def scales(project: Callable[..., Project]) -> Project:
    return project(PROJECT)


def command(project: Project, *arguments: str) -> tuple[int, str, list[str]]:
    """Run the command; return its exit code, what it prints, and what it says besides."""
    ran = run("releases", project.src, "-Q", *arguments)
    said = ran.stderr.replace(str(project.src), "<src>").replace(
        str(project.root), "<root>"
    )
    return ran.status, ran.stdout.replace(str(project.src), "<src>"), said.splitlines()


def run_named(project: Project, message: str) -> None:
    """Run the command that a message names, as it stands there."""
    words = (
        "releases "
        + message.partition("python -m sphinxext_heuristics.releases ")[2].partition(
            " [heuristic."
        )[0]
    )
    assert words, message
    ran = run(
        *shlex.split(
            words.replace("<src>", str(project.src)).replace(
                "<root>", str(project.root)
            )
        ),
        "-Q",
    )
    sys.modules.pop("scales", None)  # autodoc has imported it
    assert ran.status < 2, ran.stderr


def written(project: Project) -> str:
    return (project.src / "releases.json").read_text("utf-8")


def with_file(text: str = WRITTEN, **files: str) -> dict[str, str]:
    """Return the project with its file, some of its other files exchanged."""
    return {
        **PROJECT,
        "releases.json": text,
        **{name.replace("_", "."): text for name, text in files.items()},
    }


# -- the command ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("asking_pip")
def test_the_command_writes_what_holds_where(scales: Project) -> None:
    assert command(scales, "--releases", "3.0,1.0,2.0") == (
        0,
        "<src>/releases.json\n",
        [],
    )
    assert written(scales) == WRITTEN
    assert "scales" not in sys.modules
    scales.ok()


def test_it_counts_on_stderr_unless_it_is_to_be_quiet(scales: Project) -> None:
    ran = run("releases", scales.src, "--releases", "1.0,2.0,3.0", "-N")
    assert ran.stderr.splitlines()[-3:] == [
        "scales 1.0: 1 held, 0 drifted, 1 absent",
        "scales 2.0: 1 held, 1 drifted, 0 absent",
        "scales 3.0: 2 held, 0 drifted, 0 absent",
    ]


def test_each_release_is_fetched_once_and_the_file_says_which(
    scales: Project, registry: Path
) -> None:
    command(scales, "--releases", "1.0,2.0,3.0")
    for wheel in registry.iterdir():
        wheel.unlink()
    before = (scales.src / "releases.json").stat().st_mtime_ns
    for arguments in ((), ("--check",), ("--releases", "1.0, 2.0,3.0")):
        status, out, said = command(scales, *arguments)
        assert (status, out) == (0, "")
        assert said[-1].endswith("releases.json is up to date")
    assert (scales.src / "releases.json").stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.usefixtures("asking_pip")
def test_only_source_text_is_kept(
    scales: Project, registry: Path, tmp_path: Path
) -> None:
    files = {
        "scales/__init__.py": SCALES["3.0"],
        "scales/data.bin": "x",
        "scales-3.0.data/purelib/scales/more.py": "",
    }
    make_wheel(registry, "3.0", files)
    command(scales, "--releases", "3.0")
    cache = tmp_path / "cache" / "sphinxext-heuristics" / "releases"
    assert [
        path.relative_to(cache).as_posix()
        for path in sorted(cache.rglob("*"))
        if path.is_file()
    ] == ["scales-3.0/scales/__init__.py", "scales-3.0/scales/more.py"]


def test_a_check_compares_and_writes_nothing(project: Callable[..., Project]) -> None:
    scales = project(with_file(WRITTEN.replace('"drifted"', '"held"')))
    before = written(scales)
    status, out, said = command(scales, "--check")
    assert (status, written(scales)) == (1, before)
    assert '-    "2.0": "held",\n+    "2.0": "drifted",\n' in out
    assert said[-1].endswith(
        "releases.json differs; to write it, run the same command without --check"
    )


def test_releases_that_are_named_are_added_to_those_of_the_file(
    scales: Project,
) -> None:
    for named in ("3.0", "1.0.0", "2.0,1.0"):
        assert command(scales, "--releases", named)[0] == 0
    data = json.loads(written(scales))
    assert {
        name: list(row["releases"]) for name, row in data["heuristics"].items()
    } == {
        "Tare_First": ["1.0.0", "2.0", "3.0"],
        "Weigh_Twice": ["1.0.0", "2.0", "3.0"],
    }, "in their order, and 1.0 is 1.0.0"


def test_what_was_not_got_is_not_recorded_and_nothing_else_is_lost(
    project: Callable[..., Project], registry: Path
) -> None:
    scales = project(with_file())
    for wheel in registry.iterdir():
        wheel.unlink()
    status, out, said = command(scales, "--releases", "7.7")
    assert (status, out, written(scales)) == (1, "", WRITTEN)
    assert [line.partition(":")[0] for line in said[:-1]] == [
        f"scales {release}" for release in ("1.0", "2.0", "3.0", "7.7")
    ]
    assert said[-1].endswith("releases.json is up to date")
    scales.ok()


def test_the_row_is_printed_where_bounds_do_not_agree(scales: Project) -> None:
    scales.write({"page.rst": PROJECT["page.rst"].replace("   :since: 3.0\n", "")})
    status, out, _said = command(scales, "--releases", "1.0,2.0,3.0")
    assert (status, out) == (
        1,
        "Tare_First (no bounds): 1.0 absent, 2.0 drifted, 3.0 held\n<src>/releases.json\n",
    )
    assert not scales.build().warnings, (
        "who sets no bounds claims nothing of old releases"
    )
    for since in ("2.0", "3.0"):
        scales.write(
            {"page.rst": PROJECT["page.rst"].replace("since: 3.0", f"since: {since}")}
        )
        assert command(scales)[:2] == (0, "")
        scales.ok()


def test_why_tells_what_is_there_instead(scales: Project) -> None:
    _status, out, _said = command(scales, "--releases", "1.0,2.0,3.0", "--why")
    assert out.splitlines()[:2] == [
        "Tare_First, 1.0: module 'scales' has no 'Scale.tare'",
        "Tare_First, 2.0: the quoted code is not in scales:Scale.tare: closest match: line 7",
    ]


def test_some_of_it_there_is_drift_and_not_absence(scales: Project) -> None:
    both = PROJECT["page.rst"] + "\n   .. evidence:: scales:weigh\n\n      return x\n"
    scales.write({"page.rst": both})
    command(scales, "--releases", "1.0,2.0,3.0")
    assert read(written(scales)).rows["Tare_First"].standings["1.0"] is Standing.DRIFTED


def test_other_packages_are_left_out(scales: Project) -> None:
    more = (
        PROJECT["page.rst"]
        + "\n   .. evidence:: json:dumps\n      :text:\n\n      Serialize\n"
    )
    scales.write({"page.rst": more})
    command(scales, "--releases", "1.0,2.0,3.0")
    assert written(scales) == WRITTEN, (
        "neither what is looked for nor the digest has changed"
    )


def test_a_release_that_raises_on_import_is_read(
    scales: Project, registry: Path
) -> None:
    ruin = "raise RuntimeError\nimport os\nos._exit(3)\n"
    for version, text in SCALES.items():
        make_wheel(registry, version, {"scales.py": ruin + text})
    assert command(scales, "--releases", "1.0,2.0,3.0")[0] == 0
    assert written(scales) == WRITTEN


def test_a_release_that_cannot_be_parsed_says_nothing(
    scales: Project, registry: Path
) -> None:
    make_wheel(registry, "2.0", {"scales.py": "def weigh(x:\n"})
    _status, _out, said = command(scales, "--releases", "1.0,2.0,3.0")
    assert "Weigh_Twice, 2.0: unknown: a file cannot be parsed by this Python" in said
    assert all(
        set(row.standings) == {"1.0", "3.0"}
        for row in read(written(scales)).rows.values()
    )
    assert scales.ok().read("table.txt").count("unknown") == 1, "in the legend alone"
    assert command(scales, "--check")[0] == 0


# -- what cannot be downloaded ---------------------------------------------------------------


def test_an_unknown_release_is_named_and_the_others_are_read(scales: Project) -> None:
    status, out, said = command(scales, "--releases", "1.0,2.5,3.0")
    assert (status, out) == (1, "<src>/releases.json\n")
    assert said == [
        "scales 2.5: not downloaded: No matching distribution found for scales==2.5"
    ]
    assert read(written(scales)).releases == ("1.0", "3.0")


def test_offline_it_works_with_what_is_kept_and_what_the_file_says(
    scales: Project, registry: Path
) -> None:
    command(scales, "--releases", "1.0,2.0,3.0")
    for wheel in registry.iterdir():
        wheel.unlink()
    (cache_folder() / "scales-2.0").rename(cache_folder() / "elsewhere")
    (cache_folder() / "scales-3.0").rename(cache_folder() / "elsewhere-3")
    status, _out, said = command(scales)
    assert status == 1
    assert said[:2] == [
        f"scales {release}: not downloaded: No matching distribution found for scales=={release}"
        for release in ("2.0", "3.0")
    ]
    assert written(scales) == WRITTEN


def test_offline_nothing_is_kept_of_other_quotes(
    scales: Project, registry: Path
) -> None:
    command(scales, "--releases", "1.0,2.0,3.0")
    for wheel in registry.iterdir():
        wheel.unlink()
    (cache_folder() / "scales-2.0").rename(cache_folder() / "elsewhere")
    scales.write(
        {
            "page.rst": PROJECT["page.rst"].replace(
                "      return x\n", "      def weigh(x):\n"
            )
        }
    )
    assert command(scales)[0] == 1
    rows = read(written(scales)).rows
    assert set(rows["Weigh_Twice"].standings) == {"1.0", "3.0"}
    assert set(rows["Tare_First"].standings) == {"1.0", "2.0", "3.0"}


def test_with_nothing_at_all_nothing_is_written(
    scales: Project, registry: Path
) -> None:
    for wheel in registry.iterdir():
        wheel.unlink()
    status, out, said = command(scales, "--releases", "1.0,2.0")
    assert (status, out, said[-1]) == (
        1,
        "",
        "no release could be downloaded; file not written",
    )
    assert not (scales.src / "releases.json").exists()


def test_a_wheel_of_another_package_is_no_release(
    scales: Project, registry: Path
) -> None:
    make_wheel(registry, "2.0", {"balances.py": ""})
    _status, _out, said = command(scales, "--releases", "2.0,3.0")
    expected = "scales 2.0: not downloaded: its wheel has no package 'scales' (kept in "
    assert said[0].startswith(expected)


# -- wheels that mean harm ------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("asking_pip")
def test_a_wheel_that_leads_out_is_refused_and_the_others_are_read(
    scales: Project, registry: Path
) -> None:
    make_wheel(
        registry, "2.0", {"scales.py": SCALES["2.0"], "../../../../evil.py": "x"}
    )
    status, _out, said = command(scales, "--releases", "1.0,2.0,3.0")
    assert (status, len(said)) == (1, 1)
    assert said[0].startswith("scales 2.0: not downloaded: ")
    assert "outside" in said[0]
    assert not list(scales.root.rglob("evil*"))
    assert sorted(path.name for path in cache_folder().iterdir()) == [
        "scales-1.0",
        "scales-3.0",
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("asking_pip")
def test_a_damaged_wheel_is_no_release(scales: Project, registry: Path) -> None:
    wheel = make_wheel(registry, "2.0", {"scales.py": "x = 1\n" * 99})
    wheel.write_bytes(wheel.read_bytes()[:-40])
    status, _out, said = command(scales, "--releases", "1.0,2.0,3.0")
    assert (status, len(said)) == (1, 1)
    assert said[0].startswith("scales 2.0: not downloaded: ")
    assert sorted(path.name for path in cache_folder().iterdir()) == [
        "scales-1.0",
        "scales-3.0",
    ]


# -- docstrings -----------------------------------------------------------------------

DOCSTRING = '''\
def weigh(x):
    """Weigh.

    .. heuristic:: Weigh_Gently
       :note: The pan swings.
       :impl: scales.weigh

       .. evidence:: scales:weigh

          return x
    """
    return x
'''

#: A heuristic on a page, and one in a docstring.
IN_DOCSTRING = {
    **PROJECT,
    "conf.py": CONF.replace('["', '["sphinx.ext.autodoc", "'),
    "index.rst": PROJECT["index.rst"].replace(".. py:function::", ".. autofunction::"),
    "scales.py": SCALES["3.0"].replace("def weigh(x):\n    return x\n", DOCSTRING),
}


def test_what_a_docstring_quotes_is_looked_for(project: Callable[..., Project]) -> None:
    scales = project({**IN_DOCSTRING, "releases.json": WRITTEN})
    [warning] = scales.build().warnings
    assert warning.startswith(
        "<src>/scales.py:docstring of scales.weigh:3: WARNING: the file of releases does not list"
    )
    assert warning.endswith(f"to rewrite it: {COMMAND} [heuristic.evidence]")
    run_named(scales, warning)
    scales.ok()
    scales.write(
        {
            "scales.py": IN_DOCSTRING["scales.py"].replace(
                "          return x\n", "          def weigh(x):\n"
            )
        }
    )
    [warning] = scales.build("text", "-E").warnings
    assert "what 'Weigh_Gently' quotes has changed" in warning
    run_named(scales, warning)
    scales.ok()


@pytest.mark.parametrize("gone", ["the heuristic", "its evidence"])
def test_what_is_stale_goes_by_the_command_that_the_warning_names(
    gone: str, project: Callable[..., Project]
) -> None:
    scales = project(with_file())
    page, _evidence, _code = PROJECT["page.rst"].partition(
        "   .. evidence:: scales:Scale.tare"
    )
    scales.write(
        {
            "page.rst": page.partition(".. heuristic:: Tare")[0]
            if gone == "the heuristic"
            else page
        }
    )
    [warning] = scales.build().warnings
    assert "stale entry: " in warning
    run_named(scales, warning)
    assert set(read(written(scales)).rows) == {"Weigh_Twice"}
    scales.ok()


# -- misuse ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--releases", "1.0,--index-url"],
            "'--index-url' is not a version such as 0.21.2",
        ),
        (["--releases", ","], "no version is named"),
        (
            ["--releases", "1.0", "-D", "heuristics_package="],
            "heuristics_package is not set in <src>/conf.py",
        ),
        (
            [],
            "no release is named; name some: python -m sphinxext_heuristics.releases <src> --releases VERSION,VERSION",
        ),
    ],
)
def test_misuse_is_two(arguments: list[str], said: str, scales: Project) -> None:
    status, out, errors = command(scales, *arguments)
    assert (status, out) == (2, "")
    assert said in errors[-1]


def test_without_the_option_there_is_no_file(scales: Project) -> None:
    scales.write({"conf.py": CONF.replace("heuristics_releases_file", "unused")})
    status, _out, errors = command(scales, "--releases", "1.0")
    assert status == 2
    assert "heuristics_releases_file is not set in <src>/conf.py" in errors[-1]


def test_what_is_no_file_of_releases_is_not_lost(
    project: Callable[..., Project],
) -> None:
    scales = project(with_file('{"mine": 1}\n'))
    status, _out, errors = command(scales, "--releases", "1.0")
    assert (status, written(scales)) == (2, '{"mine": 1}\n')
    said = (
        "this is no file of releases: it does not hold 'package' and 'heuristics'; "
        f"fix the file, or remove it and run: {COMMAND} --releases VERSION,VERSION"
    )
    assert errors[-1].endswith(f"<src>/releases.json:1: {said}")
    [warning] = scales.build().warnings
    assert f"<src>/releases.json:1: WARNING: {said}" in warning
    (scales.src / "releases.json").unlink()
    run_named(scales, warning.replace("VERSION,VERSION", "1.0,2.0,3.0"))
    assert written(scales) == WRITTEN


def test_a_folder_in_its_place_is_named(project: Callable[..., Project]) -> None:
    scales = project(PROJECT)
    (scales.src / "releases.json").mkdir()
    [warning] = scales.build().warnings
    what = warning.partition("WARNING: ")[2].removesuffix(" [heuristic.config]")
    assert what == (
        "this is no file of releases: [Errno 21] Is a directory: '<src>/releases.json'; "
        f"fix the file, or remove it and run: {COMMAND} --releases VERSION,VERSION"
    )
    status, _out, said = command(scales)
    assert status == 2
    assert said[-1].endswith(what)


def test_a_cache_that_cannot_be_written_is_a_failure(
    scales: Project, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("")
    status, _out, errors = command(scales, "--releases", "1.0")
    assert status == 2
    assert "Not a directory: '<root>/cache/sphinxext-heuristics" in errors[-1]


# -- the page -------------------------------------------------------------------------


def test_the_table_tells_in_words(project: Callable[..., Project]) -> None:
    built = project(with_file()).ok("html")
    table = built.soup("table.html").select_one("table.heuristic-releases")
    assert table
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in table.select("tr")
    ]
    assert rows == [
        ["Heuristic", "1.0", "2.0", "3.0*"],
        ["Weigh Twice Tip", "held", "held", "held"],
        ["Tare First Tip , ≥ 3.0", "absent", "drifted", "held"],
    ]
    assert [
        cell.name for row in table.select("tbody tr") for cell in row.select("th, td")
    ] == ["th", "td", "td", "td"] * 2
    for link, title in zip(
        table.select("a"), ("Weigh Twice", "Tare First"), strict=True
    ):
        heuristic = built.follow("table.html", link)
        assert title in heuristic.get_text()
    legend = built.soup("table.html").select_one("p.heuristic-legend")
    assert legend
    assert all(
        f"{word}: " in legend.get_text()
        for word in ("held", "drifted", "absent", "unknown")
    )
    assert "* the release that this documentation describes" in legend.get_text()


def test_it_is_in_other_builders(project: Callable[..., Project]) -> None:
    scales = project(with_file())
    assert "drifted" in scales.ok("text").read("table.txt")
    latex = next(scales.ok("latex").out.glob("*.tex")).read_text(encoding="utf-8")
    assert r"longtable}{\X{24}{48}\X{8}{48}\X{8}{48}\X{8}{48}}" in latex, (
        "a title has room"
    )
    scales.ok("epub", "-D", "copyright=2026", "-D", "version=3.0")


def test_options_choose_as_in_the_index(project: Callable[..., Project]) -> None:
    scales = project(
        with_file(table_rst=PROJECT["table.rst"] + "   :severity: danger\n")
    )
    table = scales.ok().read("table.txt")
    assert "Weigh Twice" not in table
    assert "No heuristic is to be shown." in table
    scales.write(
        {"table.rst": PROJECT["table.rst"].rstrip() + " x\n   :layout: cards\n"}
    )
    assert [line.partition("WARNING: ")[2] for line in scales.build().warnings] == [
        "heuristic-releases takes no argument: 'x' [heuristic.option]",
        "unknown option 'layout': allowed are category, severity, impl, workflow, principle, env [heuristic.option]",
    ]


def test_what_was_not_looked_for_is_unknown(project: Callable[..., Project]) -> None:
    data = json.loads(WRITTEN)
    del data["heuristics"]["Weigh_Twice"]["releases"]["2.0"]
    text = project(with_file(json.dumps(data))).ok().read("table.txt")
    assert text.count("unknown") == 2, "in the table and in the legend"


def test_a_development_version_is_its_release(project: Callable[..., Project]) -> None:
    scales = project(with_file(conf_py=CONF.replace('"3.0"', '"3.0.dev1"')))
    assert "3.0*" in scales.build().read("table.txt")


def test_only_the_page_of_the_table_follows_the_file(
    project: Callable[..., Project],
) -> None:
    scales = project(with_file())
    scales.ok("html")
    outs, trees = (
        ("index.html", "page.html", "other.html", "table.html"),
        scales.root / "doctrees",
    )
    before = {
        name: (scales.root / "out-html" / name).stat().st_mtime_ns for name in outs
    }
    read_at = {path.name: path.stat().st_mtime_ns for path in trees.glob("*.doctree")}
    changed = WRITTEN.replace('"1.0": "absent"', '"1.0": "drifted"')
    scales.write({"releases.json": changed})
    built = scales.ok("html")
    after = {name: (built.out / name).stat().st_mtime_ns for name in outs}
    # Sphinx writes the page of a toctree again with any page in it.
    assert [name for name in outs if after[name] != before[name]] == [
        "index.html",
        "table.html",
    ]
    assert {
        path.name: path.stat().st_mtime_ns for path in trees.glob("*.doctree")
    } == read_at
    clean = scales.ok("html", "-E", "-a", out="clean")
    assert built.read("table.html") == clean.read("table.html")
    stamp = (built.out / "table.html").stat().st_mtime_ns
    scales.write({"releases.json": json.dumps(json.loads(changed))})
    scales.ok("html")
    assert (built.out / "table.html").stat().st_mtime_ns == stamp, (
        "it says the same, otherwise written"
    )


# -- warnings -------------------------------------------------------------------------

COMMAND = "python -m sphinxext_heuristics.releases <src>"

FAULTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "no file": (
        PROJECT,
        [
            (
                "<src>/conf.py:6: WARNING: the file of releases '<src>/releases.json' is not there; "
                f"to write it: {COMMAND} --releases VERSION,VERSION [heuristic.config]"
            )
        ],
    ),
    "no JSON": (
        with_file("{\n<<<<<<< mine\n"),
        [
            (
                "<src>/releases.json:2: WARNING: this is no file of releases: Expecting property name enclosed in "
                f"double quotes; fix the file, or remove it and run: {COMMAND} --releases VERSION,VERSION "
                "[heuristic.config]"
            )
        ],
    ),
    "another shape": (
        with_file(WRITTEN.replace('"drifted"', '"perhaps"')),
        [
            (
                "<src>/releases.json:1: WARNING: this is no file of releases: 'perhaps' is not a valid "
                f"Standing; fix the file, or remove it and run: {COMMAND} --releases VERSION,VERSION "
                "[heuristic.config]"
            )
        ],
    ),
    "another package": (
        with_file(WRITTEN.replace('"scales"', '"balances"')),
        [
            (
                "<src>/releases.json:1: WARNING: these are releases of 'balances', but heuristics_package is 'scales'; "
                f"fix the file, or remove it and run: {COMMAND} --releases VERSION,VERSION [heuristic.config]"
            )
        ],
    ),
    "no package": (
        with_file(conf_py=CONF.replace('"scales"', '""')),
        [
            (
                "<src>/conf.py:6: WARNING: heuristics_releases_file requires heuristics_package: set it to the "
                "package whose releases to check [heuristic.config]"
            )
        ],
    ),
    "a directive without the option": (
        {**PROJECT, "conf.py": CONF.replace('"releases.json"', "None")},
        [
            (
                "<src>/table.rst:4: WARNING: heuristic-releases shows the file heuristics_releases_file, which conf.py "
                "does not set [heuristic.config]"
            )
        ],
    ),
    "a heuristic that is not listed, and a stale entry": (
        with_file(WRITTEN.replace("Weigh_Twice", "Weigh_Thrice")),
        [
            (
                f"<src>/page.rst:4: WARNING: the file of releases does not list 'Weigh_Twice'; to rewrite it: "
                f"{COMMAND} [heuristic.evidence]"
            ),
            (
                "<src>/releases.json:12: WARNING: stale entry: no heuristic is named 'Weigh_Thrice'; did you mean "
                f"'Weigh_Twice'?; to rewrite the file: {COMMAND} [heuristic.evidence]"
            ),
        ],
    ),
    "other quotes": (
        with_file(
            page_rst=PROJECT["page.rst"].replace(
                "      return x\n", "      def weigh(x):\n"
            )
        ),
        [
            (
                "<src>/page.rst:4: WARNING: what 'Weigh_Twice' quotes has changed since it was looked for in the "
                f"releases; to look for it again: {COMMAND} [heuristic.evidence]"
            )
        ],
    ),
    "it does not hold within its bounds": (
        with_file(page_rst=PROJECT["page.rst"].replace("since: 3.0", "since: 0.9")),
        [
            (
                "<src>/page.rst:12: WARNING: heuristic 'Tare_First' holds for ≥ 0.9, but nothing that it quotes from "
                "is in scales 1.0: correct its bounds [heuristic.version]"
            )
        ],
    ),
    "it holds outside of its bounds": (
        with_file(
            page_rst=PROJECT["page.rst"].replace(
                "scales.weigh\n\n", "scales.weigh\n   :since: 2.5\n\n", 1
            )
        ),
        [
            (
                "<src>/page.rst:4: WARNING: heuristic 'Weigh_Twice' holds for ≥ 2.5, but all that it quotes is in "
                "scales 1.0, 2.0, too: correct its bounds, or quote what has changed [heuristic.version]"
            )
        ],
    ),
}


def test_the_installed_release_is_told_of_once(project: Callable[..., Project]) -> None:
    late = PROJECT["page.rst"].replace(
        "scales.weigh\n\n", "scales.weigh\n   :since: 4.0\n\n", 1
    )
    told = [
        warning.partition(" is in ")[2]
        for warning in project(with_file(page_rst=late)).build().warnings
    ]
    end = ", too: correct its bounds, or quote what has changed [heuristic.version]"
    assert told == [f"scales 1.0, 2.0{end}", f"scales 3.0{end}"]


@pytest.mark.parametrize("what", FAULTS)
def test_every_build_warns(what: str, project: Callable[..., Project]) -> None:
    files, expected = FAULTS[what]
    scales = project(files)
    for built in (scales.build(), scales.build(), scales.build("text", "-E")):
        assert built.warnings == expected
    assert (scales.root / "out-text" / "table.txt").is_file()


def test_what_was_found_for_other_quotes_is_not_shown(
    project: Callable[..., Project],
) -> None:
    built = project(FAULTS["other quotes"][0]).build()
    row = next(
        line for line in built.read("table.txt").splitlines() if "Weigh Twice" in line
    )
    assert "held" not in row
    assert row.count("unknown") == 3


def test_without_the_option_there_is_nothing_to_say(
    project: Callable[..., Project],
) -> None:
    files = {**PROJECT, "conf.py": CONF.replace('"releases.json"', "None")}
    del files["table.rst"]
    files["index.rst"] = files["index.rst"].replace("   table\n", "")
    project(files).ok()


# -- bounds, as tables ----------------------------------------------------------------

_WORDS = {"h": Standing.HELD, "d": Standing.DRIFTED, "a": Standing.ABSENT}


def standings(word: str) -> dict[str, Standing]:
    """Return the standings in releases 1, 2, … from their letters."""
    return {str(number): _WORDS[letter] for number, letter in enumerate(word, 1)}


@pytest.mark.parametrize(
    ("word", "since", "until", "is_against"),
    [
        ("hhh", "", "", False),
        ("ahh", "", "", True),
        ("ahh", "2", "", False),
        ("ahh", "1.5", "", False),  # found by hand, between two of them
        ("ahh", "3", "", True),
        ("hhh", "2", "", True),
        ("hha", "", "", True),
        ("hhh", "", "2", True),
        ("aha", "", "", True),
        ("aha", "2", "", True),
        ("dhh", "", "", False),  # it may hold in 1 for another reason
        ("dhh", "1", "", False),  # and be claimed to
        ("dhh", "3", "", True),  # who left out 1 had a reason
        ("dhd", "", "", False),
        ("adh", "", "", True),
        ("adh", "2", "", False),
        ("adh", "3", "", False),  # who looked may know better
        ("adh", "1", "", True),
        ("hda", "", "", True),
        ("had", "", "", True),  # rather where it is sure to hold
        ("hdh", "3", "", False),
        ("aah", "", "2", True),
        ("hhh", "1.2", "1.5", True),
        ("aaa", "", "", True),
        ("aaa", "2", "", True),
        ("aaa", "4", "", False),  # as the author says
        ("aad", "", "", True),
        ("ddd", "", "", False),
        ("ddd", "2", "", False),
        ("", "2", "", False),
        ("hhh", "3", "2", False),  # no bounds at all, which is told elsewhere
    ],
)
def test_releases_against_bounds(
    word: str, since: str, until: str, *, is_against: bool
) -> None:
    assert any(contradictions(since, until, standings(word))) is is_against


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
    assert (
        sources.path("spread.part.inner")
        == tmp_path / "in" / "spread" / "part" / "inner.py"
    )


# -- our own site ---------------------------------------------------------------------


@pytest.mark.peft
@pytest.mark.slow
def test_our_own_catalogue_agrees_with_the_releases(tmp_path: Path) -> None:
    """Offline and with an empty cache, so that what the committed file says is all there is."""
    empty = str(tmp_path / "empty")
    ran = ran_apart(
        "docs",
        "--check",
        "-Q",
        module="sphinxext_heuristics.releases",
        XDG_CACHE_HOME=empty,
    )
    assert ran.stdout == "", (
        "a bound to correct, or a heuristic to look for: write the file anew"
    )
    matrix = read((ROOT / "heuristics" / "releases.json").read_text("utf-8"))
    assert len(matrix.releases) >= 8
    assert ran.stderr.count("not downloaded") == len(matrix.releases)
