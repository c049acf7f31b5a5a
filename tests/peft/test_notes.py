"""What an API reader sees of a heuristic is its note: the arguments that it names exist."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache

import peft
import pytest
import transformers
from pages import PAGES, object_of, option, reach
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel

# notes change with the pages alone, and what they name with PEFT
pytestmark = [pytest.mark.peft, pytest.mark.slow]

#: What notes speak of beside the entries that show them.
OTHERS = (
    transformers.BitsAndBytesConfig,
    transformers.GenerationMixin.generate,
    transformers.TrainingArguments,
    DistributedDataParallel,
    FullyShardedDataParallel,
    *(its for name, its in vars(peft).items() if name[0].isupper()),
)

_CALL = re.compile(r"[\w.]+\(.*\)")


def parameters(obj: object) -> set[str]:
    try:
        return {*inspect.signature(obj).parameters}  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return set()


@cache
def everything() -> set[str]:
    """Return every parameter that a note may name."""
    entries = {entry for _name, entry in reach()}
    return set[str]().union(*map(parameters, [*map(object_of, entries), *OTHERS]))


def arguments(note: str) -> set[str]:
    """Return the arguments that a note gives, alone or in a call."""
    found = set()
    for word in re.findall(r"`([^`]+)`", note):
        if _CALL.fullmatch(word):
            call = ast.parse(word, mode="eval").body
            assert isinstance(call, ast.Call)
            found |= {it.arg for it in call.keywords if it.arg}
        elif assigned := re.match(r"(\w+)=", word):
            found.add(assigned[1])
    return found


@pytest.mark.parametrize("name", PAGES)
def test_each_argument_exists(name: str) -> None:
    told = f"{option(name, 'title')} {option(name, 'note')}"
    assert arguments(told) - everything() == set()
