"""What the source of packages says, remembered from one build to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from .names import State
    from .packages import Sources

T = TypeVar("T")


class Remembered(NamedTuple):
    """What the source said to one question."""

    result: Any
    #: Each module that this depends on: whether Python finds it, and its file's state.
    modules: Mapping[str, tuple[bool, State | None]]


class Answers:
    """What the source says, as long as no file has changed, by its time and size.

    *before* has the answers of an earlier build. A build on which nothing has changed
    opens no file for them.
    """

    def __init__(self, before: Mapping[Hashable, Remembered], sources: Sources) -> None:
        """Begin with what was asked before."""
        self._before = before
        self._sources = sources
        #: What was asked now, and plain data.
        self.now: dict[Hashable, Remembered] = {}

    def ask(self, question: Hashable, find: Callable[[Sources], T]) -> T:
        """Return the answer to a question, which *find* finds if it is not known."""
        if question not in self.now:
            answer = self._before.get(question)
            if answer is None or not self._holds(answer):
                self._sources.forget_and_watch()
                result = find(self._sources)
                answer = Remembered(result, self._modules(tuple(self._sources.watched)))
            self.now[question] = answer
        return cast("T", self.now[question].result)

    def lineage(self, dotted: str) -> tuple[str, ...]:
        """Return the names of an object by identity."""
        return self.ask(("lineage", dotted), lambda sources: sources.lineage(dotted))

    def aliases(self, dotted: str) -> tuple[str, ...]:
        """Return the names of an object: where defined, where re-exported."""
        return self.ask(("aliases", dotted), lambda sources: sources.aliases(dotted))

    def bases(self, dotted: str) -> tuple[str, ...]:
        """Return the names of the bases of a class, and of theirs."""
        return self.ask(("bases", dotted), lambda sources: sources.bases(dotted))

    def _holds(self, answer: Remembered) -> bool:
        # Which modules there are is looked up anew.
        is_known = "" not in answer.modules
        return is_known and self._modules(answer.modules) == answer.modules

    def _modules(self, names: Iterable[str]) -> dict[str, tuple[bool, State | None]]:
        """Map modules to whether there are such, and the states of their files."""
        sources = self._sources
        return {name: (sources.exists(name), sources.state(name)) for name in names}
