"""The box's own script, run in this process on what a build has written, or on items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from py_mini_racer import MiniRacer

import sphinxext_heuristics.ask.data as written

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What finds the answers.
SCRIPT = Path(written.__file__).with_name("static") / "heuristics-ask.js"

#: Where a build writes what answers.
DATA = Path("_static", written.DATA)

_ASK = """(text) => JSON.stringify(heuristicsAsk.ask(index, text).map((answer) => ({
  at: heuristicsTexts.items.indexOf(answer.item),
  title: answer.item.title,
  uri: answer.item.uri,
  is_known: answer.isKnown,
  messages: answer.messages.map(({ text, how }) => [text, how]),
  code: answer.code,
  passage: answer.passage,
})))"""


class Answer(NamedTuple):
    """What a box shows of one item."""

    at: int
    title: str
    uri: str
    is_known: bool
    #: Each message that the text has, and where it is from.
    messages: list[list[str]]
    code: list[str]
    passage: list[Any] | None


class Box:
    """A box on the data of a site; a context manager, which frees the engine."""

    def __init__(self, data: str, script: str = "") -> None:
        self._js = MiniRacer()
        # what an evaluation gives would be kept
        self._js.eval(f"{script or SCRIPT.read_text(encoding='utf-8')};null")
        self._js.eval(f"{data};null")
        build = "heuristicsAsk.build(heuristicsTexts, heuristicsTexts.stemmer)"
        self._js.eval(f"globalThis.index = {build};null")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_of: object) -> None:
        self._js.close()

    def items(self) -> list[dict[str, Any]]:
        """Return what answers."""
        found = self._js.eval("JSON.stringify(heuristicsTexts.items)")
        return list(json.loads(str(found)))

    def search(self) -> str:
        """Return the page of the site's search."""
        return str(self._js.eval("heuristicsTexts.search"))

    def ask(self, text: str) -> list[Answer]:
        """Return what answers a text, in its order."""
        # a pattern that never ends is stopped
        found = self._js.eval(f"({_ASK})({json.dumps(text)})", timeout_sec=60)
        return [Answer(**one) for one in json.loads(str(found))]


def item(title: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an item as the data have it: a heuristic, without a severity a section."""
    fields = ("keywords", "messages", "code", "passages", "outputs")
    given = {"uri": f"{title}.html#it", "title": title, "severity": "tip", "note": ""}
    return given | {field: [] for field in fields} | more


def data_of(items: Iterable[dict[str, Any]], *stop: str) -> str:
    """Return the script of a site whose words are as they are; some say nothing."""
    data = json.dumps({"items": [*items], "stop": stop})
    stemmer = "{ stemWord: (word) => word }"
    return (
        f"globalThis.heuristicsTexts = {data};\nheuristicsTexts.stemmer = {stemmer};\n"
    )
