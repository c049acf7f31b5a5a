"""Find out in which releases a bug was, by the source of their wheels, and write that.

    python tools/fixed.py         look at all bugs, and write what was found
    python tools/fixed.py NAME …  look at these only

What is looked for is in `docs/guides/fixed.json`, next to what was found: a release has
the bug if its files have all texts of `has` and none of `lacks`, whatever the spaces
are. A file that other releases have elsewhere is named with both paths, `|` between.
The guides show the file by the directives of `docs/_ext/fixed_bugs.py`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
DATA = ROOT / "docs/guides/fixed.json"
WHEELS = Path(os.environ.get("FIXED_WHEELS", "/tmp/fixed"))  # noqa: S108 - a cache

#: A stable release; a post-release is one.
STABLE = re.compile(r"[0-9.]+(?:\.post[0-9]+)?")


@cache
def releases(package: str) -> list[str]:
    """Return the stable releases of a package, the oldest first."""
    command = [sys.executable, "-m", "pip", "index", "versions", package]
    done = subprocess.run(  # noqa: S603 - our own command
        command, check=True, capture_output=True, text=True
    )
    found = re.search(r"^Available versions: (.*)$", done.stdout, re.MULTILINE)
    names = found[1].split(", ") if found else []
    return sorted(filter(STABLE.fullmatch, names), key=Version)


@cache
def wheel(package: str, release: str) -> ZipFile | None:
    """Return the wheel of a release, downloaded at need; None if it has none."""
    pattern = f"{package.replace('-', '_')}-{release}-*.whl"
    if not any(WHEELS.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(WHEELS)]
        subprocess.run(  # noqa: S603 - our own command
            [*command, f"{package}=={release}"], check=False
        )
    found = next(WHEELS.glob(pattern), None)
    return None if found is None else ZipFile(found)


@cache
def read(package: str, release: str, path: str) -> str:
    """Return the text of a file of a release; nothing if it has no such file."""
    archive = wheel(package, release)
    is_there = archive is not None and path in archive.namelist()
    return archive.read(path).decode() if archive and is_there else ""


def has_bug(bug: dict[str, Any], source: Callable[[str], str]) -> bool:
    """Return whether a release has the bug, of which *source* returns files."""
    for key, is_there in (("has", True), ("lacks", False)):
        for paths, text in bug.get(key, {}).items():
            found = " ".join(" ".join(map(source, paths.split("|"))).split())
            if not found or (" ".join(text.split()) in found) is not is_there:
                return False
    return True


def found_in(bug: dict[str, Any]) -> dict[str, str]:
    """Return the first and the last release with the bug, and the first without it.

    The first is nothing if all before it have the bug, or were not looked at.
    """
    known = releases(bug["package"])
    oldest = Version(bug.get("since", "0"))
    known = [it for it in known if Version(it) >= oldest]
    if "until" in bug:
        known = [it for it in known if Version(it) <= Version(bug["until"])]
    source = {it: partial(read, bug["package"], it) for it in known}
    broken = [it for it in known if has_bug(bug, source[it])]
    if not broken:
        message = f"no release has it: {bug['seen']}"
        raise ValueError(message)
    first, last = known.index(broken[0]), known.index(broken[-1])
    if known[first : last + 1] != broken:
        message = f"these have it, which is no span: {broken}: {bug['seen']}"
        raise ValueError(message)
    if last + 1 == len(known):
        message = f"the newest release has it: {bug['seen']}"
        raise ValueError(message)
    begun = broken[0] if first else ""
    return {"first": begun, "last": broken[-1], "fixed": known[last + 1]}


def pythons() -> dict[str, list[str]]:
    """Return each Python that a release of PEFT asks for, with the first and last."""
    found: dict[str, list[str]] = {}
    for release in releases("peft"):
        text = read("peft", release, f"peft-{release}.dist-info/METADATA")
        asks = re.search(r"^Requires-Python: >=(.*)", text, re.MULTILINE)
        if asks:
            found.setdefault(asks[1].removesuffix(".0"), []).append(release)
    return {python: [them[0], them[-1]] for python, them in found.items()}


def main(*names: str) -> None:
    """Look at the bugs that are named, or at all, and write what was found."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    known = json.loads(DATA.read_text(encoding="utf-8"))
    known["python"] = pythons()
    bugs = known["bugs"]
    if unknown := sorted({*names} - {*bugs}):
        sys.exit(f"{DATA} has no bug {', '.join(unknown)}")
    for name in names or bugs:
        bugs[name]["found"] = found_in(bugs[name])
        sys.stdout.write(f"{name}: {' '.join(bugs[name]['found'].values())}\n")
    text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
    DATA.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
