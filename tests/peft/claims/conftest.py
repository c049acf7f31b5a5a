"""Claims run PEFT on tiny random models: repeatable, on one thread, and offline."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

#: Without PyTorch, as in `make test-core`, there is nothing to run
#: them on.
collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what imports PEFT, and as slow all claims but the first of each heuristic that is not marked so itself."""
    seen: set[str] = set()
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.peft)
        if item.get_closest_marker("slow") is None:
            names = {mark.args[0] for mark in item.iter_markers("claim")}
            if names <= seen:
                item.add_marker(pytest.mark.slow)
            seen |= names


@pytest.fixture(autouse=True)
def _repeatable() -> Iterator[None]:
    import torch  # noqa: PLC0415 - only where the tests that need it are run

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)
