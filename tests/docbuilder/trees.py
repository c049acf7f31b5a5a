"""Build a tree written for doc-builder, and report what came out. No test: a program.

    python tests/docbuilder/trees.py TREE PACKAGE [NAME=VALUE …]

TREE is the folder of ``_toctree.yml`` in a checkout, PACKAGE the package that it
documents, which can be imported. NAME=VALUE are options of conf.py. It prints the
number of pages and of objects, each warning, each construct that a page shows as raw
text, each ``[[autodoc]]`` that shows nothing, and each dead link. The exit code is 1 if
there is a raw construct or a dead link, or Sphinx fails.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

from bs4 import BeautifulSoup
from sphinx.cmd.build import main as sphinx_build

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What no page shows outside of code: name → pattern.
RAW = {
    "autodoc": r"\[\[[\w-]+\]\]",
    "alert": r"\[!\w+\]",
    "object link": r"\[`",
    "component": r"</?[A-Z]\w+[^<>]*>|</?hf\w+",
    "formula": r"\\\\?\(|\$\$",
    "directive": r"^\.\. \w+::",
    "comment": r"<!--|Licensed under",
}


def pages_of(out: Path) -> dict[str, BeautifulSoup]:
    """Return the pages of a site by their paths."""
    found = {}
    for path in sorted(out.rglob("*.html")):
        name = path.relative_to(out).as_posix()
        if name not in {"genindex.html", "search.html", "py-modindex.html"}:
            found[name] = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return found


def raw_constructs(page: BeautifulSoup) -> Iterator[str]:
    """Yield what a page shows of its markup."""
    body = page.find("div", class_="body")
    for tag in body.find_all(["pre", "code", "script", "style"]):
        tag.extract()
    for tag in body.find_all(class_=re.compile("^(math|sig)")):
        tag.extract()
    text = body.get_text()
    for kind, pattern in RAW.items():
        for match in re.finditer(pattern, text, re.MULTILINE):
            around = text[max(0, match.start() - 30) : match.end() + 40]
            yield f"{kind}: {' '.join(around.split())!r}"


def dead_links(name: str, pages: dict[str, BeautifulSoup]) -> Iterator[str]:
    """Yield the links of a page within the site that lead nowhere."""
    body = pages[name].find("div", class_="body")
    for link in body.find_all("a", href=True):
        address, anchor = urldefrag(str(link["href"]))
        if re.match(r"[a-z]+:|/", address):
            continue
        path = (
            (Path("/", name).parent / unquote(address)) if address else Path("/", name)
        )
        target = path.resolve().relative_to("/").as_posix()
        page = pages.get(target)
        if page is None and not target.startswith("_"):
            yield f"dead page: {link['href']}"
        elif page and anchor and not page.find(id=unquote(anchor)):
            yield f"dead anchor: {link['href']}"


def report(tree: Path, package: str, options: dict[str, str]) -> int:
    """Build a tree and print what came out."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "source"), Path(folder, "out")
        shutil.copytree(tree, source)
        settings = {
            "extensions": '["sphinxext_heuristics.docbuilder"]',
            "docbuilder_trees": repr({"": package}),
            "docbuilder_packages": repr([package, "transformers"]),
            "html_theme": '"basic"',
            **options,
        }
        conf = "".join(f"{key} = {value}\n" for key, value in settings.items())
        (source / "conf.py").write_text(conf, encoding="utf-8")
        log = io.StringIO()
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            code = sphinx_build(["--no-color", "-q", str(source), str(out)])
        text = log.getvalue().replace(f"{source}/", "")
        warnings = [line for line in text.splitlines() if " WARNING: " in line]
        warnings += [line for line in text.splitlines() if " ERROR: " in line]
        pages = pages_of(out)
        signatures = sum(
            len(page.find_all("dt", class_="sig")) for page in pages.values()
        )
        found = [
            f"{name}: {dead}" for name in pages for dead in dead_links(name, pages)
        ]
        for name, page in pages.items():
            found += [f"{name}: raw {raw}" for raw in raw_constructs(page)]
    for line in (*warnings, *found):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(
        f"{package}: {len(pages)} pages, {signatures} signatures, {len(warnings)} "
        f"warnings, {len(found)} raw constructs and dead links\n"
    )
    if code:
        sys.stdout.write(text)
    return 1 if code or found else 0


def main(arguments: list[str]) -> int:
    """Run the program."""
    tree, package, *options = arguments
    pairs = (option.split("=", 1) for option in options)
    return report(Path(tree), package, dict(pairs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
