"""What the source says of names, remembered from one build to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .names import State
    from .packages import Sources


class Answer(NamedTuple):
    """What the source said to one question."""

    result: Any
    #: Each module that this depends on: whether Python finds it, and its file's state.
    modules: Mapping[str, tuple[bool, State | None]]


class Answers:
    """The answers of `Sources` about names, as long as no file has changed.

    *before* has those of an earlier build. A build on which nothing has changed opens
    no file for them.
    """

    def __init__(
        self, before: Mapping[tuple[str, str], Answer], sources: Sources
    ) -> None:
        """Begin with what was asked before."""
        self._before = before
        self._sources = sources
        #: What was asked now, and plain data.
        self.now: dict[tuple[str, str], Answer] = {}

    def lineage(self, dotted: str) -> tuple[str, ...]:
        """Return the names of an object by identity."""
        return cast("tuple[str, ...]", self._ask("lineage", dotted))

    def aliases(self, dotted: str) -> tuple[str, ...]:
        """Return the names of an object: where defined, where re-exported."""
        return cast("tuple[str, ...]", self._ask("aliases", dotted))

    def bases(self, dotted: str) -> tuple[str, ...]:
        """Return the names of the bases of a class, and of theirs."""
        return cast("tuple[str, ...]", self._ask("bases", dotted))

    def _ask(self, question: str, dotted: str) -> object:
        key = question, dotted
        if key not in self.now:
            answer = self._before.get(key)
            if answer is None or self._modules(answer.modules) != answer.modules:
                self._sources.watch()
                result = getattr(self._sources, question)(dotted)
                answer = Answer(result, self._modules(tuple(self._sources.watched)))
            self.now[key] = answer
        return self.now[key].result

    def _modules(self, names: Iterable[str]) -> dict[str, tuple[bool, State | None]]:
        """Map modules to whether there are such, and the states of their files."""
        sources = self._sources
        return {name: (sources.exists(name), sources.state(name)) for name in names}
