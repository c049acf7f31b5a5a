"""The documented version and the bounds that a heuristic sets."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib import metadata

from packaging.version import Version

#: What the metadata of a distribution may raise that nobody has written well: not there, not UTF-8, no name.
_UNREADABLE = (metadata.PackageNotFoundError, ValueError, KeyError, TypeError, AttributeError, OSError)

#: A bound without a pre- or post-release is a prefix of the versions it includes.
_RELEASE = re.compile(r"v?\d+(\.\d+)*", re.IGNORECASE)


def parse(text: str) -> Version | None:
    """Return a version as PEP 440 reads it, or ``None``."""
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of more digits than Python reads
        return None


def installed(package: str) -> str | None:
    """Return the installed version of an import package, or ``None``.

    Of a namespace that several distributions share, only one that is named like the package counts.
    """
    found = _bringing(package)
    return _field(found, "Version") if found else None


def distribution(package: str) -> str:
    """Return the name of the distribution that brings an import package; that of the package where none is known."""
    found = _bringing(package)
    return (found and _field(found, "Name")) or package


def _bringing(package: str) -> metadata.Distribution | None:
    """Return the distribution that brings an import package, if it is one."""
    with suppress(*_UNREADABLE):
        return metadata.distribution(package.replace(".", "-"))
    # This asks all that is installed: it is a second resort.
    with suppress(*_UNREADABLE):
        (name,) = {*metadata.packages_distributions().get(package.partition(".")[0], ())}
        return metadata.distribution(name)
    return None


def _field(one: metadata.Distribution, name: str) -> str | None:
    """Return a field of a distribution's metadata, ``None`` where it is not there or cannot be read."""
    with suppress(*_UNREADABLE):
        if name in (fields := one.metadata):
            return fields[name]
    return None


def holds(since: str, until: str, version: str) -> bool:
    """Return whether *version* lies within the bounds, the empty ones being none.

    A bound or version that cannot be read does not exclude.
    """
    current = parse(version)
    if current is None:
        return True
    low, high = parse(since), parse(until)
    return not (
        (low is not None and _compare(current, low, since) < 0)
        or (high is not None and _compare(current, high, until) > 0)
    )


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
    low, high = parse(since), parse(until)
    if low is None or high is None:
        return False
    if _RELEASE.fullmatch(until.strip()):
        return _compare(low, high, until) > 0
    return low > high
