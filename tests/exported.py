"""What a build writes for others to read: the builder ``heuristics``, a page's script."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

import sphinxext_heuristics
from sphinxext_heuristics._core.evidence.pasted import Known, keyword, quoted
from sphinxext_heuristics._core.model import Message

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


def known_in(page: BeautifulSoup) -> list[Known]:
    """Return what a page of messages gives its script, for `answers` and `searched`."""
    given, _noise, _search = json.loads(
        page.select_one(".heuristic-paste")["data-known"]
    )
    return [
        Known(
            title=title,
            note=note,
            messages=tuple(quoted(Message(*said)) for said, _pieces in messages),
            keywords=tuple(keyword(text) for text, *_ in keywords),
        )
        for _uri, title, note, messages, keywords in given
    ]
