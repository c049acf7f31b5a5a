"""The command line: what it prints where, what it writes, and its exit codes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sphinx.locale
from commands import Stream, ran_apart, run
from conftest import CASES, Project, read_case
from seed import BREAKS, INDEX, PAGE, SEED, seed_files

if TYPE_CHECKING:
    from collections.abc import Callable


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


@pytest.mark.parametrize("what", BREAKS)
def test_index_mends_what_check_finds(
    what: str, project: Callable[..., Project]
) -> None:
    change, line, shown = BREAKS[what]
    files = seed_files()
    change(files)
    broken = project(files)
    doctrees = ("-d", broken.root / "doctrees", "-q")
    before = (broken.src / INDEX).read_bytes()
    found = run("index", broken.src, "--check", *doctrees)
    assert found.status == 1
    assert (
        f"{broken.src / INDEX}:{line}: WARNING: the index differs from the pages"
        in found.stderr
    )
    assert f"python -m sphinxext_heuristics index {broken.src}" in found.stderr
    diff = found.stdout.split("\n")
    assert diff[0] == f"--- {broken.src / INDEX}"
    assert diff[2].startswith("@@ ")
    for start in shown:
        assert any(diffed.startswith(start.replace(" ", "", 1)) for diffed in diff), (
            start
        )
    assert (broken.src / INDEX).read_bytes() == before, "--check only compares"
    mended = run("index", broken.src, *doctrees)
    assert (mended.status, mended.stdout, mended.stderr) == (
        0,
        f"{broken.src / INDEX}\n",
        "",
    )
    assert run("index", broken.src, "--check", *doctrees).status == 0
    written = (broken.src / INDEX).stat()
    assert run("index", broken.src, *doctrees).status == 0
    assert (broken.src / INDEX).stat().st_mtime_ns == written.st_mtime_ns, (
        "the second run changes nothing"
    )
    assert "heuristic.index" not in broken.build().stderr
    if "config" not in what and change.__name__ in {
        "break_row",
        "break_order",
        "break_count",
    }:
        assert (broken.src / INDEX).read_text(encoding="utf-8") == SEED


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


def test_a_write_that_fails_leaves_the_file(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stale(seed)
    before = path.read_bytes()

    def full(_self: Path, _raw: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    ran = run("index", seed.src, "-q")
    assert ran.status == 2
    assert "cannot be written: No space left on device" in ran.stderr
    assert path.read_bytes() == before
    assert [p.name for p in seed.src.iterdir() if p.name.startswith(".")] == [], (
        "nothing is left over"
    )


def test_one_who_is_killed_leaves_nothing(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stale(seed)
    before = set(seed.src.iterdir())

    def kill(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", kill)
    assert run("index", seed.src, "-q").status == 130
    assert set(seed.src.iterdir()) == before
    assert path.read_text(encoding="utf-8") != SEED


def test_a_file_may_have_the_longest_name(project: Callable[..., Project]) -> None:
    files = seed_files()
    name = "x" * 255
    files["conf.py"] = files["conf.py"].replace(INDEX, name)
    seed = project(files)
    ran = run("index", seed.src, "-q")
    assert (ran.status, ran.stdout) == (0, f"{seed.src / name}\n")


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


def test_a_translation_is_refused(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sphinx.locale, "translators", {}
    )  # Sphinx would go on in German
    seed.write(
        {
            "locales/de/LC_MESSAGES/api.po": 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        }
    )
    ran = run("index", seed.src, "-q", "-D", "language=de")
    assert ran.status == 2
    assert "this is a translation" in ran.stderr


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


def test_define_and_tags(project: Callable[..., Project]) -> None:
    zoo = project(
        {
            "conf.py": 'extensions = ["sphinxext_heuristics"]\nheuristics_dir = None\n'
            'if tags.has("more"):\n    exclude_patterns = []\nelse:\n    exclude_patterns = ["more.rst"]\n',
            "index.rst": "T\n=\n\n.. py:function:: f()\n\n.. heuristic:: A\n   :note: N\n   :impl: f\n   :until: 1\n",
            "more.rst": ":orphan:\n\n.. heuristic:: B\n   :note: N\n   :impl: f\n",
        }
    )
    assert [line for line in run("list", zoo.src, "-q").stdout.split("\n") if line] == [
        "A  tip  N",
        "    f",
    ]
    assert "B  tip" in run("list", zoo.src, "-q", "-t", "more").stdout
    assert (
        "shown nowhere but on its page"
        in run("list", zoo.src, "-q", "-D", "release=2").stdout
    )


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


def test_colours_only_where_they_are_wanted(
    seed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale(seed)
    arguments = ("index", seed.src, "--check", "-Q")
    assert "\x1b[" not in run(*arguments).stdout
    assert "\x1b[32m+| Quantization | 3 |" in run(*arguments, "--color").stdout
    monkeypatch.setattr(Stream, "terminal", True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32m+| Quantization | 3 |" in run(*arguments).stdout
    assert "\x1b[" not in run(*arguments, "--no-color").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run(*arguments).stdout


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
        (("index", "/no/such/folder"), "/no/such/folder is not a folder"),
        (("index", "/"), "there is no conf.py in /"),
        (("index", "/", "-D", "x"), "-D x is not of the form -D name=value"),
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


def test_list(seed: Project) -> None:
    ran = run("list", seed.src, "-q")
    assert ran.status == 0
    assert ran.stdout.startswith(
        "Gradient_Checkpointing  tip  Enable gradient checkpointing for memory savings\n"
        "    peft.prepare_model_for_kbit_training\n"
        "    guides/qlora-training\n"
        "    guides/memory-optimization\n"
        "Quantized_Merge_Rounding  tip  "
    )


def test_list_counts_one_heuristic(project: Callable[..., Project]) -> None:
    one = ".. heuristic:: A\n   :note: n\n   :workflow: index\n"
    alone = project({"index.rst": f"T\n=\n\n{one}"})
    assert run("list", alone.src, "-q").stderr == "1 heuristic\n"


def test_list_as_json(seed: Project) -> None:
    items = json.loads(run("list", seed.src, "--json").stdout)
    whole = json.loads(seed.build("heuristics").read("heuristics.json"))
    assert items == whole["heuristics"]


# -- new ------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "suffix"), [((), ".md"), (("--rst",), ".rst")])
@pytest.mark.parametrize("name", ["Fresh_One", "huggingface_peft_Fresh_One"])
def test_new(options: tuple[str, ...], suffix: str, name: str, seed: Project) -> None:
    ran = run("new", seed.src, name, "-q", *options)
    path = seed.src / f"heuristics/huggingface_peft_Fresh_One{suffix}"
    assert (ran.status, ran.stdout) == (0, f"{path}\n")
    index = (seed.src / "heuristics/index.md").read_text(encoding="utf-8")
    seed.write(
        {
            "heuristics/index.md": index.replace(
                "{toctree}\n", f"{{toctree}}\n{path.stem}\n"
            )
        }
    )
    built = seed.build()
    assert built.status == 0
    told = sorted(warning.rpartition("[")[2] for warning in built.warnings)
    assert told == ["heuristic.index]", "heuristic.note]", "heuristic.orphan]"], (
        "what the author still has to say"
    )
    text = path.read_text(encoding="utf-8")
    filled = text.replace(":note:", ":note: N").replace(
        ":impl:", ":impl: peft.LoraConfig"
    )
    seed.write({f"heuristics/{path.name}": filled})
    assert run("index", seed.src, "-q").status == 0
    seed.ok("text", "-E")


def test_new_has_the_headings_that_pages_must_have(seed: Project) -> None:
    seed.write(
        {
            "conf.py": f'{(seed.src / "conf.py").read_text()}\nheuristics_sections = ["When it bites", "Why"]\n'
        }
    )
    index = (seed.src / "heuristics/index.md").read_text(encoding="utf-8")
    names = {"Fresh_One": (), "Fresh_Two": ("--rst",)}
    listed = "".join(f"huggingface_peft_{name}\n" for name in names)
    seed.write(
        {"heuristics/index.md": index.replace("{toctree}\n", f"{{toctree}}\n{listed}")}
    )
    for name, options in names.items():
        assert run("new", seed.src, name, "-q", *options).status == 0
    lacking = [
        warning for warning in seed.build().warnings if "the page lacks" in warning
    ]
    assert len(lacking) == 5, "those that were there before"
    assert not [warning for warning in lacking if "Fresh" in warning]


def test_new_overwrites_nothing(seed: Project) -> None:
    before = (seed.src / PAGE).read_text(encoding="utf-8")
    for options in ((), ("--rst",)):
        ran = run("new", seed.src, "4bit_Defensive_Clone", "-q", *options)
        assert ran.status == 2
        assert "is there already" in ran.stderr
    assert (seed.src / PAGE).read_text(encoding="utf-8") == before


def test_new_makes_the_folder_and_knows_the_markup(
    project: Callable[..., Project],
) -> None:
    plain = project(
        {"conf.py": 'extensions = ["sphinxext_heuristics"]\n', "index.rst": "T\n=\n"}
    )
    assert (
        run("new", plain.src, "A.b-c", "-q").stdout
        == f"{plain.src}/heuristics/A.b-c.rst\n"
    )


@pytest.mark.parametrize("name", ["a b", "../x", "", "a/b", ".."])
def test_new_refuses_what_is_no_name(name: str, seed: Project) -> None:
    ran = run("new", seed.src, name, "-q")
    assert ran.status == 2
    assert "is no name" in ran.stderr


def test_new_wants_a_folder(project: Callable[..., Project]) -> None:
    plain = project(
        {
            "conf.py": 'extensions = ["sphinxext_heuristics"]\nheuristics_dir = None\n',
            "index.rst": "",
        }
    )
    ran = run("new", plain.src, "A", "-q")
    assert ran.status == 2
    assert "heuristics_dir is None" in ran.stderr


# -- explain --------------------------------------------------------------------------

ZOO = """\
=== conf.py
extensions = ["sphinx.ext.autodoc", "sphinxext_heuristics"]
release = "1.5"
heuristics_dir = None
heuristics_exclude = ["free"]
=== index.rst
Zoo
===

.. toctree::

   free

.. autoclass:: menagerie.Base
   :members:

.. autoclass:: menagerie.Child
   :inherited-members:
   :members:

.. autoclass:: menagerie.Kept
   :inherited-members:
   :members:

.. autoclass:: menagerie.Override
   :members:

.. py:module:: menagerie

.. py:function:: by_hand()

   .. heuristics-for:: Base

.. heuristic:: Rule
   :note: Mind it
   :impl: menagerie.Base.run, menagerie.free, menagerie.by_hand, ?menagerie.gone
   :except: menagerie.Kept
   :workflow: index, free
   :severity: warning

.. heuristic:: Old
   :note: N
   :impl: menagerie.Base.run
   :until: 1.4

.. heuristic:: Quiet
   :note: N
   :impl: *.run
   :no-inject:
=== free.rst
Free
====

.. py:function:: menagerie.free()
=== menagerie.py
class Base:
    \"\"\"Base.\"\"\"

    def run(self):
        \"\"\"Run.\"\"\"


class Child(Base):
    \"\"\"Child.\"\"\"


class Kept(Base):
    \"\"\"Kept.\"\"\"


class Override(Base):
    \"\"\"Override.\"\"\"

    def run(self):
        \"\"\"Run otherwise.\"\"\"
""".replace('\\"', '"')


@pytest.fixture(scope="module")
def zoo(shared_project: Callable[..., Project]) -> Project:
    project = shared_project(ZOO)
    project.build("text")
    return project


def explained(zoo: Project, name: str) -> list[str]:
    ran = run("explain", zoo.src, name, "-q", "-d", zoo.root / "doctrees")
    assert ran.status == 0, ran.stderr
    return ran.stdout.splitlines()


def test_explain_subclasses_and_parameters(tmp_path: Path) -> None:
    page = """\
Start
=====

.. py:class:: pens.Pen(ink)

.. py:class:: pens.Brush(hair)

.. heuristic:: Ink
   :note: Mind the ink.
   :impl: pens.Pen+
   :param: ink
"""
    package = "class Pen:\n    pass\nclass Brush(Pen):\n    pass\n"
    conf = "import sys\nsys.path.insert(0, __file__.rpartition('/')[0])\nextensions = ['sphinxext_heuristics']\n"
    pens = Project(tmp_path, {"conf.py": conf, "index.rst": page, "pens.py": package})
    assert explained(pens, "Ink")[2:] == [
        "  impl pens.Pen+:",
        "    shown: pens.Pen (index): the target itself",
        "    not shown: pens.Brush (index): its signature names no parameter of param",
    ]
    assert explained(pens, "Brush")[1:] == [
        "  not shown: Ink (tip): its signature names no parameter of param"
    ]


def test_explain_a_heuristic(zoo: Project) -> None:
    lines = explained(zoo, "Rule")
    assert lines[0] == "Rule (warning): Mind it"
    assert lines[1].startswith(f"  defined in {zoo.src / 'index.rst'}:")
    assert lines[2:] == [
        "  impl menagerie.Base.run:",
        "    shown: menagerie.Base.run (index): the target itself",
        "    shown: menagerie.Child.run (index): inherits this very member from menagerie.Base; named here, in full at menagerie.Base.run",
        "    not shown: menagerie.Kept.run (index): except menagerie.Kept",
        "  impl menagerie.free:",
        "    not shown: menagerie.free (free): free is kept free by heuristics_exclude or no-heuristics",
        "  impl menagerie.by_hand:",
        "    not shown: menagerie.by_hand (index): this entry has a heuristics-for",
        "  impl menagerie.gone: ⬜ does not exist, as planned",
        "  workflow index:",
        "    shown: index",
        "  workflow free:",
        "    not shown: free: free is kept free by heuristics_exclude or no-heuristics",
        "  not reached: menagerie.Override.run: the name is the same, the object is another, menagerie.Override.run",
    ]


def test_explain_what_is_withheld(zoo: Project) -> None:
    assert (
        "  shown nowhere automatically: it holds for ≤ 1.4, and 1.5 is documented"
        in explained(zoo, "Old")
    )
    lines = explained(zoo, "Quiet")
    assert "  shown nowhere automatically: it has no-inject" in lines
    assert "    not shown: menagerie.Override.run (index): it has no-inject" in lines


def test_explain_an_object(zoo: Project) -> None:
    rule = "inherits this very member from menagerie.Base; named here, in full at menagerie.Base.run"
    assert explained(zoo, "menagerie.Child.run") == [
        "menagerie.Child.run (index)",
        f"  shown: Rule (warning): impl menagerie.Base.run: {rule}",
        "  not shown: Old (tip): it holds for ≤ 1.4, and 1.5 is documented",
        "  not shown: Quiet (tip): it has no-inject",
    ]
    assert explained(zoo, "menagerie.Child") == [
        "menagerie.Child (index)",
        "  no heuristic reaches it",
    ]
    assert "  not shown: Rule (warning): except menagerie.Kept" in explained(
        zoo, "Kept.run"
    )


def test_explain_a_name_of_several_objects(zoo: Project) -> None:
    heads = [
        line for line in explained(zoo, "run") if not line.startswith(" ") and line
    ]
    assert heads == [
        f"menagerie.{name}.run (index)"
        for name in ("Base", "Child", "Kept", "Override")
    ]


def test_explain_a_page(zoo: Project) -> None:
    assert explained(zoo, "index") == [
        "index",
        "  shown: Rule (warning): workflow index",
    ]


def test_explain_a_page_with_a_heuristics_for(project: Callable[..., Project]) -> None:
    page = (
        "T\n=\n\n.. heuristics-for:: index\n\n"
        ".. heuristic:: A\n   :note: N\n   :workflow: index\n"
    )
    site = project({"index.rst": page})
    reason = "this page has a heuristics-for"
    assert run("explain", site.src, "A", "-Q").stdout.splitlines()[2:] == [
        "  workflow index:",
        f"    not shown: index: {reason}",
    ]
    assert run("explain", site.src, "index", "-Q").stdout.splitlines() == [
        "index",
        f"  not shown: A (tip): {reason}",
    ]


def test_explain_a_partly_dotted_name(project: Callable[..., Project]) -> None:
    stove = project(read_case(CASES / "partly_dotted.txt").files)
    lines = run("explain", stove.src, "Switch_Off", "-Q").stdout.splitlines()
    shown = [line.split()[1] for line in lines if line.startswith("    shown: ")]
    assert shown == ["stove.Base.on", "stove.Sub.on", "stove._m.Base.on"]
    assert not [line for line in lines if "not reached" in line]


def test_explain_what_connections_mean(project: Callable[..., Project]) -> None:
    page = (
        "T\n=\n\n.. py:module:: m\n\n.. py:function:: run\n\n.. py:class:: C\n\n"
        "   .. py:method:: run\n   .. py:method:: go\n"
        "      :canonical: lib.C.go\n\n"
        ".. heuristic:: A\n   :note: N\n   :impl: run, m, gone, lib.C.go, *.go, C.go\n"
    )
    conf_py = 'extensions = ["sphinxext_heuristics"]\nheuristics_dir = None\n'
    zoo = project(
        {"conf.py": conf_py, "index.rst": page, "other.rst": ":orphan:\n\nO\n=\n"}
    )
    assert run("explain", zoo.src, "A", "-Q").stdout.splitlines()[2:] == [
        "  impl run: fits several, and so reaches none: m.run, m.C.run",
        "  impl m:",
        "    shown: m (index): the target itself",
        "  impl gone: ⬜ does not exist: no documented object has this name; did you mean 'm.C.go'?",
        "  impl lib.C.go:",
        "    shown: m.C.go (index): the same object as lib.C.go",
        "  impl *.go:",
        "    shown: m.C.go (index): its name ends in go",
        "  impl C.go:",
        "    shown: m.C.go (index): the documented object whose name ends in C.go",
        "  not reached: m.run: the name is the same, the object is another, m.run",
        "  not reached: m.C.run: the name is the same, the object is another, m.C.run",
    ]
    assert (
        run("explain", zoo.src, "m", "-Q").stdout
        == "m (index)\n  shown: A (tip): impl m: the target itself\n"
    )
    assert (
        run("explain", zoo.src, "other", "-Q").stdout
        == "other\n  no heuristic is connected to it\n"
    )
    assert run("explain", zoo.src, "~m.C.go", "-Q").stdout.startswith(
        "m.C.go (index)\n  shown: A (tip): impl lib.C.go: "
    )


def test_explain_an_unknown_name(zoo: Project) -> None:
    ran = run("explain", zoo.src, "menagerie.Chlid", "-q", "-d", zoo.root / "doctrees")
    assert (ran.status, ran.stderr) == (1, "")
    assert ran.stdout.rstrip().endswith(
        "is called 'menagerie.Chlid'; did you mean 'menagerie.Child'?"
    )
    assert (
        "did you mean 'Rule' or"
        in run("explain", zoo.src, "Rul", "-q", "-d", zoo.root / "doctrees").stdout
    )


def test_explain_what_is_not_documented(project: Callable[..., Project]) -> None:
    page = (
        "T\n=\n\n.. autoclass:: slowkiln.Oven\n   :members:\n\n"
        ".. heuristic:: Warm_Up\n   :note: N\n   :impl: ?slowkiln.Oven.cool\n"
    )
    conf_py = """
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
extensions = ["sphinx.ext.autodoc", "sphinxext_heuristics"]
"""
    package = "class Oven:\n    'An oven.'\n\n    def cool(self):\n        pass\n"
    files = {"conf.py": conf_py, "index.rst": page, "slowkiln.py": package}
    slow = project(files)
    ran = run("explain", slow.src, "slowkiln.Oven.cool", "-Q")
    assert ran.status == 0
    assert ran.stdout.splitlines() == [
        (
            f"slowkiln.Oven.cool is not documented: {slow.src}/slowkiln.py:4 defines it; "
            "it has no docstring: write one, or add ':undoc-members:'"
        ),
        "  connected: Warm_Up (tip): impl slowkiln.Oven.cool",
    ]


def test_explain_imports_nothing_for_a_miss_or_a_traceback(
    project: Callable[..., Project],
) -> None:
    conf_py = """
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
extensions = ["sphinx.ext.autodoc", "sphinxext_heuristics"]
heuristics_package = "coldkiln"
"""
    kiln = """
open(__file__ + ".imported", "w").close()
from far_away import Base
class Oven(Base):
    "An oven."
"""
    page = (
        "T\n=\n\n.. autoclass:: coldkiln.Oven\n   :members:\n   :inherited-members:\n\n"
        ".. heuristic:: Warm_Up\n   :note: N\n   :impl: coldkiln.Oven\n"
    )
    base = "class Base:\n    def heat(self):\n        'Warm the kiln.'\n"
    files = {
        "conf.py": conf_py,
        "index.rst": page,
        "coldkiln.py": kiln,
        "far_away.py": base,
    }
    cold = project(files)
    imported = cold.src / "coldkiln.py.imported"
    for name, near in (("coldkiln.Ovne", "Oven"), ("haet", "heat")):
        ran = run("explain", cold.src, name)
        assert (ran.status, ran.stderr) == (1, "")
        assert f"is called {name!r}; did you mean '{near}'" in ran.stdout
    assert "did you mean" not in run("explain", cold.src, "wram").stdout
    ran = run("explain", cold.src, "ValueError: too hot")
    missing = "no heuristic knows of this text\nsearch the site for: too hot\n"
    assert (ran.status, ran.stdout) == (1, missing)
    assert not imported.exists()
    assert (
        run("explain", cold.src, "heat", "-Q").stdout
        == "coldkiln.Oven.heat (index)\n  no heuristic reaches it\n"
    )
    assert imported.exists()


def test_explain_finds_names_in_any_case_and_former_ones(
    project: Callable[..., Project],
) -> None:
    page = "T\n=\n\n.. heuristic:: Warm_Up\n   :note: N\n   :workflow: index\n   :former-names: Heat_First\n"
    kiln = project({"index.rst": page})
    wanted = run("explain", kiln.src, "Warm_Up").stdout
    assert wanted.splitlines()[:2] == ["Warm_Up (tip): N", "  formerly Heat_First"]
    for name in ("warm-up", "WARM_UP", "Heat_First", "heat-first"):
        assert run("explain", kiln.src, name).stdout == wanted


def test_explain_lists_as_the_page_does_and_says_what_is_folded(
    project: Callable[..., Project],
) -> None:
    rules = "".join(
        f".. heuristic:: {name}\n   :note: N\n   :impl: demo.f\n   :severity: {severity}\n\n"
        for name, severity in (("One", "tip"), ("Two", "danger"), ("Three", "note"))
    )
    conf_py = 'extensions = ["sphinxext_heuristics"]\nheuristics_max_shown = 0\n'
    files = {
        "conf.py": conf_py,
        "index.rst": f"T\n=\n\n.. py:function:: demo.f()\n\n{rules}",
    }
    assert run("explain", project(files).src, "demo.f").stdout.splitlines() == [
        "demo.f (index)",
        "  shown: Two (danger): impl demo.f: the target itself",
        "  shown: Three (note): impl demo.f: the target itself; folded",
        "  shown: One (tip): impl demo.f: the target itself; folded",
    ]


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


@pytest.mark.parametrize("inherited", ["none", "link"])
def test_explain_inherited_copies(inherited: str, zoo: Project) -> None:
    ran = run(
        "explain",
        zoo.src,
        "menagerie.Child.run",
        "-q",
        "-D",
        f"heuristics_inherited={inherited}",
    )
    wanted = (
        "not shown: Rule (warning): an inherited copy"
        if inherited == "none"
        else "shown: Rule (warning)"
    )
    assert wanted in ran.stdout


# -- for programs ---------------------------------------------------------------------


def test_verify_and_reach_for_programs(project: Callable[..., Project]) -> None:
    page = """\
Start
=====

.. py:class:: ovens.Oven

   .. py:method:: heat()

.. py:class:: ovens.Grill

   .. py:method:: heat()

.. heuristic:: Heat
   :note: Mind the heat.
   :impl: ovens.Oven.heat

   .. evidence:: ovens:Oven.heat

      return 3

   .. evidence:: ovens:Oven.heat

      return 4
"""
    code = "class Oven:\n    def heat(self):\n        return 3\n"
    conf = (
        "import sys\nsys.path.insert(0, __file__.rpartition('/')[0])\n"
        'extensions = ["sphinxext_heuristics"]\nheuristics_reach_file = "reach.txt"\n'
    )
    src = project({"conf.py": conf, "index.rst": page, "ovens.py": code}).src
    verified = run("verify", src, "--json")
    assert verified.status == 1
    found = json.loads(verified.stdout)
    assert [quote["found_at"] for quote in found["quotes"]] == [3, None]
    (problem,) = found["problems"]
    assert problem["path"].endswith("index.rst")
    assert (problem["line"], problem["subtype"]) == (20, "evidence")
    reached = run("reach", src, "--json")
    assert reached.status == 0
    assert json.loads(reached.stdout) == [
        {"heuristic": "Heat", "entry": "ovens.Oven.heat", "shown": True},
        {"heuristic": "Heat", "entry": "ovens.Grill.heat", "shown": False},
    ]
    assert not (src / "reach.txt").exists()


def test_explain_for_programs_and_by_a_files_path(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = "Start\n=====\n\n.. toctree::\n   :glob:\n\n   heuristics/*\n   twin\n\n.. py:function:: ovens.bake(heat)\n"
    heuristic = ".. heuristic:: {}\n   :note: n\n   :impl: ovens.bake\n   :except: {}\n   :keywords: smells of burning again: yes\n"
    src = project(
        {
            "index.rst": start,
            "heuristics/Heat.rst": heuristic.format("Heat", "ovens.nothing"),
            "twin.rst": "Twin\n====\n\n" + heuristic.format("heat", "ovens.bake"),
        }
    ).src
    monkeypatch.chdir(src)
    by_path = run("explain", src, "heuristics/Heat.rst").stdout
    assert by_path == run("explain", src, "Heat").stdout
    assert "  also written in twin.rst:4 (not used)\n" in by_path
    (place,) = json.loads(run("explain", src, "ovens.bake", "--json").stdout)["places"]
    assert (place["heuristic"], place["shown"], place["why_not"]) == (
        "Heat",
        True,
        None,
    )
    asked = run("explain", src, "it smells of burning again: yes", "--json")
    (answer,) = json.loads(asked.stdout)["answers"]
    assert answer["heuristic"] == "Heat"
    unknown = run("explain", src, "ovens.cook", "--json")
    assert unknown.status == 1
    assert json.loads(unknown.stdout) == {"places": [], "answers": []}
