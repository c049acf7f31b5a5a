"""What stands in an output folder: a digest of what we showed on each page written.

The record lies with the output, since that is what it tells about: another builder, or
the same one into another folder, has its own, and a folder that was wiped has none.
"""

from __future__ import annotations

import json
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
        self._key = f"{builder} {version}".strip()
        self._all = self._read()

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            records = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(records, dict):
            return {}
        return {builder: record for builder, record in records.items() if isinstance(record, dict)}

    def stale(self, digests: Mapping[str, str]) -> list[str]:
        """Return the documents that show something else now than when written.

        Without a record, as after an interrupted build, all may.
        """
        written = self._all.get(self._key)
        if written is None:
            return sorted(digests)
        return sorted(docname for docname, digest in digests.items() if written.get(docname, "") != digest)

    def forget(self) -> None:
        """Take the record away while pages are written: a killed build leaves none."""
        self._path.unlink(missing_ok=True)

    def save(self, digests: Mapping[str, str], written: Iterable[str]) -> None:
        """Keep what is written now; pages left alone keep what they had."""
        for key in [key for key in self._all if key.partition(" ")[0] == self._builder and key != self._key]:
            del self._all[key]
        if self._key not in self._all:
            # What stands on the pages that this build left alone, nobody knows.
            self._all[self._key] = dict.fromkeys(digests, UNKNOWN)
        record = self._all[self._key]
        record.update({name: digests.get(name, "") for name in written})
        for docname in [d for d, digest in record.items() if d not in digests or not digest]:
            del record[docname]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._all, indent=0, sort_keys=True)
        self._path.write_text(text, encoding="utf-8")
