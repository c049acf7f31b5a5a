"""The harness: projects from text, real builds by the command line, what readers see."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import io
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from bs4 import BeautifulSoup, Tag
from chromium import Tab, installed
from jinja2 import BytecodeCache
from jinja2.sandbox import SandboxedEnvironment
from sphinx import jinja2glue
from sphinx.cmd.build import main as sphinx_build
from sphinx.config import Config
from sphinx.locale import init as init_locale
from sphinx.locale import translators
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.inventory import InventoryFile

# Sphinx imports its domains when it has a translator. Imported without one, as by a
# test module, their names are lazy, which Sphinx's JSON builder cannot write.
init_locale([], None)
importlib.import_module("sphinx.domains.python")
# a step of a session that shows something else is shown as a difference
pytest.register_assert_rewrite("session")
translators.clear()
# pytest keeps each record of Sphinx's for a test that fails; what is for who mends Sphinx
# is half of them, and a quarter of the time
logging.disable(logging.DEBUG)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import CodeType

    from jinja2.bccache import Bucket
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

#: The repository.
ROOT = Path(__file__).parents[1]

CASES = Path(__file__).parent / "cases"

#: What the catalogue says of PEFT, as tests, which are all slow.
CLAIMS = Path(__file__).parent / "peft" / "claims"

_NO_BROWSER = "no chromium is installed; on Debian: apt-get install chromium"

#: The conf.py of a project that brings none: both syntaxes, autodoc on the project's
#: own folder.
CONF = """\
import sys
sys.path.insert(0, __file__.rpartition("/")[0])
extensions = ["sphinx.ext.autodoc", "myst_parser", "sphinxext_heuristics"]
"""

#: The modules whose own deprecation warnings are not our fault.
OTHERS = r"myst_parser\.|autoapi\.|astroid\.|sphinxcontrib\.serializinghtml"

SECTION = re.compile(r"^=== (?P<head>.+)\n", re.MULTILINE)
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

#: The site as `make html` builds it, and where it notes the environment that it took.
MADE = ROOT / "docs" / "_build"
MADE_IN = MADE / "doctrees" / "made-in"

#: A file whose tests are all slow.
_SLOW = re.compile(r"^pytestmark = .*\bslow\b", re.MULTILINE)

_LASTING = re.compile(
    r'^@pytest\.fixture\(.*\bscope="(?:module|session)"', re.MULTILINE
)


@cache
def has_lasting_fixture(tests: Path) -> bool:
    """Return whether a fixture in a file of tests lasts for several of them."""
    return bool(_LASTING.search(tests.read_text(encoding="utf-8")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> LoadScopeScheduling:
    """Let one worker run a file whose tests share what is expensive to make.

    The mark ``xdist_group`` is for that, but pytest-xdist 3.8 groups nothing under pytest
    9.2 (pytest-dev/pytest-xdist#1386). Elsewhere, each test goes to any worker.
    """
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - it is there when this is called

    class Scheduler(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if has_lasting_fixture(config.rootpath / file) else nodeid

    return Scheduler(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not read what is slow as a whole where the slow ones are not asked for."""
    if "not slow" not in config.option.markexpr:
        return None
    if collection_path == CLAIMS:
        return True
    is_python = collection_path.suffix == ".py"
    if is_python and _SLOW.search(collection_path.read_text(encoding="utf-8")):
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a browser, where none is, before anything is built for them."""
    if installed() or os.environ.get("HEURISTICS_REQUIRE_BROWSER") == "1":
        return
    skipped = pytest.mark.skip(reason=_NO_BROWSER)
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(skipped)


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays: modules, and the tests themselves."""
    gc.collect()
    gc.freeze()


class CompiledOnce(BytecodeCache):
    """Jinja compiles a theme's templates for each build: half the time of a small one."""

    kept: ClassVar[dict[tuple[str, str], CodeType | None]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what an earlier build compiled."""
        bucket.code = self.kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the builds that follow."""
        self.kept[bucket.key, bucket.checksum] = bucket.code


jinja2glue.SandboxedEnvironment = partial(
    SandboxedEnvironment, bytecode_cache=CompiledOnce()
)


def sections(text: str) -> dict[str, str]:
    """Return heading → content of a text that lines beginning with ``===`` divide; ``""`` is what stands before."""
    parts = SECTION.split(text)
    heads = ["", *parts[1::2]]
    assert len(set(heads)) == len(heads), f"a heading stands twice: {heads}"
    return {
        head.strip(): content.rstrip() + "\n"
        for head, content in zip(heads, parts[::2], strict=True)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One behaviour: a project and what it must give."""

    #: What it shows, in words.
    about: str
    #: Path → text of the project.
    files: dict[str, str]
    #: Path → text of the files that mend it.
    mended: dict[str, str]
    #: Page of the output → its whole text.
    expected: dict[str, str]
    #: All warnings, word for word.
    warnings: str


def read_case(path: Path) -> Case:
    """Return the case that a file writes down."""
    parts = sections(path.read_text(encoding="utf-8"))
    about = parts.pop("").strip()
    warnings = parts.pop("warnings", "").strip()
    by_kind: dict[str, dict[str, str]] = {"expect": {}, "mended": {}, "": {}}
    for head, content in parts.items():
        kind, _space, name = head.rpartition(" ")
        assert kind in by_kind, f"{path}: {head!r} is no head of a part"
        by_kind[kind][name] = content
    return Case(
        about=about,
        files=by_kind[""],
        mended=by_kind["mended"],
        expected=by_kind["expect"],
        warnings=warnings,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What one run of sphinx-build gave."""

    #: The output folder.
    out: Path
    #: The exit status.
    status: int
    #: All that was written to stderr, without colours, the project's folder as
    #: ``<src>``.
    stderr: str
    #: The project's own modules that the build imported.
    imported: frozenset[str]
    _soups: dict[str, BeautifulSoup] = field(default_factory=dict)
    _inventory: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """The warnings, each with its further lines."""
        return re.findall(r"^\S.*(?:\n(?: .*)?$)*", self.stderr.strip(), re.MULTILINE)

    def read(self, name: str) -> str:
        """Return a file of the output."""
        return (self.out / name).read_text(encoding="utf-8")

    def soup(self, name: str) -> BeautifulSoup:
        """Return a page of HTML."""
        if name not in self._soups:
            self._soups[name] = BeautifulSoup(self.read(name), "html.parser")
        return self._soups[name]

    def entry(self, name: str, anchor: str) -> Tag:
        """Return the body of the API entry with the anchor."""
        found = self.soup(name).find(id=anchor)
        assert isinstance(found, Tag), f"{name} has no {anchor}"
        body = found.find_next_sibling("dd")
        assert isinstance(body, Tag)
        return body

    def shown(self, name: str, anchor: str) -> list[str]:
        """Return the titles of the heuristics that the API entry itself shows, members aside."""
        body = self.entry(name, anchor)
        boxes = [
            box for box in body.select("div.heuristic") if box.find_parent("dd") is body
        ]
        return [title_of(box) for box in boxes]

    def follow(self, name: str, link: Tag) -> Tag:
        """Return what a link on a page leads to: the page, or the element with the id; both must exist."""
        path, _hash, anchor = str(link["href"]).partition("#")
        target = (self.out / name).parent / path if path else self.out / name
        if target.is_dir():
            target /= "index.html"
        assert target.is_file(), f"{name}: {link['href']} leads to no file"
        if target.suffix != ".html":
            return link  # a file to download
        page = self.soup(target.resolve().relative_to(self.out.resolve()).as_posix())
        found = page.find(id=anchor) if anchor else page.body
        assert isinstance(found, Tag), f"{name}: {link['href']} leads to no id"
        return found

    def inventory(self) -> dict[str, dict[str, tuple[str, str]]]:
        """Return the type → name → (URI, title) of objects.inv."""
        if not self._inventory:
            with (self.out / "objects.inv").open("rb") as file:
                data = InventoryFile.load(file, "", lambda _base, uri: uri)
            for kind, items in data.items():
                self._inventory[kind] = {
                    name: (item.uri, item.display_name) for name, item in items.items()
                }
        return self._inventory


def title_of(box: Tag) -> str:
    """Return the heuristic's title in an admonition, without the severity's word."""
    link = box.select_one("p.admonition-title a.reference")
    assert link is not None, box
    return link.get_text()


@contextlib.contextmanager
def others_may_warn() -> Iterator[None]:
    """Let others use what Sphinx will remove; that ours does stays an error."""
    with warnings.catch_warnings():
        for category in (PendingDeprecationWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", category=category, module=OTHERS)
        yield


#: Option of Sphinx → its default, if that is one that an extension can change.
DEFAULTS = {
    name: option.default.copy()
    for name, option in Config.config_values.items()
    if isinstance(option.default, dict | list | set)
}


def forget_project() -> None:
    """Let Sphinx forget a project that was built in this process.

    It would add the next project's language to this one's, and keep what extensions
    add to defaults, such as MyST's suffix and a theme's templates.
    """
    ModuleAnalyzer.cache.clear()
    translators.clear()
    for name, before in DEFAULTS.items():
        default = Config.config_values[name].default
        default.clear()
        if isinstance(default, list):
            default.extend(before)
        else:
            default.update(before)


class Project:
    """A Sphinx project in a folder of its own."""

    def __init__(self, root: Path, files: Mapping[str, str] | str) -> None:
        """Write the project; without a conf.py it gets :data:`CONF`."""
        self.root = root
        self.src = root / "src"
        files = sections(files) if isinstance(files, str) else dict(files)
        files.pop("", None)
        if "conf.py" not in files:
            files["conf.py"] = CONF
        elif "sys.path" not in files["conf.py"]:
            # Below what the case wrote, so that its lines keep their numbers.
            files["conf.py"] += (
                "import sys\nsys.path.insert(0, __file__.rpartition('/')[0])\n"
            )
        self.write(files)

    def write(self, files: Mapping[str, str] | str) -> None:
        """Write, or write anew, some of the project's files."""
        for name, text in (
            sections(files) if isinstance(files, str) else files
        ).items():
            if name:
                path = self.src / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")

    def build(
        self,
        builder: str = "text",
        *options: str,
        out: str = "",
        files: Sequence[Path] = (),
    ) -> Built:
        """Run sphinx-build as from the command line; what was read before is used again."""
        outdir = self.root / (out or f"out-{builder}")
        stderr = io.StringIO()
        modules = set(sys.modules)
        path = list(sys.path)
        # Sphinx refuses what another builder has read for gettext, which wants ids of
        # all texts.
        doctrees = self.root / (
            "doctrees-gettext" if builder == "gettext" else "doctrees"
        )
        arguments = ["-q", "--no-color", "-b", builder, "-d", str(doctrees), *options]
        try:
            with contextlib.redirect_stderr(stderr), others_may_warn():
                arguments += map(str, (self.src, outdir, *files))
                status = sphinx_build(arguments)
        finally:
            imported = self.forget(modules)
            sys.path[:] = path
        text = _ESCAPE.sub("", stderr.getvalue()).replace(str(self.src), "<src>")
        return Built(out=outdir, status=status, stderr=text, imported=imported)

    def forget(self, before: set[str]) -> frozenset[str]:
        """Drop the project's modules, so that the next build imports them anew; return their names."""
        own = {
            name
            for name, module in list(sys.modules.items())
            if name not in before
            and str(getattr(module, "__file__", None) or "").startswith(str(self.root))
        }
        for name in own:
            del sys.modules[name]
        forget_project()
        return frozenset(own)

    def ok(self, builder: str = "text", *options: str, out: str = "") -> Built:
        """Build and require that there is no warning at all."""
        built = self.build(builder, "-W", *options, out=out)
        assert not built.stderr, built.stderr
        assert built.status == 0
        return built


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Mapping[str, str] | str], Project]:
    """Make a project in the test's folder."""
    return lambda files: Project(tmp_path, files)


@pytest.fixture(scope="module")
def shared_project(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Mapping[str, str] | str], Project]:
    """Make projects that a module's tests look at together."""
    return lambda files: Project(tmp_path_factory.mktemp("project"), files)


def built_by_make(source: Path, out: Path, **variables: str) -> Built:
    """Build a site of this repository as the Makefile does, without a warning."""
    command = ["-m", "sphinx", "-b", "html", "-W", "--keep-going", "-j2"]
    run = subprocess.run(  # noqa: S603 - the command is written right here
        [sys.executable, *command, str(source), str(out)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "NO_COLOR": "1"} | variables,
    )
    assert run.returncode == 0, run.stderr
    assert "WARNING: " not in re.sub(r"^# .*$", "", run.stderr, flags=re.MULTILINE)
    return Built(out=out, status=0, stderr=run.stderr, imported=frozenset())


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Built]
) -> Built:
    """Return what the first worker that asks for it makes in a folder for all of them."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    said = base / f"{name}.said"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_text(make(base / name).stderr, encoding="utf-8")
    stderr = said.read_text(encoding="utf-8")
    return Built(out=base / name, status=0, stderr=stderr, imported=frozenset())


def made_of_this_tree() -> bool:
    """Return whether `make html` has built the site with the code and the environment of these tests.

    Which pages have changed since, Sphinx finds itself.
    """
    if not MADE_IN.exists() or not Path(sys.prefix).samefile(
        ROOT / MADE_IN.read_text(encoding="utf-8").strip()
    ):
        return False
    code = (ROOT / "sphinxext_heuristics", ROOT / "docs/_ext")
    files = [file for folder in code for file in folder.rglob("*.*")]
    files += (ROOT / "docs/conf.py", ROOT / "constraints.txt")
    newest = max(it.stat().st_mtime for it in files if it.suffix != ".pyc")
    return newest < MADE_IN.stat().st_mtime


@pytest.fixture(scope="session")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the manual, the extension's own site, which imports nothing of PEFT's."""

    def make(out: Path) -> Built:
        folder = tmp_path_factory.mktemp("refused")
        for name in ("peft", "torch", "transformers"):
            refused = f"raise RuntimeError('the manual imports {name}')\n"
            (folder / f"{name}.py").write_text(refused, encoding="utf-8")
        path = os.pathsep.join([str(folder), *sys.path])
        return built_by_make(ROOT / "docs/manual", out, PYTHONPATH=path)

    return made_once(tmp_path_factory, "manual", make)


@pytest.fixture(scope="session")
def site(manual: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the catalogue's site: real PEFT, built as `make html` builds it.

    It goes on from a copy of what `make html` has built, which takes the same path to the
    same bytes. It links to the manual by the inventory that `make` writes.
    """

    def make(out: Path) -> Built:
        inventory = MADE / "html/manual/objects.inv"
        if not inventory.exists():
            inventory.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(manual.out / inventory.name, inventory)
        if made_of_this_tree():
            others = shutil.ignore_patterns("manual")
            shutil.copytree(MADE / "html", out, ignore=others)
            shutil.copytree(MADE / "doctrees", out / ".doctrees")
        return built_by_make(ROOT / "docs", out)

    return made_once(tmp_path_factory, "site", make)


def dom_of(
    browser: str, page: Path, profile: Path, *options: str, milliseconds: int = 5000
) -> BeautifulSoup:
    """Return a page when its scripts have run for some time of the browser's own clock."""
    command = [
        "--headless",
        "--no-sandbox",
        "--no-first-run",
        "--disable-gpu",
        "--dump-dom",
    ]
    command += (f"--user-data-dir={profile}", f"--virtual-time-budget={milliseconds}")
    done = subprocess.run(  # noqa: S603 - the browser that was found, on pages of our own
        [browser, *command, *options, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return BeautifulSoup(done.stdout, "html.parser")


@pytest.fixture(scope="session")
def browser() -> str:
    """Return the browser that is installed."""
    found = installed()
    assert found, _NO_BROWSER
    return found


@pytest.fixture(scope="module")
def browsing(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """Return a tab of a browser that the tests of a file share."""
    tab = Tab(browser, tmp_path_factory.mktemp("browser"))
    yield tab
    tab.close()
