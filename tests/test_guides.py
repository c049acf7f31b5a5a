"""The Python code on the guides, explanations and heuristic pages runs as it stands, on the CPU and offline."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDES = sorted(set(ROOT.glob("docs/guides/*.md")) - {ROOT / "docs/guides/index.md"})
EXPLANATIONS = sorted(set(ROOT.glob("docs/explanations/*.md")) - {ROOT / "docs/explanations/index.md"})
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


def run(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the page's code in one namespace in a process of its own, which no state of this one can help or harm."""
    before, after = AROUND.get(page.stem, ("", ""))
    script = folder / "run_page.py"
    script.write_text(
        "namespace = {'__name__': '__main__'}\n"
        f"for name, code in {[('before', before), (str(page), code_of(page)), ('after', after)]!r}:\n"
        "    exec(compile(code, name, 'exec'), namespace)\n",
        encoding="utf-8",
    )
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HOME": str(folder / "hf")}
    return subprocess.run(  # noqa: S603 -- our own interpreter on a script written above
        [sys.executable, script.name],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("page", GUIDES + EXPLANATIONS + HEURISTICS, ids=lambda page: page.stem)
def test_code_of_page_runs(page: Path, tmp_path: Path) -> None:
    assert code_of(page).strip(), "a page without code"
    result = run(page, tmp_path)
    assert result.returncode == 0, result.stderr


def test_no_page_is_missed() -> None:
    assert [page.stem for page in GUIDES] == ["adapter-inference", "multi-adapter-management", "qlora-training"]
    assert [page.stem for page in EXPLANATIONS] == ["adapter-merging", "memory-optimization"]
    assert {page.stem for page in HEURISTICS} >= set(AROUND)


def test_traceback_points_into_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n", encoding="utf-8")
    result = run(page, tmp_path)
    assert result.returncode == 1
    assert f'File "{page}", line 8' in result.stderr
