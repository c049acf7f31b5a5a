"""Try which releases of PEFT and transformers fit together, and write what was found.

    python tools/fitting.py PEFT[,PEFT …] TRANSFORMERS[,TRANSFORMERS …]
    python tools/fitting.py        print the table of what was tried

Each pair is tried in a process of its own, with the wheels of both in front of what is
installed. What is written, `tests/peft/fitting.json`, is the source of the table of
`Versions_That_Fit`; a pair that was tried before is tried again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import PathDistribution, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).parents[1] / "tests/peft/fitting.json"
WHEELS = Path(os.environ.get("FITTING_WHEELS", "/tmp/fitting"))  # noqa: S108 - a cache

#: Those of transformers' own requirements that depend on its release.
WITH_IT = ("huggingface-hub", "numpy", "tokenizers")

#: What a pair must do: each step prints its name when it is done.
TRIED = """
import sys, tempfile, warnings
warnings.simplefilter("ignore")
import torch, transformers
transformers.logging.set_verbosity_error()
import peft
print("import")
from transformers import LlamaConfig, LlamaForCausalLM

def base():
    torch.manual_seed(0)
    sizes = dict(vocab_size=64, hidden_size=16, intermediate_size=32)
    sizes |= dict(num_hidden_layers=2, num_attention_heads=2)
    return LlamaForCausalLM(LlamaConfig(**sizes)).eval()

def trained(config):
    model = peft.get_peft_model(base(), config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.3 * torch.randn_like(parameter)
    return model.eval()

ids = torch.arange(3, 19).reshape(2, 8)
model = trained(peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"]))
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    again = peft.PeftModel.from_pretrained(base(), folder)
with torch.no_grad():
    assert torch.allclose(again(ids).logits, model(ids).logits, atol=1e-5)
    assert not torch.allclose(base()(ids).logits, model(ids).logits, atol=1e-3)
print("lora")

options = dict(task_type="CAUSAL_LM", num_virtual_tokens=4)
for kind in (peft.PromptTuningConfig, peft.PrefixTuningConfig):
    model = trained(kind(**options))
    text = ids
    for _ in range(4):
        with torch.no_grad():
            last = model(input_ids=text, attention_mask=torch.ones_like(text)).logits
        text = torch.cat([text, last[:, -1].argmax(-1, keepdim=True)], dim=1)
    fixed = dict(max_new_tokens=4, do_sample=False, pad_token_id=0, eos_token_id=None)
    made = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **fixed)
    assert torch.equal(made, text), f"{kind.__name__} generates other tokens"
print("prompts")
"""


def installed(package: str, release: str) -> Path:
    """Return the folder of a release, with what depends on it, installed at need."""
    folder = WHEELS / f"{package}-{release}"
    if not folder.is_dir():
        pip_into(folder, "--no-deps", f"{package}=={release}")
        (info,) = folder.glob(f"{package}-*.dist-info")
        needs = PathDistribution(info).requires or []
        own = [need for need in needs if need.startswith(WITH_IT) and ";" not in need]
        if package == "transformers":
            pip_into(folder, *own)
    return folder


def pip_into(folder: Path, *given: str) -> None:
    """Install requirements into a folder."""
    command = [sys.executable, "-m", "pip", "install", "--quiet"]
    command += ["--target", str(folder), *given]
    subprocess.run(command, check=True)  # noqa: S603 - our own command


def tried(peft: str, transformers: str) -> dict[str, str]:
    """Return what a pair can do, and the error that stopped it."""
    folders = [installed("peft", peft), installed("transformers", transformers)]
    path = os.pathsep.join(map(str, folders))
    offline = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": path}
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", TRIED],
        env=os.environ | offline,
        capture_output=True,
        text=True,
        check=False,
    )
    steps = " ".join(
        re.findall(r"^(?:import|lora|prompts)$", done.stdout, re.MULTILINE)
    )
    found = {"works": steps}
    if done.returncode:
        found["error"] = errors_in(done.stderr)
    return found


def errors_in(log: str) -> str:
    """Return the last error of a traceback, without this machine's paths."""
    lines = re.findall(r"^\w+(?:Error|Exception)\b.*", log, re.MULTILINE)
    if not lines:
        return "no error was printed"
    return re.sub(r" \(/.*?\)", "", lines[-1])[:200]


def ordered(releases: Iterable[str]) -> list[str]:
    """Return releases, the oldest first."""
    return sorted(releases, key=lambda it: [int(part) for part in it.split(".")])


def span(found: dict[str, dict[str, str]], step: str) -> str:
    """Return from which to which release a step works, of those that were tried."""
    tried_ones = ordered(found)
    works = [it for it in tried_ones if step in found[it]["works"].split()]
    if not works:
        return "none"
    first, last = tried_ones.index(works[0]), tried_ones.index(works[-1])
    if tried_ones[first : last + 1] != works:
        message = f"{step} works in {works} of {tried_ones}: that is no span"
        raise ValueError(message)
    return f"{works[0]} to {works[-1]}"


def table(pairs: dict[str, dict[str, dict[str, str]]]) -> str:
    """Return the table of the page: a row for PEFT's releases that are alike."""
    rows: dict[tuple[str, str], list[str]] = {}
    for peft in ordered(pairs):
        spans = span(pairs[peft], "lora"), span(pairs[peft], "prompts")
        rows.setdefault(spans, []).append(peft)
    lines = ["| PEFT | import, LoRA | `generate` with a soft prompt |"]
    lines.append("| --- | --- | --- |")
    for (lora, prompts), pefts in rows.items():
        lines.append(f"| {', '.join(pefts)} | {lora} | {prompts} |")
    return "\n".join(lines)


def main(pefts: str, transformers: str) -> None:
    """Try all pairs of the releases that are named, and write what was found."""
    known = json.loads(DATA.read_text(encoding="utf-8")) if DATA.is_file() else {}
    known["with"] = {name: version(name) for name in ("torch", "accelerate")}
    known["with"]["python"] = ".".join(map(str, sys.version_info[:2]))
    pairs = known.setdefault("pairs", {})
    for peft in pefts.split(","):
        for release in transformers.split(","):
            found = tried(peft, release)
            pairs.setdefault(peft, {})[release] = found
            sys.stdout.write(f"{peft} {release} {found}\n")
            sys.stdout.flush()
            DATA.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:]:
        main(*sys.argv[1:])
    else:
        sys.stdout.write(table(json.loads(DATA.read_text("utf-8"))["pairs"]) + "\n")
