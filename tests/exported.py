"""What a build writes for others to read: the builder ``heuristics``, a page's script."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

import sphinxext_heuristics
from sphinxext_heuristics._core.evidence.pasted import (
    Asked,
    Excerpt,
    Keyword,
    Known,
    Quoted,
    Section,
    stems,
)
from sphinxext_heuristics._core.model import Message
from sphinxext_heuristics._core.resolve.pages import Place

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from conftest import Built


def schema() -> Any:  # noqa: ANN401 - JSON
    text = (
        importlib.resources.files(sphinxext_heuristics)
        .joinpath("heuristics.schema.json")
        .read_text("utf-8")
    )
    return json.loads(text)


def data_of(built: Built) -> Any:  # noqa: ANN401 - JSON
    data = json.loads(built.read("heuristics.json"))
    Draft202012Validator(schema()).validate(data)
    return data


def asked_in(page: BeautifulSoup) -> Asked:
    """Return what a page of messages gives its script, for `answers` and `guesses`."""
    given, sections, _shared, _search = json.loads(
        page.select_one(".heuristic-paste")["data-known"]
    )
    known = [
        Known(
            title=title,
            note=note,
            messages=_quotes(messages),
            keywords=tuple(Keyword(*one) for one in keywords),
            code=_frozen(code),
            words=tuple(words),
        )
        for _uri, title, note, messages, keywords, code, words in given
    ]
    named = [
        Section(
            place=Place(uri),
            title=title,
            words=tuple(words),
            members=tuple(members),
            is_symptom=is_symptom,
            excerpts=tuple(
                Excerpt(text, tuple(dict.fromkeys(stems(text))), _quotes(messages))
                for text, messages in passages
            ),
        )
        for uri, title, words, members, is_symptom, passages in sections
    ]
    return Asked((), tuple(known), tuple(named))


def _quotes(given: list[Any]) -> tuple[Quoted, ...]:
    return tuple(Quoted(Message(*said), *rest) for said, *rest in _frozen(given))


def _frozen(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with tuples for its lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
