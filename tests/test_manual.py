"""What readers paste from README and the manual builds without a warning, and shows what the text says."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANUAL = ROOT / "docs" / "manual"
#: One of two that show the same is enough each time.
SYNTAXES = ("myst", pytest.param("rst", marks=pytest.mark.slow))

#: README's picture is of its example, too.
PICTURE = runpy.run_path(str(ROOT / "tools/picture.py"))
SUFFIXES = {"myst": "md", "rst": "rst"}
#: The manual: a block whose caption is the path of a file.
_CAPTIONED = re.compile(
    r"^(?P<fence>`{3,})\{code-block\} \w+\n:caption: (?P<path>[^\n]+)\n(?::[^\n]*\n)*\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_TAB = re.compile(
    r"^:::\{tab-item\} [^\n]*\n:sync: (?P<syntax>\w+)\n(?P<text>.*?)^:::$",
    re.MULTILINE | re.DOTALL,
)


def pasted(page: str, syntax: str = "") -> dict[str, str]:
    """Return path → text of the files that a page tells to write, in one of the syntaxes."""
    if page == "README.md":
        other = SUFFIXES["myst" if syntax == "rst" else "rst"]
        return {
            path: text
            for path, text in PICTURE["example"]().items()
            if not path.endswith(f"Close_The_Session.{other}")
        }
    text = (ROOT / page).read_text(encoding="utf-8")
    text = _TAB.sub(lambda tab: tab["text"] if tab["syntax"] == syntax else "", text)
    return {found["path"]: found["text"] for found in _CAPTIONED.finditer(text)}


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write the files."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def run(
    root: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in a folder, as readers do."""
    environment = os.environ | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(  # noqa: S603 - the arguments are this file's
        [sys.executable, "-m", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=root,
        env=environment,
    )


def build(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Build the documentation as the manual says."""
    return run(root, "sphinx", "-W", *options, "docs", "docs/_build/html")


def ok(done: subprocess.CompletedProcess[str]) -> None:
    """Require that all is fine, and that nothing was warned of."""
    assert (done.returncode, done.stderr) == (0, "")


def showing(
    page: Path, heuristic: str, selector: str = "dd div.heuristic"
) -> list[str]:
    """Return the ids of the API entries on a page that show a heuristic, in full if no *selector* says otherwise."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    boxes = [
        box
        for box in soup.select(selector)
        if box.select_one(f"a[href*='{heuristic}']")
    ]
    entries = [box.find_parent("dd").find_previous_sibling("dt") for box in boxes]  # type: ignore[union-attr]
    return [str(entry["id"]) for entry in entries if entry is not None]


def is_missing(stderr: str, page: str, closest: str) -> bool:
    """Return whether the warning of a missing target names the page, a line and the closest name."""
    pattern = rf"{re.escape(page)}:\d+: WARNING: .*'{re.escape(closest)}'.*\[heuristic\.target\]\n"
    return re.search(pattern, stderr, re.DOTALL) is not None


def test_readme_says_on_its_first_screen_what_one_asks_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = text.partition("\n## ")[0]
    pictures = re.findall(r"!\[[^]]*\]\([^)]*\)", first)
    assert len(pictures) == 1
    for asked in ("For whom", "Why not `.. warning::`", "cost", "leave"):
        assert asked in first
    for page in ("README.md", "docs/manual/index.md"):
        assert "why.md)" in (ROOT / page).read_text("utf-8"), page


#: A block of code, the blocks within it included.
_BLOCK = re.compile(
    r"^(?P<fence>`{3,}|:{3,})[^\n]*\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


def blocks(text: str) -> list[str]:
    """Return the blocks of code of a page, those in tabs and the like included."""
    found = [block["text"] for block in _BLOCK.finditer(text)]
    return found + [inner for outer in found for inner in blocks(outer)]


@pytest.mark.parametrize("syntax", SYNTAXES[::-1])
def test_readmes_example_is_complete(tmp_path: Path, syntax: str) -> None:
    files = pasted("README.md", syntax)
    heuristic = f"docs/heuristics/Close_The_Session.{SUFFIXES[syntax]}"
    assert list(files) == [heuristic, "mailer.py", "docs/conf.py", "docs/index.rst"]
    if syntax == "myst":  # as the comment says
        files["docs/conf.py"] = files["docs/conf.py"].replace('# "myst', '"myst')
    write(tmp_path, files)
    ok(run(tmp_path, "sphinx", "-W", "docs", "html"))
    assert showing(tmp_path / "html" / "index.html", "Close_The_Session") == [
        "mailer.Session"
    ]

    renamed = files["mailer.py"].replace("class Session", "class MailSession")
    write(tmp_path, {"mailer.py": renamed})
    done = run(tmp_path, "sphinx", "-W", "docs", "html")
    assert done.returncode == 1
    assert is_missing(done.stderr, heuristic, "mailer.MailSession")
    if syntax == "rst":
        said = done.stderr.replace(f"{tmp_path}/", "")
        assert f"```text\n{said}```\n" in (ROOT / "README.md").read_text("utf-8")


def mailer(root: Path, syntax: str) -> None:
    """Write the project of Get started."""
    write(root, pasted("docs/manual/get-started.md", syntax))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_get_started(tmp_path: Path, syntax: str) -> None:
    mailer(tmp_path, syntax)
    suffix = SUFFIXES[syntax]
    assert len(list((tmp_path / "docs").rglob(f"*.{suffix}"))) == 4
    ok(build(tmp_path))
    shown = ["mailer.Session", "mailer.Session.send"]
    html = (tmp_path / "docs/_build/html/api.html").read_text("utf-8")
    assert html.count('<div class="heuristic-repeated') == 1, (
        "QuickSession.send names it in one line"
    )
    assert (
        sorted(showing(tmp_path / "docs/_build/html/api.html", "Close_The_Session"))
        == shown
    )

    # other pages of the manual go on with this project
    data = ("heuristics", "docs", "docs/_build/heuristics")
    for _time in range(2):
        ok(run(tmp_path, "sphinx", "-W", "-b", *data))
    ask = pasted("docs/manual/as-data.md")["ask.py"]
    script = "from mailer import Session\n\nmine = Session()\nmine.send('a')\n"
    write(tmp_path, {"ask.py": ask, "script.py": script})
    answers = [
        subprocess.run(  # noqa: S603 - what the manual has
            [
                sys.executable,
                "ask.py",
                "docs/_build/heuristics/heuristics.json",
                "script.py",
                line,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for line in ("1", "3", "4")
    ]
    assert answers[0] == ""
    assert answers[1] == answers[2]
    assert answers[1].startswith("warning: ")
    unset = run(tmp_path, "sphinxext_heuristics", "index", "docs")
    assert unset.returncode == 2
    proposal = unset.stderr.rpartition("write ")[2]
    conf = tmp_path / "docs" / "conf.py"
    conf.write_text(f"{conf.read_text('utf-8')}{proposal}", encoding="utf-8")
    assert run(tmp_path, "sphinxext_heuristics", "index", "docs").returncode == 0
    ok(build(tmp_path, "-E"))

    page = tmp_path / "docs" / "heuristics" / f"Close_The_Session.{suffix}"
    page.write_text(
        page.read_text("utf-8").replace("mailer.Session,", "mailer.Sesion,"),
        encoding="utf-8",
    )
    for _time in range(2):
        done = build(tmp_path)
        assert done.returncode == 1
        assert is_missing(done.stderr, page.name, "mailer.Session")


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_heuristic_with_most_options(tmp_path: Path, syntax: str) -> None:
    mailer(tmp_path, syntax)
    suffix = SUFFIXES[syntax]
    write(tmp_path, pasted("docs/manual/write.md", syntax))
    heading = {
        "myst": "# {}\n\nText.\n",
        "rst": ":orphan:\n\n{}\n============\n\nText.\n",
    }
    for name in ("sending-mail", "delivery"):
        page = heading[syntax].format(name.title())
        page = f"---\norphan: true\n---\n{page}" if syntax == "myst" else page
        write(tmp_path, {f"docs/{name}.{suffix}": page})
    ok(build(tmp_path))
    shown = showing(tmp_path / "docs/_build/html/api.html", "Close_The_Session")
    assert sorted(shown) == ["mailer.Session", "mailer.Session.send"]
    html = (tmp_path / "docs/_build/html/api.html").read_text("utf-8")
    assert '<div class="heuristic-repeated' not in html, "the exception"
    for name in ("sending-mail", "delivery"):
        page = (tmp_path / f"docs/_build/html/{name}.html").read_text("utf-8")
        assert 'class="heuristic heuristic-warning' in page


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_list_of_messages_and_its_box(tmp_path: Path, syntax: str) -> None:
    mailer(tmp_path, syntax)
    suffix = SUFFIXES[syntax]
    write(tmp_path, pasted("docs/manual/index-in-the-site.md", syntax))
    front = tmp_path / "docs" / f"index.{suffix}"
    text = (MANUAL / "index-in-the-site.md").read_text("utf-8")
    tabs = [tab["text"] for tab in _TAB.finditer(text) if tab["syntax"] == syntax]
    (tab,) = [tab for tab in tabs if "heuristic-paste" in tab]
    box, *_inner = blocks(tab)
    page = front.read_text("utf-8").replace("api\n", "api\nmessages\n")
    if syntax == "rst":
        page = page.replace("\nmessages\n", "\n   messages\n")
    front.write_text(f"{page}\n{box}", encoding="utf-8")
    ok(build(tmp_path))
    html = (tmp_path / "docs/_build/html/index.html").read_text("utf-8")
    soup = BeautifulSoup(html, "html.parser")
    offered = [link["href"] for link in soup.select(".heuristic-paste a")]
    name = "heuristics/Close_The_Session.html#heuristic-close-the-session"
    assert offered == ["messages.html", name]
    assert soup.select("script[src*='heuristics-box.js']")
    assert (tmp_path / "docs/_build/html/_static/heuristics-texts.js").is_file()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_quote_that_is_gone(tmp_path: Path, syntax: str) -> None:
    mailer(tmp_path, syntax)
    files = pasted("docs/manual/package-changes.md", syntax)
    conf = (
        (tmp_path / "docs" / "conf.py").read_text("utf-8").replace("mailer", "scales")
    )
    api = next((tmp_path / "docs").glob("api.*"))
    code = 'class Scale:\n    """A scale."""\n    def weigh(self, mass):\n        """Weigh."""\n        return 2 * mass\n'
    write(
        tmp_path,
        files
        | {
            "docs/conf.py": f"{conf}sys.path.insert(0, 'lib')\n",
            f"docs/{api.name}": api.read_text("utf-8").replace("mailer", "scales"),
            "lib/scales.py": code,
            "lib/scales-2.1.dist-info/METADATA": "Name: scales\nVersion: 2.1\n",
        },
    )
    next((tmp_path / "docs/heuristics").glob("Close*")).unlink()
    ok(build(tmp_path))
    write(tmp_path, {"lib/scales.py": code.replace("2 * mass", "3 * mass")})
    done = build(tmp_path)
    update = "verify docs --update Weigh_Twice"
    updated = run(tmp_path, "sphinxext_heuristics", *update.split()).stdout
    ok(build(tmp_path))
    if syntax == "myst":
        # the page has both word for word
        manual = (MANUAL / "package-changes.md").read_text("utf-8")
        warning = done.stderr.replace(f"{tmp_path}/", "")
        command = f"$ python -m sphinxext_heuristics {update}\n"
        for said in (warning, command + updated):
            assert f"```{{code-block}} text\n{said}```\n" in manual, said


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_complete_conf_py(tmp_path: Path, syntax: str) -> None:
    mailer(tmp_path, syntax)
    files = pasted("docs/manual/reference.md")
    write(tmp_path, files)
    ok(build(tmp_path))
    if syntax == "rst":
        return
    # what is commented out there works, too, once its command has written the file
    (conf,) = files.values()
    commands = re.findall(
        r"^# heuristics_\w+ = .+  # python -m (.+)$", conf, re.MULTILINE
    )
    write(
        tmp_path,
        {
            "docs/conf.py": re.sub(
                r"^# (?=heuristics_\w+ = )", "", conf, flags=re.MULTILINE
            )
        },
    )
    assert len(commands) == 2
    assert [run(tmp_path, *command.split()).returncode for command in commands] == [
        0,
        0,
    ]
    ok(build(tmp_path))


@pytest.mark.parametrize(
    ("options", "listed", "page"),
    [
        ("", ["mailer.Session", "mailer.QuickSession"], "mailer.QuickSession"),
        ("   :recursive:\n", ["postal"], "postal.mailer"),
    ],
    ids=["classes", "modules"],
)
def test_adopt_with_autosummarys_templates(
    tmp_path: Path, options: str, listed: list[str], page: str
) -> None:
    mailer(tmp_path, "rst")
    manual = (MANUAL / "adopt.md").read_text("utf-8")
    (settings,) = re.findall(
        r"^templates_path = .*\nexclude_patterns = .*\n", manual, re.MULTILINE
    )
    conf = (
        (tmp_path / "docs" / "conf.py")
        .read_text("utf-8")
        .replace("sphinx.ext.autodoc", "sphinx.ext.autosummary")
    )
    names = "".join(f"   {name}\n" for name in listed)
    stubs = f"API\n===\n\n.. autosummary::\n   :toctree: generated\n{options}\n{names}"
    write(tmp_path, {"docs/api.rst": stubs, "docs/conf.py": conf})
    if options:
        write(tmp_path, {"postal/__init__.py": '"""Mail."""\n'})
        (tmp_path / "mailer.py").rename(tmp_path / "postal" / "mailer.py")
        heuristic = tmp_path / "docs" / "heuristics" / "Close_The_Session.rst"
        heuristic.write_text(
            heuristic.read_text("utf-8").replace("mailer.", "postal.mailer."),
            encoding="utf-8",
        )
        write(
            tmp_path,
            {"docs/conf.py": conf.replace('package = "mailer"', 'package = "postal"')},
        )
    # as the page says: without a template, the members have no entries
    done = build(tmp_path)
    assert done.returncode == 1
    assert "Session.send" in done.stderr

    templates = {
        path: text
        for path, text in pasted("docs/manual/adopt.md").items()
        if "_templates" in path
    }
    assert len(templates) == 2
    write(
        tmp_path,
        templates
        | {
            "docs/conf.py": (tmp_path / "docs" / "conf.py").read_text("utf-8")
            + settings
        },
    )
    ok(build(tmp_path, "-E"))
    shown = showing(
        tmp_path / "docs" / "_build" / "html" / "generated" / f"{page}.html",
        "Close_The_Session",
        "dd :is(div.heuristic, div.heuristic-repeated)",
    )
    assert f"{page.removesuffix('.QuickSession')}.QuickSession.send" in shown


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_adopt_many_at_once(tmp_path: Path, syntax: str) -> None:
    mailer(tmp_path, syntax)
    page = (MANUAL / "adopt.md").read_text("utf-8")
    (names,) = re.findall(r"^for name in (.+); do$", page, re.MULTILINE)
    for name in names.split()[1:]:
        done = run(tmp_path, "sphinxext_heuristics", "new", "docs", name)
        assert done.returncode == 0, done.stderr
    # two warnings each, of the subtypes that the page names
    done = build(tmp_path)
    subtypes = re.findall(r"\[(heuristic\.\w+)\]$", done.stderr, re.MULTILINE)
    assert (done.returncode, sorted(subtypes)) == (
        1,
        ["heuristic.note"] * 2 + ["heuristic.orphan"] * 2,
    )
    (suppressed,) = re.findall(r"^suppress_warnings = .*\n", page, re.MULTILINE)
    conf = (tmp_path / "docs" / "conf.py").read_text("utf-8")
    write(tmp_path, {"docs/conf.py": conf + suppressed})
    ok(build(tmp_path))


#: The form of a heuristic that a pull request adds.
ADDED = """\
.. heuristic:: {name}
   :note: Read this
   :impl: mailer.Session
   :category: Network

   Text.
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
@pytest.mark.parametrize("is_set", [True, False], ids=["in conf.py", "in one job"])
def test_two_pull_requests_that_add_a_heuristic(
    tmp_path: Path, *, is_set: bool
) -> None:
    """Both pass and merge without a conflict; what main needs is what the page says."""

    def shell(*commands: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        for name in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{name}_NAME": "A", f"GIT_{name}_EMAIL": "a@b.c"}
        for command in commands:
            line = command.replace("python ", f"{sys.executable} ")
            subprocess.run(line, shell=True, check=True, cwd=tmp_path, env=environment)  # noqa: S602 - what the manual has

    page = (MANUAL / "adopt.md").read_text("utf-8")
    (job,) = re.findall(
        r"^(python -m sphinxext_heuristics index .*?)^git push$",
        page,
        re.MULTILINE | re.DOTALL,
    )
    values = re.findall(r"-D (heuristics_\w+)=(\S+)", job)
    mailer(tmp_path, "rst")
    conf = tmp_path / "docs" / "conf.py"
    text = (
        f'{conf.read_text("utf-8")}heuristics_categories = {{"Network": "Sockets"}}\n'
    )
    if is_set:
        text += "".join(f"{name} = {value!r}\n" for name, value in values)
    conf.write_text(text, encoding="utf-8")
    write(
        tmp_path,
        {
            ".gitignore": "_build\n__pycache__\n",
            "docs/heuristics/First.rst": ADDED.format(name="First"),
        },
    )
    commands = re.findall(r"^python .+$", job, re.MULTILINE)
    shell(*commands, "git init -q -b main", "git add -A", "git commit -qm Start")
    for name in ("Alpha", "Omega"):
        shell(f"git switch -qc {name} main")
        write(tmp_path, {f"docs/heuristics/{name}.rst": ADDED.format(name=name)})
        shell(*(commands if is_set else []))
        ok(build(tmp_path))
        shell("git add -A", f"git commit -qm {name}")
    shell("git switch -q main", "git merge -q Alpha", "git merge -q -m Omega Omega")
    done = build(tmp_path)
    assert (done.returncode, "[heuristic.index]" in done.stderr) == (is_set, is_set)
    shell(job)
    ok(build(tmp_path))
    assert "| Network | 3 |" in (tmp_path / "_HeuristicIndex.md").read_text("utf-8")
    shell("git diff --exit-code", job)


def test_a_build_without_boxes(tmp_path: Path) -> None:
    mailer(tmp_path, "myst")
    page = (MANUAL / "place.md").read_text("utf-8")
    (command,) = re.findall(
        r"^sphinx-build (.*heuristics_exclude.*)$", page, re.MULTILINE
    )
    ok(run(tmp_path, "sphinx", "-W", "-q", *shlex.split(command)))
    html = tmp_path / "docs" / "_build" / "plain"
    assert "heuristic-" not in (html / "api.html").read_text("utf-8")
    own = html / "heuristics" / "Close_The_Session.html"
    assert 'class="heuristic-note"' in own.read_text("utf-8")


def test_the_manuals_yaml_is_yaml_and_names_hooks_that_exist() -> None:
    blocks = re.findall(
        r"^```yaml\n(.*?)^```$",
        (MANUAL / "ci.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    workflow, read_the_docs, pre_commit = map(yaml.safe_load, blocks)
    assert (
        workflow["jobs"]["html"]["steps"][-1]["run"]
        == "sphinx-build -W docs docs/_build/html"
    )
    assert read_the_docs["sphinx"] == {
        "configuration": "docs/conf.py",
        "fail_on_warning": True,
    }
    known = {
        hook["id"]
        for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    }
    used = {hook["id"] for repo in pre_commit["repos"] for hook in repo["hooks"]}
    assert used
    assert used <= known
