"""The catalogue: every heuristic is proven, by what it quotes and by what is executed."""

from __future__ import annotations

import ast
import importlib.util
import keyword
import re
import runpy
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import black
import pytest
from conftest import ROOT, Project
from pages import PAGES, SEED, option, text_of

from sphinxext_heuristics._core.evidence.search import verify
from sphinxext_heuristics._core.model import Evidence, Found, Lost
from sphinxext_heuristics._core.resolve.pages import fold
from sphinxext_heuristics._core.source.packages import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a page says whose claim cannot run on a CPU.
NOT_RUN = "Read from the source, not run."

#: The heuristics that only say so.
UNRUN: set[str] = set()

#: The options that connect a page to one of PEFT's own.
CONNECTIONS = ("workflow", "principle", "env")

_FENCE = re.compile(
    r"^:::\{evidence\} (?P<object>\S+)\n(?P<body>.*?)^:::$", re.DOTALL | re.MULTILINE
)


@cache
def quotes(name: str) -> tuple[tuple[Evidence, int], ...]:
    """Return what a page quotes, each with the line of its directive."""
    text = text_of(name)
    found = []
    for match in _FENCE.finditer(text):
        module, _colon, qualname = match["object"].partition(":")
        body, prose = re.subn(r"\A:text:[ ]*\n", "", match["body"])
        quote = body.strip("\n")
        line = text.count("\n", 0, match.start()) + 1
        claim = Evidence(
            module=module,
            qualname=qualname,
            quote=quote,
            prose=bool(prose),
            source="",
            line=line,
        )
        found.append((claim, line))
    return tuple(found)


@cache
def claims() -> dict[str, list[str]]:
    """Return each test of a claim → the heuristics that it is marked with."""
    found = {}
    for path in sorted(ROOT.glob("tests/peft/claims/test_*.py")):
        marks = {f"claim('{name}')": name for name in PAGES}
        for node in ast.parse(path.read_bytes()).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=alias)]):
                    marks[alias] = marks.get(ast.unparse(node.value), "")
                case ast.FunctionDef(name=test) if test.startswith("test_"):
                    written = map(ast.unparse, node.decorator_list)
                    names = [marks.get(mark, "") for mark in written]
                    found[f"{path.stem}.{test}"] = [name for name in names if name]
    return found


def test_the_first_five_are_among_them() -> None:
    assert set(PAGES) >= SEED


def test_each_has_claims_that_are_executed_or_says_that_it_has_none() -> None:
    assert {name for name in PAGES if NOT_RUN in text_of(name)} == UNRUN
    claimed = {name for names in claims().values() for name in names}
    assert claimed == {*PAGES} - UNRUN


def test_every_test_of_a_claim_names_its_heuristic() -> None:
    assert [test for test, names in claims().items() if not names] == []


@pytest.mark.parametrize("name", PAGES)
def test_each_says_what_proves_it(name: str) -> None:
    text = text_of(name)
    why = text.partition("\n# Why\n")[2].partition("\n# Limits\n")[0]
    assert "{evidence}" in why
    assert "{picture}" not in text, (
        "pages are copied into PEFT's tree, which has no such directive"
    )


# -- drift: each page built for itself, with a copy of PEFT --

_CONF = """\
extensions = ["myst_parser", "sphinxext_heuristics"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
heuristics_namespace = "huggingface_peft"
heuristics_package = "peft"
# the pages that it connects to are not here
suppress_warnings = ["heuristic.target", "heuristic.except", "heuristic.ref", "ref.*", "myst.*"]
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with a copy of PEFT, which a build finds first."""
    spec = importlib.util.find_spec("peft")
    assert spec is not None
    assert spec.origin is not None
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(
        Path(spec.origin).parent,
        folder / "peft",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture
def page(name: str, tmp_path: Path) -> Project:
    """Return a project of one heuristic's page."""
    index = f"Start\n=====\n\n.. toctree::\n\n   heuristics/{PAGES[name].stem}\n"
    # What it applies to is looked for in all of transformers, and is not asked here.
    text = re.sub("^:impl: .*$", ":impl: ?none", text_of(name), flags=re.MULTILINE)
    return Project(
        tmp_path,
        {"conf.py": _CONF, "index.rst": index, f"heuristics/{PAGES[name].name}": text},
    )


def drifted(project: Project) -> set[int]:
    """Build with -W and return the lines of the page whose evidence is said to be gone."""
    built = project.build("dummy", "-W")
    lines = {int(line) for line in re.findall(r"\.md:(\d+): WARNING: .*", built.stderr)}
    assert (
        built.stderr.count("WARNING: ")
        == built.stderr.count("[heuristic.evidence]")
        == len(lines)
    ), built.stderr
    assert built.status == bool(lines)
    return lines


def where(claim: Evidence) -> Found | Lost:
    """Return where a quote stands now, whatever was remembered."""
    return verify(claim, Sources())


def changed(found: Found, word: str) -> bool:
    """Change a word of the passage that was found, and return whether it is there."""
    lines = found.path.read_text(encoding="utf-8").split("\n")
    # Words in one of several literals side by side are at the line of the first.
    last = min(found.end_line + 12, len(lines))
    for at in range(found.line - 1, last):
        lines[at], count = re.subn(
            rf"\b{re.escape(word)}\b", f"{word}_otherwise", lines[at], count=1
        )
        if count:
            found.path.write_text("\n".join(lines), encoding="utf-8")
            return True
    return False


def words(quote: str) -> list[str]:
    """Return the words of a quote, the longest first."""
    found = set(
        re.findall(r"[A-Za-z_]\w{2,}", re.sub(r"(?m)^\s*#.*$", "", quote) or quote)
    )
    return sorted(
        (word for word in found if not keyword.iskeyword(word)),
        key=lambda word: (-len(word), word),
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in SEED else pytest.mark.slow)
        for name in PAGES
    ],
)
def test_each_holds_until_the_quoted_lines_mean_something_else(
    name: str, page: Project, copy: Path
) -> None:
    assert drifted(page) == set(), "PEFT as it is"
    for claim, line in quotes(name):
        found = where(claim)
        assert isinstance(found, Found)
        if not found.path.is_relative_to(copy):
            continue  # another package's
        path = found.path
        kept = path.read_text(encoding="utf-8")
        try:
            # the same may stand in the object more than once
            for _time in range(8):
                if not isinstance(found, Found):
                    break
                assert any(changed(found, word) for word in words(claim.quote)), (
                    f"{name}:{line}"
                )
                found = where(claim)
            assert line in drifted(page)
        finally:
            path.write_text(kept, encoding="utf-8")
    assert drifted(page) == set(), "mended"


@pytest.fixture(scope="module")
def black_copy(copy: Path) -> Path:
    """Return the copy with all that is quoted reformatted to short lines."""
    mode = black.Mode(line_length=60, string_normalization=False)
    for path in {
        found.path
        for name in PAGES
        for claim, _line in quotes(name)
        if isinstance(found := where(claim), Found)
    }:
        if path.is_relative_to(copy):
            text = path.read_text(encoding="utf-8")
            formatted = black.format_str(text, mode=mode)
            assert formatted != text
            path.write_text(formatted, encoding="utf-8")
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_each_holds_in_source_that_was_reformatted(
    name: str, page: Project, black_copy: Path
) -> None:
    assert any(
        where(claim).path.is_relative_to(black_copy) for claim, _line in quotes(name)
    )  # type: ignore[union-attr]
    assert drifted(page) == set()


def test_pefts_own_pages_have_a_place_for_each_page_that_is_named() -> None:
    conf = runpy.run_path(str(ROOT / "docs/manual/adopt-peft/conf.py"))
    known = set(map(fold, conf["heuristics_targets"]))
    for name in PAGES:
        for key in CONNECTIONS:
            targets = re.sub(r"[^,]*<(.*?)>", r"\1", option(name, key))
            for target in filter(None, targets.split(",")):
                assert fold(target.strip().lstrip("?")) in known, name


def test_each_pair_of_what_is_silent_is_of_the_heuristic_that_is_linked() -> None:
    text = (ROOT / "docs/silent.md").read_text(encoding="utf-8")
    linked = re.findall(r"\{heuristic\}`(\w+)`", text)
    included = re.findall(
        r"\{literalinclude\} heuristics/huggingface_peft_(\w+)\.md", text
    )
    assert linked == included
    front = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert "(silent.md)" in front


def test_the_reference_has_each_public_class_and_function() -> None:
    renew = runpy.run_path(str(ROOT / "tools/renew.py"))
    assert [*renew["undocumented"]()] == []
