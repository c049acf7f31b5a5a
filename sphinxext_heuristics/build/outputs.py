"""What stands in an output folder: a digest of what we showed on each page written.

The record lies with the output, since that is what it tells about: another builder, or
the same one into another folder, has its own, and a folder that was wiped has none.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: The record's file in the output folder.
FILENAME = ".heuristics.json"

#: What stands for the digest of a page that is not known, and is that of none.
UNKNOWN = "?"


class OutputRecord:
    """The record of one builder in one output folder."""

    def __init__(self, outdir: Path, builder: str, version: str = "") -> None:
        """Read the record; one that is not there or not ours tells nothing.

        *version* is that of the extension, of which another may show the same otherwise.
        """
        self._path = outdir / FILENAME
        self._builder = builder
        # No document has an empty name.
        self._version = {"": version}
        self._all: dict[str, dict[str, str]] = {}
        with suppress(OSError, ValueError, AttributeError, TypeError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            self._all = {name: dict(record) for name, record in found.items()}

    def _written(self) -> dict[str, str] | None:
        record = self._all.get(self._builder, {})
        return record if self._version.items() <= record.items() else None

    def stale(self, digests: Mapping[str, str]) -> list[str]:
        """Return the documents that show something else now than when written.

        Without a record, as after an interrupted build, all may.
        """
        written = self._written()
        return sorted(name for name, digest in digests.items() if written is None or written.get(name, "") != digest)

    def forget(self) -> None:
        """Take the record away while pages are written: a killed build leaves none."""
        self._path.unlink(missing_ok=True)

    def save(self, digests: Mapping[str, str], written: Iterable[str]) -> None:
        """Keep what is written now; pages left alone keep what they had, which may be unknown."""
        before = self._written()
        record = dict.fromkeys(digests, UNKNOWN) if before is None else before
        record |= {name: digests.get(name, "") for name in written}
        kept = {name: digest for name, digest in record.items() if digest and name in digests}
        self._all[self._builder] = kept | self._version
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._all, indent=0, sort_keys=True), encoding="utf-8")
