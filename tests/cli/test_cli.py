"""The command line: what it prints where, what it writes, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import ran_apart, run
from conftest import ROOT
from seed import INDEX, PAGE, SEED, seed_files
from sphinx.util.console import coloron

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project


@pytest.fixture
def seed(project: Callable[..., Project]) -> Project:
    return project(seed_files())


# -- index ----------------------------------------------------------------------------


def test_what_is_up_to_date_is_fine(seed: Project) -> None:
    before = (seed.src / INDEX).stat().st_mtime_ns
    for arguments in (("--check",), ()):
        ran = run("index", seed.src, *arguments)
        assert (ran.status, ran.stdout) == (0, "")
        assert ran.stderr.endswith("_HeuristicIndex.md is up to date\n")
    assert (seed.src / INDEX).stat().st_mtime_ns == before, "nothing is written"


def test_a_missing_file_is_found_and_written(seed: Project) -> None:
    (seed.src / INDEX).unlink()
    found = run("index", seed.src, "--check", "-q")
    assert found.status == 1
    assert (
        f"WARNING: the index file '{seed.src / INDEX}' is not there; to write it: "
        in found.stderr
    )
    assert run("index", seed.src, "-q").status == 0
    assert (seed.src / INDEX).read_text(encoding="utf-8") == SEED
    umask = os.umask(0)
    os.umask(umask)
    assert (seed.src / INDEX).stat().st_mode & 0o777 == 0o666 & ~umask


def stale(seed: Project) -> Path:
    path = seed.src / INDEX
    path.write_text(
        SEED.replace("| Quantization | 3 |", "| Quantization | 4 |"), encoding="utf-8"
    )
    return path


def test_mode_and_line_ends_stay(seed: Project) -> None:
    path = stale(seed)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path.chmod(0o640)
    assert run("index", seed.src, "-q").status == 0
    assert path.read_bytes() == SEED.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert run("index", seed.src, "-q", "--check").status == 0


def test_a_symbolic_link_stays(seed: Project) -> None:
    path = stale(seed)
    real = seed.src / "_real.md"
    path.rename(real)
    path.symlink_to("_real.md")
    assert run("index", seed.src, "-q").status == 0
    assert path.is_symlink()
    assert real.read_text(encoding="utf-8") == SEED


def full_disk(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the disk be full after the first letters of a file."""
    write_text = Path.write_text

    def full(path: Path, text: str, *how: str, **more: str) -> int:
        if path.name == name:
            write_text(path, text[:9], *how, **more)
            raise OSError(28, "No space left on device")
        return write_text(path, text, *how, **more)

    monkeypatch.setattr(Path, "write_text", full)


@pytest.mark.parametrize("folder", [None, "elsewhere"])
def test_a_write_that_fails_leaves_the_file_as_it_is(
    folder: str | None, seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stale(seed)
    if folder:
        (seed.src / folder).mkdir()
        path.symlink_to(path.rename(seed.src / folder / INDEX))
    before = path.read_bytes()
    files = set(seed.src.rglob("*"))
    full_disk(monkeypatch, INDEX)
    ran = run("index", seed.src, "-q")
    assert ran.status == 2
    assert "cannot be written: No space left on device" in ran.stderr
    assert path.read_bytes() == before
    assert set(seed.src.rglob("*")) == files


def test_a_new_page_that_fails_is_not_there(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = set(seed.src.rglob("*"))
    full_disk(monkeypatch, "huggingface_peft_Fresh.md")
    ran = run("new", seed.src, "Fresh", "-q")
    assert ran.status == 2
    assert "cannot be written: No space left on device" in ran.stderr
    assert set(seed.src.rglob("*")) == files


def test_a_page_that_somebody_else_makes_now_is_left_alone(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir
    page = seed.src / "heuristics" / "huggingface_peft_Fresh.md"

    def other(path: Path, *how: int, **more: bool) -> None:
        mkdir(path, *how, **more)
        if path == page.parent:
            page.write_text("Theirs.")

    monkeypatch.setattr(Path, "mkdir", other)
    ran = run("new", seed.src, "Fresh", "-q")
    assert ran.status == 2
    assert f"{page.name} is there already; it is left as it is" in ran.stderr
    assert page.read_text() == "Theirs."


@pytest.mark.parametrize(
    "command", ["sphinxext_heuristics list docs", "sphinxext_heuristics.releases docs"]
)
def test_without_its_working_directory_it_says_so(command: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", f'rmdir ../gone && "{sys.executable}" -m {command}'],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=gone,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    (line,) = done.stderr.splitlines()
    assert line.endswith(
        ": error: the working directory does not exist any more: change to another"
    )
    assert (done.returncode, done.stdout) == (2, "")


def test_a_file_may_have_the_longest_name(project: Callable[..., Project]) -> None:
    files = seed_files()
    name = "x" * 255
    files["conf.py"] = files["conf.py"].replace(INDEX, name)
    seed = project(files)
    ran = run("index", seed.src, "-q")
    written = Path(ran.stdout.rstrip("\n"))
    assert (ran.status, written.resolve()) == (0, (seed.src / name).resolve())


def test_a_page_is_not_overwritten(project: Callable[..., Project]) -> None:
    files = seed_files()
    files["conf.py"] = files["conf.py"].replace(INDEX, "heuristics/index.md")
    seed = project(files)
    ran = run("index", seed.src, "-q")
    assert ran.status == 2
    assert "heuristics/index.md is no index file: it would be lost" in ran.stderr
    assert (seed.src / "heuristics/index.md").read_text(encoding="utf-8") == files[
        "heuristics/index.md"
    ]


def test_without_the_option_there_is_no_file(project: Callable[..., Project]) -> None:
    files = seed_files()
    files["conf.py"] = files["conf.py"].replace("heuristics_index_file", "other")
    for arguments in ((), ("--check",)):
        ran = run("index", project(files).src, "-q", *arguments)
        assert ran.status == 2
        assert "heuristics_index_file is not set" in ran.stderr


@pytest.mark.slow  # looking for the name reads most of Transformers and PyTorch
def test_other_warnings_are_shown_and_stop_nothing(seed: Project) -> None:
    stale(seed)
    page = (seed.src / PAGE).read_text(encoding="utf-8")
    seed.write({PAGE: page.replace("BitsAndBytesConfig", "BitsConfig")})
    ran = run("index", seed.src, "-q")
    assert ran.status == 0
    assert "[heuristic.target]" in ran.stderr
    assert "[heuristic.index]" not in ran.stderr
    assert "⬜Impl:huggingface_peft_BitsConfig" in (seed.src / INDEX).read_text(
        encoding="utf-8"
    )


# -- options of sphinx-build ----------------------------------------------------------


def test_doctrees_are_used_and_kept(seed: Project) -> None:
    seed.ok("html")
    doctrees = seed.root / "doctrees"
    assert (
        "0 added, 0 changed, 0 removed"
        in run("list", seed.src, "-v", "-d", doctrees).stderr
    )
    seed.write(
        {
            PAGE: (seed.src / PAGE)
            .read_text(encoding="utf-8")
            .replace("Clone tensor", "Copy tensor")
        }
    )
    os.utime(seed.src / PAGE, (time.time() + 5, time.time() + 5))
    ran = run("list", seed.src, "-v", "-d", doctrees)
    assert "0 added, 1 changed, 0 removed" in ran.stderr
    assert "Copy tensor" in ran.stdout
    run("index", seed.src, "-q", "-d", doctrees)
    html = seed.ok("html")
    assert "Copy tensor" in html.soup("api.html").get_text(), (
        "what is read meanwhile is written by the next build"
    )


def test_nothing_is_left_in_the_sources(seed: Project) -> None:
    before = sorted(seed.src.rglob("*"))
    run("list", seed.src, "-q")
    assert sorted(seed.src.rglob("*")) == before


def test_conf_py_may_lie_elsewhere(seed: Project) -> None:
    (seed.src / "conf").mkdir()
    (seed.src / "conf.py").rename(seed.src / "conf" / "conf.py")
    stale(seed)
    found = run("index", seed.src, "-c", seed.src / "conf", "-q", "--check")
    assert found.status == 1
    assert f"index {seed.src} -c {seed.src / 'conf'}\n" in found.stderr


def test_progress_is_printed_on_request_and_results_always(seed: Project) -> None:
    stale(seed)
    loud, plain, silent = (
        run("index", seed.src, "--check", *option) for option in (["-v"], [], ["-Q"])
    )
    assert "reading sources..." in loud.stderr
    assert loud.stdout == plain.stdout == silent.stdout != ""
    assert "reading sources..." not in plain.stderr
    seed.write({"api.rst": "API\n=\n"})
    assert "heuristic.target" in run("list", seed.src, "-q").stderr
    assert "heuristic.target" not in run("list", seed.src, "-Q").stderr
    described = " ".join(run("list", "--help").stdout.split())
    for line in (
        "--verbose, -v print Sphinx's log on stderr, too (can be repeated)",
        "--quiet, -q no log of Sphinx, just results and warnings (the default)",
        "--silent, -Q no warnings, just results and errors",
    ):
        assert line in described


def test_in_parallel_it_is_the_same(seed: Project) -> None:
    assert (
        run("list", seed.src, "-q", "-j2").stdout == run("list", seed.src, "-q").stdout
    )
    assert run("index", seed.src, "-q", "--check", "-j", "auto").status == 0


def test_nothing_has_colours(seed: Project) -> None:
    stale(seed)
    seed.write({"api.rst": "API\n=\n"})
    coloron()
    ran = run("index", seed.src, "--check")
    assert "+| Quantization | 3 |" in ran.stdout
    assert "heuristic.target" in ran.stderr
    assert "\x1b[" not in ran.stdout + ran.stderr


# -- failures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conf_py", "message"),
    [
        ("x = 1\nraise ValueError('no luck')\n", ":2: ValueError: no luck"),
        (
            "x = (\n",
            ":1: There is a syntax error in your configuration file: '(' was never closed",
        ),
        (
            "import sys\n\nsys.exit(3)\n",
            "(or one of the modules it imports) called sys.exit()",
        ),
        (
            "extensions = ['no_such_extension']\n",
            "Could not import extension no_such_extension",
        ),
        ("extensions = []\n", "'sphinxext_heuristics' is not among the extensions in "),
        (
            "extensions = ['sphinxext_heuristics']\ndef setup(app):\n    return 1 / 0\n",
            "ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_failure_is_a_line(conf_py: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(conf_py)
    (tmp_path / "index.rst").write_text("T\n=\n")
    ran = run("list", tmp_path, "-q")
    assert (ran.status, ran.stdout) == (2, "")
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.startswith("sphinx-heuristics: error: ")
    assert "Traceback" in run("list", tmp_path, "-q", "-T").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("indx", "docs"), "invalid choice: 'indx'"),
        (("index",), "the following arguments are required: DOCS"),
        (
            ("index", "/no/such/folder"),
            "Cannot find source directory (/no/such/folder)",
        ),
        (("index", "/"), "config directory doesn't contain a conf.py file (/)"),
        (("index", "/", "-j", "0"), "job number should be a positive number"),
    ],
)
def test_misuse(arguments: tuple[str, ...], message: str) -> None:
    ran = run(*arguments)
    assert (ran.status, ran.stdout) == (2, "")
    assert message in ran.stderr


@pytest.mark.parametrize("command", ["index", "list", "new", "explain"])
def test_help(command: str) -> None:
    ran = run(command, "--help")
    assert ran.status == 0
    assert "--doctree-dir" in ran.stdout
    assert command in run("--help").stdout


def test_as_a_module_and_with_any_encoding(seed: Project) -> None:
    stale(seed)
    ran = ran_apart("index", seed.src, "--check", PYTHONIOENCODING="ascii")
    assert ran.status == 1
    assert "+| Quantization | 3 |" in ran.stdout
    assert ran_apart("--version").stdout.startswith("sphinx-heuristics ")


# -- list -----------------------------------------------------------------------------


def test_list_as_json(seed: Project) -> None:
    items = json.loads(run("list", seed.src, "--json").stdout)
    whole = json.loads(seed.build("heuristics").read("heuristics.json"))
    assert items == whole["heuristics"]


def test_ctrl_c_has_the_status_of_a_shell(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sphinxext_heuristics._core.cli.listing.read", interrupt)
    ran = run("list", seed.src)
    assert (ran.status, ran.stdout, ran.stderr) == (
        130,
        "",
        "sphinx-heuristics: error: interrupted\n",
    )


@pytest.mark.parametrize("command", ["list", "verify", "explain"])
def test_results_are_alone_on_stdout(command: str, seed: Project) -> None:
    conf_py = seed.src / "conf.py"
    conf_py.write_text(
        f"{conf_py.read_text(encoding='utf-8')}\n"
        "import os, sys\n"
        "kept = sys.stdout\n"
        "def setup(app):\n"
        "    app.connect('env-before-read-docs', noise)\n"
        "def noise(*_):\n"
        "    print('of an extension')\n"
        "    kept.write('of one that knows stdout\\n')\n"
        "    os.system('echo of a child')\n"
        "print('of conf.py')\n",
        encoding="utf-8",
    )
    name = ["Safe_Merge_NaN_Check"] if command == "explain" else []
    ran = ran_apart(command, seed.src, *name, "--json")
    assert json.loads(ran.stdout)
    noise = {line for line in ran.stderr.splitlines() if line.startswith("of ")}
    assert noise == {
        "of conf.py",
        "of an extension",
        "of one that knows stdout",
        "of a child",
    }


def test_paths_are_as_seen_from_the_folder(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (seed.src / "conf.py").write_text("1 / 0\n", encoding="utf-8")
    for folder, docs, conf_py in (
        (seed.root, seed.src, "src/conf.py"),
        (seed.src, seed.src, "conf.py"),
        (seed.src / "heuristics", "..", "../conf.py"),
    ):
        monkeypatch.chdir(folder)
        message = f"{conf_py}:1: ZeroDivisionError: division by zero"
        assert run("list", docs).stderr == f"sphinx-heuristics: error: {message}\n"


def test_a_path_beside_the_folder_is_relative(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (seed.src / "sub").mkdir()
    monkeypatch.chdir(seed.src / "sub")
    ran = run("new", "..", "Fresh")
    assert ran.stdout == "../heuristics/huggingface_peft_Fresh.md\n"


def test_a_working_directory_that_is_gone_is_said(
    seed: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    ran = run("list", seed.src)
    assert (ran.status, ran.stdout) == (2, "")
    assert "the working directory does not exist any more" in ran.stderr
