"""The documented version and the bounds that a heuristic sets."""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from functools import lru_cache
from importlib import metadata

from packaging.version import Version

from sphinxext_heuristics._core import model

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
    """Return the installed version of an import package, or ``None``.

    Of a namespace that several distributions share, only one that is named like the
    package counts.
    """
    return _field(package, "Version")


def distribution(package: str) -> str:
    """Return the name of the distribution that brings a package, or the package's."""
    return _field(package, "Name") or package


def _field(package: str, name: str) -> str | None:
    """Return a field of the metadata of the distribution that brings a package."""
    # Metadata that nobody has written well raises whatever it likes: not there, not
    # UTF-8, no name.
    with suppress(Exception):
        try:
            found = metadata.metadata(package.replace(".", "-"))
        except metadata.PackageNotFoundError:
            # This asks all that is installed: it is a second resort.
            top = package.partition(".")[0]
            (brought_by,) = {*metadata.packages_distributions()[top]}
            found = metadata.metadata(brought_by)
        return next(iter(found.get_all(name) or ()), None)
    return None


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
        length = len(bound.release)
        padded = (*version.release, *(0,) * length)[:length]
        return (padded > bound.release) - (padded < bound.release)
    # A development release counts as its release, so that main's documentation
    # shows what the next release will.
    if version.is_devrelease:
        version = Version(version.base_version)
    return (version > bound) - (version < bound)


def is_empty_range(since: str, until: str) -> bool:
    """Return whether no version lies within both bounds."""
    return not holds("", until, since)


def records_version(version: str) -> int:
    """Return a checksum of the records' fields and the extension's *version*.

    It changes with either, and what was stored under another one is not read: its
    fields may be others, and so may be what that version made of the same text.
    """
    records = [record for record in vars(model).values() if hasattr(record, "_fields")]
    fields = [(record.__name__, record._fields) for record in records]
    return zlib.crc32(repr((version, fields)).encode())
