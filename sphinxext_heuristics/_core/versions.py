"""The documented version and the bounds that a heuristic sets."""

from __future__ import annotations

import re
import sys
import zlib
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.version import Version

from . import model, problems

#: A bound without a pre- or post-release is a prefix of the versions it includes.
_RELEASE = re.compile(r"v?\d+(\.\d+)*", re.IGNORECASE)


@lru_cache(maxsize=1024)
def parse(text: str) -> Version | None:
    """Return a version as PEP 440 reads it, or ``None``."""
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of more digits than Python reads
        return None


def installed(package: str) -> str | None:
    """Return the installed version of an import package, or ``None``."""
    # Metadata that nobody has written well raises whatever it likes: not there, not
    # UTF-8, no version.
    with suppress(Exception):
        return metadata.version(distribution(package))
    return None


def distribution(package: str) -> str:
    """Return the name of the installed distribution that brings a package, or ``""``.

    Of a namespace that several distributions share, only one that is named like the
    package counts.
    """
    name = package.replace(".", "-")
    if not name or any(metadata.distributions(name=name)):
        return name
    top = package.partition(".")[0]
    found = {dist.name for dist in metadata.distributions() if _brings(dist, top)}
    return found.pop() if len(found) == 1 else ""


def is_another(project: str, package: str) -> bool:
    """Return whether conf.py's project is a distribution that lacks the package."""
    own = distribution(package)
    is_installed = bool(project) and any(metadata.distributions(name=project))
    return is_installed and _normalized(project) != _normalized(own)


def _normalized(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it.

    ``packaging.utils`` does this too, and takes a tenth of what all of ours takes to be
    imported.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _brings(found: metadata.Distribution, top: str) -> bool:
    """Return whether a distribution brings a module or package of the top level.

    Lists of files are looked through as text, and only those beside what they would
    have to name: to parse them all, as ``packages_distributions`` does, takes a hundred
    times as long.
    """
    with suppress(OSError, ValueError):
        declared = found.read_text("top_level.txt")
        if declared is not None:
            return top in declared.split()
        places = (found.locate_file(name) for name in (top, f"{top}.py"))
        if not any(Path(str(place)).exists() for place in places):
            return False
        files = found.read_text("RECORD") or ""
        return bool(re.search(rf"^{re.escape(top)}[/.]", files, re.MULTILINE))
    return False


def holds(since: str, until: str, version: str) -> bool:
    """Return whether *version* lies within the bounds, the empty ones being none.

    A bound or version that cannot be read does not exclude.
    """
    current, low, high = map(parse, (version, since, until))
    if current is None:
        return True
    is_early = low is not None and _compare(current, low, since) < 0
    is_late = high is not None and _compare(current, high, until) > 0
    return not (is_early or is_late)


def _compare(version: Version, bound: Version, text: str) -> int:
    """Return -1, 0 or 1 as *version* is before, within or after *bound*."""
    if _RELEASE.fullmatch(text.strip()):
        prefix = version.release[: len(bound.release)]
        version = Version(".".join(map(str, prefix)))
    # A development release counts as its release, so that main's documentation
    # shows what the next release will.
    elif version.is_devrelease:
        version = Version(version.base_version)
    return (version > bound) - (version < bound)


def is_empty_range(since: str, until: str) -> bool:
    """Return whether no version lies within both bounds."""
    return not holds("", until, since)


def records_version(version: str) -> int:
    """Return a checksum of the records' fields, the extension's *version* and Python's.

    It changes with each, and what was stored under another one is not read: its fields
    may be others, and so may be what that version made of the same text.
    """
    known = [*vars(model).values(), *vars(problems).values()]
    records = [record for record in known if hasattr(record, "_fields")]
    fields = [(record.__name__, record._fields) for record in records]
    return zlib.crc32(repr((version, sys.version_info, fields)).encode())
