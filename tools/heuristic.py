"""Begin a heuristic of PEFT: its page, and the test that proves what it claims.

    make heuristic NAME=Merge_Before_Export

Both say what goes where, and fail until they are filled in.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Words that begin with a capital letter or a digit, with `_` between them.
NAME = re.compile(r"[A-Z0-9][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")

PAGE = """\
````{{heuristic}} {name}
:title: What to do, as an imperative that one reads at a glance
:note: "One or two sentences: what goes wrong and when, then what to do"
:impl: ~peft.LoraConfig, ~peft.PeftModel.load_adapter
:workflow: LoRA_Training
:category: Training
:keywords: what people write who have the problem, words that the note does not have
:messages: An error, whole, that hardly anything else raises; one a line below a `|`
:severity: note
:weight: 1

% Workflow is a page of docs/guides, its name with _, and category one or two of those
% in docs/conf.py. Leave out options that you do not need.
%
% danger: a file or a result is lost, silently. caution: the result is wrong or training
% has no effect, silently. warning: an error that does not say what to do, or wasted
% hours. note: an error that says it all, or good to know. tip: faster or simpler.
%
% weight is your judgement, from 0 (a rare case) to 4 (nearly every reader meets it);
% what is silent is reported less than it happens.
%
% Then at most a sentence, and a pair of some eight lines and 42 columns, for phones.
% Names such as model are those of tests/peft/preludes/common.py; what else it needs
% goes into a file with the heuristic's name beside that.

```python
# wrong: what happens
model = get_peft_model(base_model, config)

# right
model = get_peft_model(base_model, config)
```
````

# Why

At most three sentences, and what proves them: whole statements of PEFT, or, with the
flag `:text:` below the first line, words of a docstring, a comment or a message. What
is apart is two quotes:

:::{{evidence}} peft.tuners.lora.layer:Linear.merge
the lines that it quotes
:::

# Limits

- What it does not cover.
"""

TEST = '''\
"""What the heuristic {name} claims."""

from __future__ import annotations

import pytest
from peft import LoraConfig, get_peft_model

from claims.models import claim, llama


@claim("{name}")
def test_{test}() -> None:
    """Show what goes wrong without the advice, and what the advice changes.

    By outputs, files or gradients of a tiny random model of `claims/models.py`.
    """
    model = get_peft_model(llama(), LoraConfig(target_modules=["q_proj"]))
    pytest.fail(f"not written yet, for {{type(model).__name__}}")
'''


def begin(name: str, root: Path = ROOT) -> list[Path]:
    """Write the page and the test of a heuristic, and return their paths.

    Raises
    ------
    ValueError
        If that is no name, or one of the files is there.

    """
    if not NAME.fullmatch(name):
        message = (
            f"{name!r} is no name of a heuristic: write words with _ between them, "
            "such as NAME=Merge_Before_Export"
        )
        raise ValueError(message)
    test = name.lower()
    texts = {
        root / f"heuristics/huggingface_peft_{name}.md": PAGE.format(name=name),
        root / f"tests/peft/claims/test_{test}.py": TEST.format(name=name, test=test),
    }
    for path in texts:
        folded = path.name.lower()
        for other in path.parent.iterdir():
            if other.name.lower() == folded:
                message = f"{other.relative_to(root)} is there already"
                raise ValueError(message)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return [*texts]


def main(name: str = "") -> str | None:
    """Begin a heuristic; return what is wrong with its name."""
    try:
        paths = begin(name)
    except ValueError as error:
        return f"make: {error}"
    for path in paths:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    sys.stdout.write("Fill in both, then: make renew, make html, and the test\n")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
