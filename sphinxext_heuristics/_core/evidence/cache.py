"""What was found in installed source, from one build to the next."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sphinxext_heuristics._core.model import Found, Message
from sphinxext_heuristics._core.versions import form

if TYPE_CHECKING:
    from pathlib import Path

    from sphinxext_heuristics._core.model import Evidence, Lost
    from sphinxext_heuristics._core.source.packages import Sources

#: The record's file among the doctrees.
FILENAME = "heuristics-evidence.json"


class EvidenceCache:
    """What was found in one build, remembered for the next.

    *folder* is where the record is kept: with the doctrees, which all builders share.
    *sources* finds the files that Python would import. The record holds as long as the
    files that were read are the same, by their time and size, so that a build on which
    nothing has changed opens none of them. *version* is that of the extension: another
    one, or another Python, may read the same source differently.
    """

    def __init__(self, folder: Path, sources: Sources, version: str) -> None:
        """Read the record; a damaged one, or another version's, is as none."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        self._reader = f"{form(version)} {python}"
        self._path = folder / FILENAME
        self._sources = sources
        self._before: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            match json.loads(self._path.read_text(encoding="utf-8")):
                case {"reader": reader, "found": dict(found)} if reader == self._reader:
                    self._before = found

    def of(self, evidence: Evidence) -> Found | Lost:
        """Return where a quote is in the installed source, or why it was not found."""
        return self._look(evidence)[0]

    def messages(self, evidence: Evidence) -> tuple[Message, ...]:
        """Return the messages of errors and warnings that are quoted."""
        return self._look(evidence)[1]

    def _look(self, evidence: Evidence) -> tuple[Found | Lost, tuple[Message, ...]]:
        key = json.dumps(
            [evidence.module, evidence.qualname, evidence.quote, evidence.prose]
        )
        at = self._sources.state(evidence.module)
        now = [str(at.path), at.mtime_ns, at.size] if at else []
        known = self._now.get(key) or self._before.get(key, {})
        if at and known.get("state") == now:
            self._now[key] = known
            messages = tuple(
                Message(kind=kind, text=text) for kind, text in known["messages"]
            )
            return Found(path=at.path, **known["found"]), messages
        from sphinxext_heuristics._core.evidence.search import said, verify  # noqa: PLC0415 - most builds look for nothing new

        result = verify(evidence, self._sources)
        messages = said(evidence, result, self._sources)
        # What was found in another file depends on every file that led there: it is
        # looked up anew.
        if at and isinstance(result, Found) and result.path == at.path:
            found = {
                name: value
                for name, value in result._asdict().items()
                if name != "path"
            }
            self._now[key] = {
                "state": now,
                "found": found,
                "messages": [[it.kind, it.text] for it in messages],
            }
        return result, messages

    def save(self) -> None:
        """Keep what was found, if it is not the same as before; a folder that cannot be written keeps nothing."""
        if self._now == self._before:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Another build that reads half of it reads none.
            self._path.write_text(
                json.dumps(
                    {"reader": self._reader, "found": self._now},
                    indent=0,
                    sort_keys=True,
                ),
                "utf-8",
            )
            self._before = dict(self._now)
