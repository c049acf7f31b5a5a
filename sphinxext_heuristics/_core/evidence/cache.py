"""Where quotes are in installed source, remembered from one build to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..model import Evidence, Found, Lost, Message
    from ..source.names import State
    from ..source.packages import Sources


class Looked(NamedTuple):
    """What became of a quote."""

    result: Found | Lost
    #: The messages of errors and warnings that are quoted.
    messages: tuple[Message, ...]
    #: Each module that this depends on, with the state of its file.
    states: Mapping[str, State | None]


class EvidenceCache:
    """What became of each quote in one build, remembered for the next.

    *before* is what an earlier build has found, and *sources* finds the files that
    Python would import. A result holds as long as the files that it depends on are the
    same, by their time and size, so that a build on which nothing has changed opens
    none of them.
    """

    def __init__(self, before: Mapping[Evidence, Looked], sources: Sources) -> None:
        """Begin with what was found before."""
        self._before = before
        self._sources = sources
        #: What is found now, and plain data.
        self.now: dict[Evidence, Looked] = {}

    def of(self, evidence: Evidence) -> Found | Lost:
        """Return where a quote is in the installed source, or why it was not found."""
        return self._look(evidence).result

    def messages(self, evidence: Evidence) -> tuple[Message, ...]:
        """Return the messages of errors and warnings that are quoted."""
        return self._look(evidence).messages

    def _look(self, evidence: Evidence) -> Looked:
        looked = self.now.get(evidence) or self._before.get(evidence)
        if looked is None or self._states(looked.states) != looked.states:
            from .search import messages_of, verify  # noqa: PLC0415 - most builds look for nothing new

            self._sources.watch()
            result = verify(evidence, self._sources)
            messages = messages_of(evidence, result, self._sources)
            states = self._states(tuple(self._sources.watched))
            looked = Looked(result, messages, states)
        # What is not installed, and what else there is instead, is looked up anew.
        if looked.states.get(evidence.module) and "" not in looked.states:
            self.now[evidence] = looked
        return looked

    def _states(self, modules: Iterable[str]) -> dict[str, State | None]:
        """Map modules to the states of their files."""
        return {module: self._sources.state(module) for module in modules}
