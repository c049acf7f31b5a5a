"""Where quotes are in installed source, looked for if no earlier build has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..model import Evidence, Found, Lost, Message
    from ..source.answers import Answers
    from ..source.packages import Sources

#: What became of a quote, and the messages of errors and warnings in it.
Looked: TypeAlias = "tuple[Found | Lost, tuple[Message, ...]]"


def verify(answers: Answers, evidence: Evidence) -> Found | Lost:
    """Return where a quote is in the installed source, or why it was not found."""
    result, _messages = answers.ask(evidence, partial(_look, evidence))
    return result


def messages(answers: Answers, evidence: Evidence) -> tuple[Message, ...]:
    """Return the messages of errors and warnings that are quoted."""
    _result, found = answers.ask(evidence, partial(_look, evidence))
    return found


def _look(evidence: Evidence, sources: Sources) -> Looked:
    from . import search  # noqa: PLC0415 - most builds look for nothing new

    result = search.verify(evidence, sources)
    return result, search.messages_of(evidence, result, sources)
