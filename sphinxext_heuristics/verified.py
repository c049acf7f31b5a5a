"""Quotes that were found in installed source, remembered from one build to the next.

The record lies with the doctrees, which all builders share. What it says holds as long as the files that were
read are the same, by their time and size, so that a build on which nothing has changed opens none of them.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sphinxext_heuristics.evidence import Claim, Found, State, scope, state, verify
from sphinxext_heuristics.messages import Message, in_quote, in_source
from sphinxext_heuristics.model import FORM

if TYPE_CHECKING:
    from pathlib import Path

    from sphinxext_heuristics.evidence import Lost
    from sphinxext_heuristics.model import Evidence
    from sphinxext_heuristics.source.names import Sources

#: The record's file among the doctrees.
FILENAME = "heuristics-evidence.json"

#: What else decides how source is read.
_READER = f"{FORM} {sys.version_info.major}.{sys.version_info.minor}"


class Verified:
    """What was found in one build.

    *folder* is where the record lies, ``None`` for no record; *sources* finds the files that Python would import.
    """

    def __init__(self, folder: Path | None, sources: Sources, reader: str = "") -> None:
        """Read the record; one that is not there, or that another *reader* has written, tells nothing."""
        self._path = folder / FILENAME if folder else None
        self._sources = sources
        self._reader = f"{_READER} {reader}".strip()
        self._before = self._read()
        self._now: dict[str, dict[str, Any]] = {}

    def _read(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            record = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        is_ours = isinstance(record, dict) and record.get("reader") == self._reader
        found = record.get("found") if is_ours else None
        return found if isinstance(found, dict) else {}

    def of(self, evidence: Evidence) -> Found | Lost:
        """Return where a quote stands in the installed source, or why it was not found."""
        return self._look(evidence)[0]

    def messages(self, evidence: Evidence) -> tuple[Message, ...]:
        """Return the messages of errors and warnings that are quoted."""
        return self._look(evidence)[1]

    def _look(self, evidence: Evidence) -> tuple[Found | Lost, tuple[Message, ...]]:
        key = json.dumps([evidence.module, evidence.qualname, evidence.quote, evidence.prose])
        now = state(evidence.module, self._sources)
        if now and (remembered := _remembered(self._now.get(key) or self._before.get(key), now)):
            self._now[key] = _plain(*remembered, now)
            return remembered
        claim = Claim(module=evidence.module, qualname=evidence.qualname, quote=evidence.quote, prose=evidence.prose)
        result = verify(claim, self._sources)
        messages = self._messages(evidence, result)
        # What was found elsewhere depends on every file that led there: it is looked up anew.
        if now is not None and isinstance(result, Found) and result.path == now.path:
            self._now[key] = _plain(result, messages, now)
        return result, messages

    def _messages(self, evidence: Evidence, result: Found | Lost) -> tuple[Message, ...]:
        # What was found has been read just now, and is not read again.
        if isinstance(result, Found) and (at := state(result.module, self._sources)):
            with suppress(OSError, ValueError):
                source = scope.cached(at.path, at.mtime_ns, at.size)
                return in_source(evidence, source, result.line, result.end_line)
        return in_quote(evidence)

    def save(self) -> None:
        """Keep what was found, if it is something else than before; a folder that cannot be written keeps nothing."""
        if self._path is None or self._now == self._before:
            return
        record = {"reader": self._reader, "found": self._now}
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Another build may read it at any time.
            scratch = self._path.with_name(f".{FILENAME}.{os.getpid()}")
            scratch.write_text(json.dumps(record, indent=0, sort_keys=True), encoding="utf-8")
            scratch.replace(self._path)
            self._before = dict(self._now)


def _plain(found: Found, messages: tuple[Message, ...], now: State) -> dict[str, Any]:
    return {
        "path": str(now.path),
        "mtime_ns": now.mtime_ns,
        "size": now.size,
        "line": found.line,
        "end_line": found.end_line,
        "module": found.module,
        "qualname": found.qualname,
        "messages": [[message.kind, message.text] for message in messages],
    }


def _remembered(kept: Any, now: State) -> tuple[Found, tuple[Message, ...]] | None:  # noqa: ANN401 - what a file held
    """Return what the record says of a file, if that is the same still."""
    if not isinstance(kept, dict):
        return None
    with suppress(KeyError, TypeError, ValueError):
        found = Found(
            path=now.path,
            line=kept["line"],
            end_line=kept["end_line"],
            module=kept["module"],
            qualname=kept["qualname"],
        )
        messages = tuple(Message(kind=kind, text=text) for kind, text in kept["messages"])
        return (found, messages) if _plain(found, messages, now) == kept else None
    return None
