"""Quotes that were found, remembered from one build to the next.

The record is kept with the doctrees, which all builders share. It holds as long as the files that were read are the
same, by their time and size, so that a build on which nothing has changed opens none of them.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sphinxext_heuristics.evidence.messages import in_lines, in_quote
from sphinxext_heuristics.evidence.search import verify
from sphinxext_heuristics.evidence.source import read, state
from sphinxext_heuristics.model import FORM, Found, Message

if TYPE_CHECKING:
    from pathlib import Path

    from sphinxext_heuristics.model import Evidence, Lost
    from sphinxext_heuristics.source.packages import Sources

#: The record's file among the doctrees.
FILENAME = "heuristics-evidence.json"

#: What else decides how source is read.
_READER = f"{FORM} {sys.version_info.major}.{sys.version_info.minor}"


class EvidenceCache:
    """What was found in one build.

    *folder* is where the record is kept; *sources* finds the files that Python would import.
    """

    def __init__(self, folder: Path, sources: Sources) -> None:
        """Read the record; a damaged one, or one that another version has written, is as none."""
        self._path = folder / FILENAME
        self._sources = sources
        self._before: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            match json.loads(self._path.read_text(encoding="utf-8")):
                case {"reader": reader, "found": dict(found)} if reader == _READER:
                    self._before = found

    def of(self, evidence: Evidence) -> Found | Lost:
        """Return where a quote is in the installed source, or why it was not found."""
        return self._look(evidence)[0]

    def messages(self, evidence: Evidence) -> tuple[Message, ...]:
        """Return the messages of errors and warnings that are quoted."""
        return self._look(evidence)[1]

    def _look(self, evidence: Evidence) -> tuple[Found | Lost, tuple[Message, ...]]:
        key = json.dumps([evidence.module, evidence.qualname, evidence.quote, evidence.prose])
        at = state(evidence.module, self._sources)
        now = [str(at.path), at.mtime_ns, at.size] if at else []
        known = self._now.get(key) or self._before.get(key, {})
        if at and known.get("state") == now:
            self._now[key] = known
            messages = tuple(Message(kind=kind, text=text) for kind, text in known["messages"])
            return Found(path=at.path, **known["found"]), messages
        result = verify(evidence, self._sources)
        messages = in_quote(evidence)
        # What was found has been read just now, and is not read again.
        if isinstance(result, Found) and (there := state(result.module, self._sources)):
            with suppress(OSError, ValueError, RecursionError):
                messages = in_lines(read(there).tree, result.line, result.end_line)
        # What was found in another file depends on every file that led there: it is looked up anew.
        if at and isinstance(result, Found) and result.path == at.path:
            found = {name: value for name, value in asdict(result).items() if name != "path"}
            self._now[key] = {"state": now, "found": found, "messages": [[it.kind, it.text] for it in messages]}
        return result, messages

    def save(self) -> None:
        """Keep what was found, if it is not the same as before; a folder that cannot be written keeps nothing."""
        if self._now == self._before:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Another build that reads half of it reads none.
            self._path.write_text(
                json.dumps({"reader": _READER, "found": self._now}, indent=0, sort_keys=True), "utf-8"
            )
            self._before = dict(self._now)
