"""Claims run PEFT on tiny random models: repeatable, on one thread, and offline."""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

#: Without PyTorch, as in `make test-core`, there is nothing to run
#: them on.
collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]


@pytest.hookimpl(tryfirst=True)  # before pytest selects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all claims: they import PEFT, and change with it or with its pages alone."""
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.peft)
        item.add_marker(pytest.mark.slow)
        # PEFT, transformers and bitsandbytes warn of much; where a warning is the claim,
        # or that there is none, the test catches it.
        item.add_marker(pytest.mark.filterwarnings("ignore"))
        # `-k NAME` selects what a heuristic claims
        item.extra_keyword_matches |= {
            mark.args[0] for mark in item.iter_markers("claim")
        }


@pytest.fixture(autouse=True)
def _repeatable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import torch  # noqa: PLC0415 - only where the tests that need it are run

    # BOFT tries to compile an extension for CUDA, and would keep it at home.
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path / "extensions"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """Collect what transformers logs, which it passes on by itself only where CI is set."""
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    return caplog


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the tiny Llama."""
    from claims.models import llama  # noqa: PLC0415 - as above

    folder = tmp_path_factory.mktemp("base")
    llama().save_pretrained(folder)
    return folder


@pytest.fixture
def quantized(base_folder: Path) -> Callable[..., nn.Module]:
    """Return what loads the tiny Llama in 4 or 8 bit.

    It is in training mode: in evaluation mode, a call makes bitsandbytes repack weights
    in 4 bit for the CPU, and a merge reads them as if they were not repacked.
    """
    import torch  # noqa: PLC0415 - as above
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig  # noqa: PLC0415

    def load(
        bits: int = 4, dtype: torch.dtype = torch.float32, **options: object
    ) -> nn.Module:
        stored = BitsAndBytesConfig(
            **{f"load_in_{bits}bit": True, "bnb_4bit_compute_dtype": dtype} | options
        )
        return AutoModelForCausalLM.from_pretrained(
            base_folder, quantization_config=stored, dtype=dtype
        ).train()

    return load


@pytest.fixture
def one_process() -> Iterator[None]:
    """Make this process a group of its own."""
    import torch.distributed as dist  # noqa: PLC0415 - as above

    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()
