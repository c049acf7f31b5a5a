"""Python code on guides, explanations, environment and heuristic pages runs as pasted, on the CPU and offline."""

from __future__ import annotations

import multiprocessing
import os
import re
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from pages import PAGES, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

# the code of pages changes with PEFT or with the pages alone
pytestmark = [pytest.mark.peft, pytest.mark.slow]

FOLDERS = ("environments", "explanations", "guides")
DOCS = [
    page
    for page in sorted(ROOT.glob("docs/*/*.md"))
    if page.parent.name in FOLDERS and page.stem != "index"
]
PRELUDES = ROOT / "tests/peft/preludes"

#: For a page: what must be true after its code ran.
AFTER = {
    "huggingface_peft_4bit_Defensive_Clone": """
ShiftedLinear.forward = forward
layer = ShiftedLinear(bnb.nn.Linear4bit(8, 8, compute_dtype=torch.float32).to("cpu"))
layer(torch.ones(2, 8)).sum().backward()
assert layer.shift.grad.tolist() == [2.0] * 8
""",
    "huggingface_peft_Offloaded_Base_Overwritten": """
weights = "base/model.safetensors"
before = load_file(weights)
try:
    PeftModel.from_pretrained(offloaded_model, "adapter")
except NotImplementedError:
    pass
assert not load_file(weights).keys() & before.keys(), "the page is out of date"
restore(weights)
after = load_file(weights)
assert after.keys() == before.keys()
assert all(torch.equal(after[name], before[name]) for name in before)
""",
    "huggingface_peft_DoRA_Mixed_Batch_Limitation": """
try:
    model(rows, adapter_names=wanted)
except ValueError as error:
    assert str(error) == "Cannot pass `adapter_names` when DoRA is enabled."
else:
    raise AssertionError("DoRA was mixed: the page is out of date")
""",
}

FENCE = re.compile(r"^```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)

#: Whatever else opens a block of Python, in any of MyST's ways.
OPENING = re.compile(
    r"^\s*(?:`{3,}|~{3,}|:{3,})[ ]*(?:\{(?:code|code-block|sourcecode)\}[ ]*)?(?:py|ipython)",
    re.MULTILINE,
)


def code_of(page: Path) -> str:
    """Return the page with everything blanked but the code, so that a traceback's line is the page's line."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    blocks = list(FENCE.finditer(text))
    assert len(blocks) == len(OPENING.findall(text)), (
        f"{page.name}: a fence that would not be run"
    )
    for block in blocks:
        start = text.count("\n", 0, block.start("code"))
        code = block["code"].splitlines()
        lines[start : start + len(code)] = code
    return "\n".join(lines)


def in_child(parts: list[tuple[str, str]], folder: Path) -> None:
    """Run code in one namespace and an empty folder, its output into files beside that; the status is the process's."""
    for name, stream in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(folder / f"{name}.txt", os.O_WRONLY | os.O_CREAT), stream)
    empty = folder / "empty"
    empty.mkdir()
    os.chdir(empty)
    namespace = {"__name__": "__main__"}
    for name, code in parts:
        exec(compile(code, name, "exec"), namespace)  # noqa: S102 - it is what the page tells readers to do


@pytest.fixture(scope="session", name="python")
def fresh_python(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ForkServerContext]:
    """Yield what starts processes in which the libraries are imported and nothing was done with them yet."""
    # What they read as they are imported; the server is started by the first process
    # that it forks.
    offline = {
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            offline | {"HF_HOME": str(tmp_path_factory.mktemp("hf"))}
        ).items():
            patch.setenv(name, value)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(
            ["torch", "transformers", "bitsandbytes", "peft", __name__]
        )
        yield context


def prelude_of(page: Path) -> list[tuple[str, str]]:
    """Return the code that defines what a heuristic's page takes for granted: for all, and for this one; a guide takes nothing."""
    if page not in PAGES.values():
        return []
    name = page.stem.removeprefix(PREFIX)
    paths = [PRELUDES / "common.py", PRELUDES / f"{name}.py"]
    return [(str(path), path.read_text("utf-8")) for path in paths if path.is_file()]


def run(page: Path, folder: Path, python: ForkServerContext) -> tuple[int | None, str]:
    """Run the page's code in a process of its own, which no state of this one can help or harm, and return its status and errors."""
    code = [(str(page), code_of(page)), ("after", AFTER.get(page.stem, ""))]
    parts = prelude_of(page) + code
    process = python.Process(target=in_child, args=(parts, folder))
    process.start()
    process.join(timeout=300)
    process.kill()
    return process.exitcode, (folder / "stderr.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*DOCS, *PAGES.values()], ids=lambda page: page.stem)
def test_code_of_page_runs(
    page: Path, tmp_path: Path, python: ForkServerContext
) -> None:
    """Run all that a reader would paste, one block after the other."""
    assert code_of(page).strip(), "a page without code"
    status, stderr = run(page, tmp_path, python)
    assert status == 0, stderr


def test_what_must_be_true_afterwards_is_of_a_page() -> None:
    assert {*AFTER} <= {page.stem for page in (*DOCS, *PAGES.values())}


def test_traceback_points_into_the_page(
    tmp_path: Path, python: ForkServerContext
) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\n```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n",
        encoding="utf-8",
    )
    status, stderr = run(page, tmp_path, python)
    assert status == 1
    assert f'File "{page}", line 8' in stderr
