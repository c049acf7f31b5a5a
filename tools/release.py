"""Check that a release is complete, and build what is published.

    python tools/release.py check [TAG]     exit code 1 if something is missing, each
    thing on a line python tools/release.py build FOLDER    the source distribution and
    the wheel python tools/release.py try             a site with README's example, from
    the installed extension

The project's addresses are set in one place, `[project.urls]` in pyproject.toml.
Nothing is published without them. Once they are set, `build` makes README's relative
links absolute in what it builds, because a package index shows README away from the
repository. The file in the repository stays as it is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]

#: The entries of `[project.urls]` without which nothing is published. README's links
#: begin with `Source`.
URLS = ("Source", "Documentation", "Issues", "Changelog")

#: The pages that say how to install: once there is a release, from the package index.
INSTALL_PAGES = ("README.md", "docs/manual/get-started.md", "docs/manual/docbuilder.md")

_INSTALL = re.compile(r"pip install ['\"]?sphinxext-heuristics\b")
_VERSION = re.compile(r'^__version__ = "(?P<version>.+)"$', re.MULTILINE)
#: Code, in a line or in a block, or the target of a link or an image that is neither
#: absolute nor on the same page.
_CODE_OR_LINK = re.compile(
    r"(?<!`)(?P<code>`+)(?!`).*?(?<!`)(?P=code)(?!`)"
    r"|(?P<image>!\[[^][]*)?\]\((?!#|[a-z][a-z0-9+.-]*:)(?P<path>[^\s)]+)",
    re.DOTALL,
)


def read(name: str, root: Path = ROOT) -> str:
    """Return the text of a file of the repository."""
    return (root / name).read_text(encoding="utf-8")


def version() -> str:
    """Return the version of the package, without importing it."""
    found = _VERSION.search(read("sphinxext_heuristics/__init__.py"))
    if found is None:
        sys.exit("release: sphinxext_heuristics/__init__.py has no __version__")
    return found["version"]


def urls() -> dict[str, str]:
    """Return the project's addresses: label → URL."""
    return dict(tomllib.loads(read("pyproject.toml"))["project"].get("urls", {}))


def section(name: str) -> tuple[str, str] | None:
    """Return a section of CHANGELOG.md, the rest of its heading first, or None."""
    pattern = rf"^## \[{re.escape(name)}\](?P<rest>.*)\n(?P<text>(?:(?!## ).*\n?)*)"
    found = re.search(pattern, read("CHANGELOG.md"), re.MULTILINE)
    return found and (found["rest"], found["text"].strip())


def missing(tag: str | None) -> list[str]:
    """Return what is in the way of a release; *tag* starts it, if there is one."""
    found, current, addresses = [], version(), urls()
    if tag is not None and tag != f"v{current}":
        found.append(
            f"the tag is {tag!r}, but __version__ is {current!r}; the tag of "
            f"this version is 'v{current}'"
        )

    entries = section(current)
    if entries is None or not entries[1]:
        found.append(
            f"CHANGELOG.md has no entries for {current}; move those of "
            f"[Unreleased] to '## [{current}] - YYYY-MM-DD'"
        )
    elif not re.fullmatch(r" - \d{4}-\d\d-\d\d", entries[0]):
        found.append(
            f"CHANGELOG.md: section [{current}] has no date; write '## "
            f"[{current}] - YYYY-MM-DD'"
        )
    unreleased = section("Unreleased")
    if unreleased is not None and unreleased[1]:
        found.append(
            f"CHANGELOG.md: [Unreleased] is not empty; move its entries to [{current}]"
        )

    unset = [label for label in URLS if label not in addresses]
    if unset:
        found.append(
            f"pyproject.toml: [project.urls] has no {', '.join(unset)}; see "
            f"'Publish' in CONTRIBUTING.md"
        )
    for label, url in addresses.items():
        parts = urlsplit(url)
        if parts.scheme != "https" or "." not in parts.netloc:
            found.append(
                f"pyproject.toml: [project.urls] {label} is {url!r}; use an "
                f"address that begins with https://"
            )

    found += [
        f"{name} does not say how to install a release; write `pip install "
        f"sphinxext-heuristics`"
        for name in INSTALL_PAGES
        if not _INSTALL.search(read(name))
    ]
    return found


def absolute(text: str, source: str, ref: str) -> str:
    """Return Markdown whose relative links lead to *ref* of the repository *source*."""

    def link(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        view = "raw" if found["image"] else "blob"
        return (
            f"{found['image'] or ''}]({source.rstrip('/')}/{view}/{ref}/{found['path']}"
        )

    return _CODE_OR_LINK.sub(link, text)


def build(target: Path) -> None:
    """Write the source distribution and the wheel to a folder.

    Both are built from an unpacked source distribution, so that the published one is
    known to be enough.
    """
    source = urls().get("Source")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run_build("--sdist", "--outdir", str(folder), str(ROOT))
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            # the oldest releases of Python 3.11 have no filters; this is an archive of
            # our own
            tar.extraction_filter = getattr(
                tarfile, "data_filter", lambda member, _path: member
            )
            tar.extractall(folder)  # noqa: S202 - see above
        tree = folder / archive.name.removesuffix(".tar.gz")
        if source:
            readme = tree / "README.md"
            readme.write_text(
                absolute(readme.read_text(encoding="utf-8"), source, f"v{version()}"),
                encoding="utf-8",
            )
        else:
            print(
                "release: [project.urls] in pyproject.toml has no Source: "
                "README's links stay relative",
                flush=True,
            )
        _run_build("--outdir", str(target.resolve()), str(tree))


#: What README's example documents, and the pages around it: path → text.
_EXAMPLE = {
    "yourpackage.py": 'class Session:\n    """Talk to the server."""\n',
    "docs/index.md": "# Example\n\n```{toctree}\n:glob:\n\napi\nheuristics/*\n```\n",
    "docs/api.md": "# API\n\n```{eval-rst}\n.. automodule:: yourpackage\n   "
    ":members:\n```\n",
}


def try_example() -> None:
    """Build README's example, and see whether the API entry shows the heuristic.

    This Python's extension is used, as it is installed.
    """
    readme = read("README.md")
    conf = re.search(
        r"^```python\n(?P<text>extensions = .*?)^```$", readme, re.MULTILINE | re.DOTALL
    )
    page = re.search(
        r"^````md\n(?P<text>```\{heuristic\} (?P<name>\w+)\n.*?)^````$",
        readme,
        re.MULTILINE | re.DOTALL,
    )
    if conf is None or page is None:
        sys.exit("release: README.md has no example with a conf.py and a heuristic")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = {
            "docs/conf.py": conf["text"],
            f"docs/heuristics/{page['name']}.md": page["text"],
        }
        for path, text in (_EXAMPLE | pages).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "docs", "html"]
        search = os.pathsep.join(filter(None, [name, os.environ.get("PYTHONPATH")]))
        subprocess.run(  # noqa: S603 - see above
            command, check=True, cwd=folder, env=os.environ | {"PYTHONPATH": search}
        )
        if f"heuristics/{page['name']}.html" not in (
            folder / "html" / "api.html"
        ).read_text(encoding="utf-8"):
            sys.exit(
                f"release: the API entry of README's example does not show "
                f"{page['name']}"
            )


def _run_build(*arguments: str) -> None:
    # without isolation: with the flit_core that constraints/ pins, and without a
    # network
    command = [sys.executable, "-m", "build", "--no-isolation", *arguments]
    subprocess.run(command, check=True)  # noqa: S603 - the arguments are this file's


def main(arguments: list[str]) -> int:
    """Run one of the commands; return the exit code."""
    match arguments:
        case ["check", *tags] if len(tags) <= 1:
            found = missing(*tags or [None])
            for message in found:
                print(f"release: {message}", file=sys.stderr)
            print(
                f"release: {version()} "
                f"{'cannot be published' if found else 'is complete'}",
                flush=True,
            )
            return 1 if found else 0
        case ["build", folder]:
            build(Path(folder))
            return 0
        case ["try"]:
            try_example()
            print("release: README's example builds")
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
