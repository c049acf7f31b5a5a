"""What the builder ``heuristics`` writes for others to read."""

from __future__ import annotations

import importlib.resources
import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

import sphinxext_heuristics

if TYPE_CHECKING:
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
