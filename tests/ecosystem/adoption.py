"""The ten minutes of the manual, and a library whose reference is written by hand.

`make ecosystem` runs it. Each Sphinx gets an empty virtual environment, with nothing in it
but what the manual says to install.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from test_manual import MANUAL, SYNTAXES, pasted, showing, write

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The oldest that is allowed, and the newest that this Python has.
SPHINX = {"lowest": "sphinx==8.2.*", "newest": "sphinx"}
#: A new user is promised ten minutes, most of which are for reading.
LONGEST = 300
#: Why the pages say what they say: in a table of the objects that a heuristic is about.
TREE = "aiohttp-3.13.2"


class Environment(NamedTuple):
    """A virtual environment."""

    bin: Path

    def run(
        self, folder: Path, command: str, *, status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a line of the manual in a folder, with the programs of the environment."""
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        names = ("PYTHONPATH", "VIRTUAL_ENV")
        environment = {k: v for k, v in os.environ.items() if k not in names}
        done = subprocess.run(  # noqa: S602 - what the manual has
            command,
            shell=True,
            capture_output=True,
            check=False,
            cwd=folder,
            env=environment | {"NO_COLOR": "1", "PATH": path},
            text=True,
        )
        assert done.returncode == status, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def build(self, folder: Path, options: str = "-W") -> str:
        """Build the documentation as the manual says, and return what is warned of."""
        command = f"sphinx-build -q {options} docs docs/_build/html"
        return self.run(folder, command).stderr


@pytest.fixture(scope="module", params=SPHINX)
def sphinx(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Make an empty environment with one Sphinx, and install as the manual says."""
    folder = tmp_path_factory.mktemp(request.param)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603 - Python itself
    environment = Environment(folder / "bin")
    page = (MANUAL / "get-started.md").read_text("utf-8")
    # where the page names a release, this repository is tried all the same
    install = r"^pip install '(?:/path/to/clone|sphinxext-heuristics)(\[\w+\])'$"
    (extra,) = re.findall(install, page, re.MULTILINE)
    wanted = f"'{ROOT}{extra}' '{SPHINX[request.param]}'"
    environment.run(folder, f"pip install {wanted} --quiet")
    return environment


def block(page: str, start: str) -> str:
    """Return the block of a page of the manual that begins with some text."""
    text = (MANUAL / page).read_text("utf-8")
    pattern = rf"^ *```\w+\n(?P<text> *{re.escape(start)}.*?)^ *```$"
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    assert found, start
    return re.sub(r"^ {3}", "", found["text"], flags=re.MULTILINE)


def entries(folder: Path) -> list[str]:
    """Return the entries that show the first heuristic in full."""
    return sorted(showing(folder / "docs/_build/html/api.html", "Close_The_Session"))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_manual_is_followed_from_an_empty_folder(
    sphinx: Environment, tmp_path: Path, syntax: str
) -> None:
    began = time.monotonic()
    write(tmp_path, pasted("docs/manual/get-started.md", syntax))
    command = block("get-started.md", "sphinx-build")
    assert not sphinx.run(tmp_path, f"{command.strip()} -q").stderr
    assert entries(tmp_path) == ["mailer.Session", "mailer.Session.send"]
    (page,) = (tmp_path / "docs" / "heuristics").glob("Close*")
    text = page.read_text("utf-8").replace("mailer.Session,", "mailer.Sesion,")
    page.write_text(text, encoding="utf-8")
    for _time in range(2):
        done = sphinx.run(tmp_path, command, status=1)
        assert "did you mean 'mailer.Session'" in done.stderr
    assert time.monotonic() - began < LONGEST


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_manual_is_followed_in_an_existing_project(
    sphinx: Environment, tmp_path: Path, syntax: str
) -> None:
    """Each step ends with a build that passes; what was there stays as it was."""
    began = time.monotonic()
    files = pasted("docs/manual/get-started.md", syntax)
    docs, suffix = tmp_path / "docs", {"myst": "md", "rst": "rst"}[syntax]
    theirs = {name: text for name, text in files.items() if "/heuristics/" not in name}
    index = f"docs/index.{suffix}"
    theirs[index] = re.sub(r" *heuristics/index\n", "", theirs[index])
    lines = theirs["docs/conf.py"].splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("heuristics_")]
    theirs["docs/conf.py"] = "".join(kept).replace(', "sphinxext_heuristics"', "")
    write(tmp_path, theirs)
    assert not sphinx.build(tmp_path)
    before = (docs / "_build/html/api.html").read_bytes()

    # switch it on: nothing changes
    conf = docs / "conf.py"
    text = conf.read_text("utf-8")
    (extensions,) = re.findall(r"^extensions = \[(.*)\]$", text, re.MULTILINE)
    added = block("adopt.md", "extensions = [...,").replace("...", extensions)
    conf.write_text(f"{text}{added}", encoding="utf-8")
    assert not sphinx.build(tmp_path)
    assert (docs / "_build/html/api.html").read_bytes() == before

    # look, write the first one, and list it
    for line in block(
        "adopt.md", "python -m sphinxext_heuristics explain"
    ).splitlines():
        assert "(api" in sphinx.run(tmp_path, line).stdout
    new = block("adopt.md", "python -m sphinxext_heuristics new docs Close")
    sphinx.run(tmp_path, new.strip() + (" --rst" if syntax == "rst" else ""))
    page = docs / "heuristics" / f"Close_The_Session.{suffix}"
    text = page.read_text("utf-8")
    for option, value in (("note", "Close it"), ("impl", "mailer.Session")):
        text, times = re.subn(rf"(:{option}:).*", rf"\1 {value}", text, count=1)
        assert times
    page.write_text(re.sub(r"^ *:\w+: *\n", "", text, flags=re.MULTILINE), "utf-8")
    name = f"docs/heuristics/index.{suffix}"
    write(tmp_path, {name: files[name], index: files[index]})
    assert not sphinx.build(tmp_path)
    assert entries(tmp_path) == ["mailer.Session"]

    # and leave again
    shutil.rmtree(docs / "heuristics")
    write(tmp_path, theirs)
    assert not sphinx.build(tmp_path, "-W -E")
    assert (docs / "_build/html/api.html").read_bytes() == before
    assert time.monotonic() - began < LONGEST


# -- a reference that is written by hand ----------------------------------------------

#: Name → option, value, and the entries that show it: page#anchor.
HANDWRITTEN = {
    "One_Session": (
        "aiohttp.client.ClientSession",
        "",
        {"client_reference.html#aiohttp.ClientSession"},
    ),
    "Close_The_Response": (
        "ClientResponse.release",
        "",
        {"client_reference.html#aiohttp.ClientResponse.release"},
    ),
    "Limits": (
        "aiohttp.BaseConnector+",
        ":param: limit",
        {
            f"client_reference.html#aiohttp.{name}Connector"
            for name in ("Base", "TCP", "Unix")
        },
    ),
    "Prepare_First": (
        "aiohttp.web.StreamResponse.prepare",
        "",
        {"web_reference.html#aiohttp.web.StreamResponse.prepare"},
    ),
    "Total_Timeout": (
        "aiohttp.ClientTimeout",
        ":param: total",
        {"client_reference.html#aiohttp.ClientTimeout.total"},
    ),
}
RULE = """\
:orphan:

.. heuristic:: {name}
   :note: {note}
   :impl: {target}
   {option}

   Text.
"""
#: Without a network; the source is found beside the documentation, and not imported.
CONF = """
import sys
sys.path.insert(0, str(PROJECT_ROOT_DIR))
intersphinx_mapping = {}
html_theme = "alabaster"
html_theme_options = {}
towncrier_draft_autoversion_mode = "sphinx-release"
"""
CONF_SHOWN = """
extensions.append("sphinxext_heuristics")
heuristics_package = "aiohttp"
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the source distribution, which has the documentation."""
    folder = tmp_path_factory.mktemp("aiohttp")
    requirements = Path(__file__).with_name("handwritten.txt")
    download = ["pip", "download", "--quiet", "--no-deps", "--dest", folder]
    command = [sys.executable, "-m", *download, "--requirement", requirements]
    subprocess.run(command, check=True)  # noqa: S603 - the command is written right here
    with tarfile.open(folder / f"{TREE}.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    return folder / TREE


def rules(folder: Path, note: str) -> None:
    """Write the heuristics."""
    for name, (target, option, _places) in HANDWRITTEN.items():
        text = RULE.format(name=name, note=note, target=target, option=option)
        write(folder, {f"docs/heuristics/{name}.rst": text})


def shown(folder: Path) -> dict[str, set[str]]:
    """Return heuristic → the entries that show it, in full or in a line."""
    found = defaultdict(set)
    html = folder / "docs/_build/html"
    for page in html.glob("*.html"):
        soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        for link in soup.select("dd [class*=heuristic] a[href*='heuristics/']"):
            entry = link.find_parent("dl", class_="py").find("dt")
            name = Path(link["href"].partition("#")[0]).stem
            found[name].add(f"{page.name}#{entry['id']}")
    return found


def test_a_reference_written_by_hand(
    sphinx: Environment, tree: Path, tmp_path: Path
) -> None:
    folder = tmp_path / TREE
    shutil.copytree(tree, folder)
    sphinx.run(folder, "pip install --quiet towncrier sphinxcontrib-towncrier")
    conf = folder / "docs" / "conf.py"
    text = conf.read_text("utf-8") + CONF
    conf.write_text(text, encoding="utf-8")
    plain = sorted(sphinx.build(folder, "").splitlines())
    conf.write_text(text + CONF_SHOWN, encoding="utf-8")
    rules(folder, "One of five")
    expected = {name: places for name, (_, _, places) in HANDWRITTEN.items()}
    # clean, unchanged, and with an edit
    for options, note in (("-E", "One of five"), ("", "One of five"), ("", "Edited")):
        rules(folder, note)
        warned = sorted(sphinx.build(folder, options).splitlines())
        assert set(warned) <= set(plain)
        assert options == "" or warned == plain
        assert shown(folder) == expected
    again = pages(folder)
    sphinx.build(folder, "-E -a")
    assert pages(folder) == again


def pages(folder: Path) -> dict[str, str]:
    """Return page → text of the site, without what has the time in it."""
    found: Iterator[Path] = (folder / "docs/_build/html").rglob("*.html")
    return {str(path): path.read_text("utf-8") for path in found}
