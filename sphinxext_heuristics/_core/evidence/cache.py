"""Where quotes are in installed source, remembered from one build to the next."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model import Found, Lost, LostReason, Message
from ..versions import records_version

if TYPE_CHECKING:
    from ..model import Evidence
    from ..source.packages import Sources

#: The record's file among the doctrees.
FILENAME = "heuristics-evidence.json"


class EvidenceCache:
    """What became of each quote in one build, remembered for the next.

    *folder* is where the record is kept: with the doctrees, which all builders share.
    *sources* finds the files that Python would import. A result holds as long as the
    files that it depends on are the same, by their time and size, so that a build on
    which nothing has changed opens none of them. *version* is that of the extension:
    another one, or another Python, may read the same source differently.
    """

    def __init__(self, folder: Path, sources: Sources, version: str) -> None:
        """Read the record; a damaged one, or another version's, is as none."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        self._reader = f"{records_version(version)} {python}"
        self._path = folder / FILENAME
        self._sources = sources
        self._before: dict[str, Any] = {}
        self._now: dict[str, Any] = {}
        self._text = ""
        with suppress(OSError, ValueError):
            self._text = self._path.read_text(encoding="utf-8")
            match json.loads(self._text):
                case {"reader": self._reader, "quotes": dict(quotes)}:
                    self._before = quotes

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
        known = self._now.get(key) or self._before.get(key, {})
        if self._is_current(known):
            self._now[key] = known
            messages = tuple(Message(*message) for message in known["messages"])
            return _result_of(known), messages
        from .search import messages_of, verify  # noqa: PLC0415 - most builds look for nothing new

        self._sources.watch()
        result = verify(evidence, self._sources)
        messages = messages_of(evidence, result, self._sources)
        states = {name: self._state(name) for name in sorted(self._sources.watched)}
        # What is not installed, and what else there is instead, is looked up anew.
        if states.get(evidence.module) and "" not in states:
            self._now[key] = {
                "states": states,
                "is_found": isinstance(result, Found),
                "result": list(result),
                "messages": messages,
            }
        return result, messages

    def _is_current(self, known: dict[str, Any]) -> bool:
        """Return whether the files that a result depends on are as they were."""
        states = known.get("states") or {}
        are_same = [self._state(module) == state for module, state in states.items()]
        return bool(states) and all(are_same)

    def _state(self, module: str) -> list[Any] | None:
        """Return the state of a module's file as the record has it."""
        at = self._sources.state(module)
        return [str(at.path), at.mtime_ns, at.size] if at else None

    def save(self) -> None:
        """Keep what was found, if it is not the same as before.

        A folder that cannot be written keeps nothing.
        """
        record = {"reader": self._reader, "quotes": self._now}
        text = json.dumps(record, indent=0, sort_keys=True, default=str)
        if text == self._text:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Another build that reads half of it reads none.
            self._path.write_text(text, "utf-8")
            self._text = text


def _result_of(known: dict[str, Any]) -> Found | Lost:
    """Return the result that a record was made of."""
    if known["is_found"]:
        path, *rest = known["result"]
        return Found(Path(path), *rest)
    reason, message, nearest, path, line = known["result"]
    return Lost(LostReason(reason), message, nearest, path and Path(path), line)
