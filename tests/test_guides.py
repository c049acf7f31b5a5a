"""Python code on guides, explanations, environment and heuristic pages runs as it stands, on the CPU and offline."""

from __future__ import annotations

import multiprocessing
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext

ROOT = Path(__file__).parent.parent
GUIDES = sorted(set(ROOT.glob("docs/guides/*.md")) - {ROOT / "docs/guides/index.md"})
EXPLANATIONS = sorted(set(ROOT.glob("docs/explanations/*.md")) - {ROOT / "docs/explanations/index.md"})
ENVIRONMENTS = sorted(set(ROOT.glob("docs/environments/*.md")) - {ROOT / "docs/environments/index.md"})
HEURISTICS = sorted(ROOT.glob("heuristics/huggingface_peft_*.md"))

#: Makes the base model that a heuristic page takes for granted, because a reader comes with one.
TINY_BASE = """
import torch
from transformers import LlamaConfig, LlamaForCausalLM
LlamaForCausalLM(LlamaConfig(
    vocab_size=128, hidden_size=64, intermediate_size=128, num_hidden_layers=1, num_attention_heads=4,
)).to(torch.bfloat16).save_pretrained("base")
base = "base"
"""

#: For a page: what it takes for granted, and what must be true after its code ran.
AROUND = {
    "huggingface_peft_Gradient_Checkpointing": (
        TINY_BASE
        + """
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
model = AutoModelForCausalLM.from_pretrained(base, quantization_config=BitsAndBytesConfig(load_in_4bit=True))
""",
        "assert model.is_gradient_checkpointing",
    ),
    "huggingface_peft_Quantized_Merge_Rounding": (
        TINY_BASE
        + """
from peft import LoraConfig, get_peft_model
adapter = "adapter"
get_peft_model(LlamaForCausalLM.from_pretrained(base), LoraConfig(task_type="CAUSAL_LM")).save_pretrained(adapter)
""",
        "assert type(merged) is LlamaForCausalLM",
    ),
    "huggingface_peft_4bit_Defensive_Clone": (
        "",
        """
layer = ShiftedLinear(bnb.nn.Linear4bit(8, 8, compute_dtype=torch.float32).to("cpu"))
layer(torch.ones(2, 8)).sum().backward()
assert layer.shift.grad.tolist() == [2.0] * 8
""",
    ),
    "huggingface_peft_DoRA_Mixed_Batch_Limitation": (
        "",
        """
try:
    model(rows, adapter_names=wanted)
except ValueError as error:
    assert str(error) == "Cannot pass `adapter_names` when DoRA is enabled."
else:
    raise AssertionError("DoRA was mixed: the page is out of date")
""",
    ),
    "huggingface_peft_Safe_Merge_NaN_Check": (
        "",
        "assert hasattr(model, 'peft_config'), 'a broken adapter was merged'",
    ),
}

FENCE = re.compile(r"^```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)


def code_of(page: Path) -> str:
    """Return the page with everything blanked but the code, so that a traceback's line is the page's line."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    blocks = list(FENCE.finditer(text))
    assert len(blocks) == len(re.findall("```py", text)), f"{page.name}: a fence that would not be run"
    for block in blocks:
        start = text.count("\n", 0, block.start("code"))
        code = block["code"].splitlines()
        lines[start : start + len(code)] = code
    return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of a page's code."""

    status: int | None
    stderr: str


def in_child(parts: list[tuple[str, str]], folder: Path) -> None:
    """Run code in one namespace in *folder*, stdout and stderr into files there; the process ends with its status."""
    os.chdir(folder)
    for name, stream in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(f"{name}.txt", os.O_WRONLY | os.O_CREAT), stream)
    namespace = {"__name__": "__main__"}
    for name, code in parts:
        exec(compile(code, name, "exec"), namespace)  # noqa: S102 - it is what the page tells readers to do


@pytest.fixture(scope="session", name="python")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServerContext]:
    """Yield what starts processes in which the libraries are imported and nothing was done with them yet."""
    # What they read as they are imported; the server is started by the first process that it forks.
    offline = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (offline | {"HF_HOME": str(tmp_path_factory.mktemp("hf"))}).items():
            patch.setenv(name, value)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["torch", "transformers", "bitsandbytes", "peft", __name__])
        yield context


def run(page: Path, folder: Path, python: ForkServerContext) -> Ran:
    """Run the page's code in a process of its own, which no state of this one can help or harm."""
    before, after = AROUND.get(page.stem, ("", ""))
    process = python.Process(
        target=in_child, args=([("before", before), (str(page), code_of(page)), ("after", after)], folder)
    )
    process.start()
    process.join(timeout=300)
    process.kill()
    return Ran(status=process.exitcode, stderr=(folder / "stderr.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", GUIDES + EXPLANATIONS + ENVIRONMENTS + HEURISTICS, ids=lambda page: page.stem)
def test_code_of_page_runs(page: Path, tmp_path: Path, python: ForkServerContext) -> None:
    assert code_of(page).strip(), "a page without code"
    result = run(page, tmp_path, python)
    assert result.status == 0, result.stderr


def test_no_page_is_missed() -> None:
    assert [page.stem for page in GUIDES] == [
        "adapter-hotswapping",
        "adapter-inference",
        "lora-training",
        "multi-adapter-management",
        "qlora-training",
        "saving-and-loading",
    ]
    assert [page.stem for page in EXPLANATIONS] == [
        "adapter-checkpoints",
        "adapter-merging",
        "low-rank-adaptation",
        "memory-optimization",
        "mixed-batches",
    ]
    assert [page.stem for page in ENVIRONMENTS] == ["bitsandbytes", "deepspeed", "quantization-backends"]
    assert len(HEURISTICS) >= 30
    assert {page.stem for page in HEURISTICS} >= set(AROUND)


def test_traceback_points_into_the_page(tmp_path: Path, python: ForkServerContext) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n", encoding="utf-8")
    result = run(page, tmp_path, python)
    assert result.status == 1
    assert f'File "{page}", line 8' in result.stderr
