"""Measure what the pictures of the site show, and draw them.

    python tools/pictures.py            measure, and write docs/pictures/data.json and
    the pictures beside it python tools/pictures.py draw       draw again what was
    measured

All is measured on the CPU, with small models of random weights and the installed PEFT.
Nothing is downloaded.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"

Points = list[list[float]]

# -- measure --------------------------------------------------------------------------

#: How large updates are, against the weight that they are added to.
SIZES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
RANKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
ALPHA = 16


def measure() -> dict[str, Any]:
    """Return what each picture shows, as numbers."""
    warnings.simplefilter("ignore")  # PEFT warns of what is measured here
    return {"merge-rounding": rounding(), "scale": scales(), "kbit-memory": memory()}


def rounding() -> dict[str, Points]:
    """Return, for each type of base weights, an update's size and its error in a merge.

    One LoRA layer of 256 by 256, rank 8, on random weights. The error is the distance
    of the merged weight from the exact sum of the stored weight and the update.
    """
    import bitsandbytes as bnb  # noqa: PLC0415 - drawing takes no PyTorch
    import torch  # noqa: PLC0415
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415
    from peft.utils.integrations import dequantize_module_weight  # noqa: PLC0415

    def merged(layer: Callable[[], torch.nn.Module], size: float) -> float:
        torch.manual_seed(0)
        base = torch.nn.Linear(256, 256, bias=False)
        made = layer()
        made.load_state_dict(base.state_dict())
        # Quantized layers pack their weights when they are moved.
        whole = torch.nn.Sequential(made.to("cpu"))
        whole.is_loaded_in_4bit = isinstance(made, bnb.nn.Linear4bit)
        whole.is_loaded_in_8bit = isinstance(made, bnb.nn.Linear8bitLt)
        model = get_peft_model(whole, LoraConfig(target_modules=["0"])).train()
        adapted = model.base_model.model[0]

        def weight() -> torch.Tensor:
            return (
                dequantize_module_weight(adapted.get_base_layer())
                .detach()
                .float()
                .clone()
            )

        adapted.lora_A["default"].weight.data.normal_()
        adapted.lora_B["default"].weight.data.normal_()
        before = weight()
        adapted.lora_B["default"].weight.data *= (
            size * before.norm() / adapted.get_delta_weight("default").norm()
        )
        update = adapted.get_delta_weight("default").detach().float()
        model.merge_adapter()
        return float((weight() - before - update).norm() / update.norm())

    layers: dict[str, Callable[[], torch.nn.Module]] = {
        "4 bit (NF4)": lambda: bnb.nn.Linear4bit(
            256, 256, bias=False, quant_type="nf4", compute_dtype=torch.float32
        ),
        "8 bit": lambda: bnb.nn.Linear8bitLt(
            256, 256, bias=False, has_fp16_weights=False
        ),
        "bf16": lambda: torch.nn.Linear(256, 256, bias=False, dtype=torch.bfloat16),
    }
    return {
        name: [[size, float(f"{merged(layer, size):.3g}")] for size in SIZES]
        for name, layer in layers.items()
    }


def scales() -> dict[str, Points]:
    """Return the scale of a LoRA layer for each rank, both ways."""
    import torch  # noqa: PLC0415
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415

    def scale(rank: int, *, rooted: bool) -> float:
        config = LoraConfig(
            target_modules=["0"], r=rank, lora_alpha=ALPHA, use_rslora=rooted
        )
        layer = get_peft_model(
            torch.nn.Sequential(torch.nn.Linear(8, 8)), config
        ).base_model.model[0]
        return float(f"{layer.scaling['default']:.6g}")

    return {
        "lora_alpha / √r (use_rslora)": [
            [rank, scale(rank, rooted=True)] for rank in RANKS
        ],
        "lora_alpha / r": [[rank, scale(rank, rooted=False)] for rank in RANKS],
    }


def memory() -> dict[str, dict[str, list[int]]]:
    """Return, for each type of base, the bytes of its parts before and after."""
    import tempfile  # noqa: PLC0415

    import torch  # noqa: PLC0415
    from peft import prepare_model_for_kbit_training  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        AutoModelForCausalLM,
        BitsAndBytesConfig,
        LlamaConfig,
        LlamaForCausalLM,
    )

    shape = LlamaConfig(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
    )
    ways = {
        "4 bit": {"quantization_config": BitsAndBytesConfig(load_in_4bit=True)},
        "8 bit": {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)},
        "bf16, not quantized": {},
    }

    def parts(model: torch.nn.Module) -> list[int]:
        sizes = [0, 0]
        for name, parameter in model.named_parameters():
            sizes["proj" not in name] += parameter.numel() * parameter.element_size()
        return sizes

    found: dict[str, dict[str, list[int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        LlamaForCausalLM(shape).to(torch.bfloat16).save_pretrained(folder)
        for name, options in ways.items():
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.bfloat16, **options
            )
            before = parts(model)
            found[name] = {
                "before": before,
                "after": parts(prepare_model_for_kbit_training(model)),
            }
    return found


# -- draw -----------------------------------------------------------------------------

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 16, 48

#: Colours that are readable on light and on dark; lines differ in their dashes, too.
COLOURS = ("#c2571a", "#3b82c4", "#2e8b57")
DASHES = ("", "7 4", "2 3")

#: Text takes the colour of the page that a picture is in. As a file of its own it has
#: that of the system.
STYLE = (
    "<style>@media (prefers-color-scheme: dark) { svg:root { color: #ddd } }</style>"
)


def svg(alt: str, parts: Iterable[str], height: int = HEIGHT) -> str:
    """Return a picture of its parts."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
        f'{height}" role="img" aria-label="{escape(alt)}" '
        'font-family="sans-serif" font-size="13" fill="currentColor">'
    )
    return "\n".join([head, STYLE, *parts, "</svg>\n"])


def text(x: float, y: float, said: str, anchor: str = "middle", **more: object) -> str:
    """Return a text at a place."""
    also = "".join(f' {key}="{value}"' for key, value in more.items())
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" '
        f'text-anchor="{anchor}"{also}>{escape(said)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, *, faint: bool) -> str:
    """Return a line of an axis or, a faint one, of the grid."""
    opacity = 0.15 if faint else 0.6
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="currentColor" '
        f'stroke-opacity="{opacity}"/>'
    )


def short(number: float) -> str:
    """Return a number as an axis has it."""
    return f"{number:g}"


def curves(
    alt: str,
    data: dict[str, Points],
    axes: tuple[str, str],
    ticks: Sequence[Sequence[float]],
) -> str:
    """Return curves on two logarithmic axes, each with its name at its end."""
    (x_ticks, y_ticks), (x_name, y_name) = ticks, axes

    def along(value: float, marks: Sequence[float], start: float, end: float) -> float:
        share = math.log(value / marks[0]) / math.log(marks[-1] / marks[0])
        return start + share * (end - start)

    def x(value: float) -> float:
        return along(value, x_ticks, LEFT, WIDTH - RIGHT)

    def y(value: float) -> float:
        return along(value, y_ticks, HEIGHT - BOTTOM, TOP)

    parts = []
    for mark in x_ticks:
        parts += [line(x(mark), TOP, x(mark), y(y_ticks[0]), faint=mark != x_ticks[0])]
        parts += [text(x(mark), HEIGHT - BOTTOM + 18, short(mark))]
    for mark in y_ticks:
        parts += [line(LEFT, y(mark), WIDTH - RIGHT, y(mark), faint=mark != y_ticks[0])]
        parts += [text(LEFT - 8, y(mark) + 4, short(mark), "end")]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_name))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(14, middle, y_name, transform=f"rotate(-90 14 {middle:.1f})"))
    for (name, points), colour, dash in zip(
        data.items(), COLOURS, DASHES, strict=False
    ):
        path = "L".join(f"{x(at):.1f} {y(value):.1f}" for at, value in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<path d="M{path}" fill="none" stroke="{colour}" '
            f'stroke-width="2.5"{dashed}/>'
        )
        parts += [
            f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>'
            for at, value in points
        ]
        for row, words in enumerate(name.split(" (")):
            said = f"({words}" if row else words
            parts.append(
                text(WIDTH - RIGHT + 10, y(points[-1][1]) + 4 + 15 * row, said, "start")
            )
    return svg(alt, parts)


def bars(alt: str, data: dict[str, dict[str, list[int]]], kinds: Sequence[str]) -> str:
    """Return pairs of bars, each of two parts, with their sums in kB."""
    rows = [
        (name, when, sizes)
        for name, pair in data.items()
        for when, sizes in pair.items()
    ]
    left, most, height, y = 190, max(sum(sizes) for _name, _when, sizes in rows), 22, 0
    scale = (WIDTH - left - 70) / most
    parts = []
    for at, kind in enumerate(kinds):
        parts.append(
            f'<rect x="{left + at * 200}" y="8" width="12" height="12" '
            f'fill="{COLOURS[at]}"/>'
        )
        parts.append(text(left + at * 200 + 18, 19, kind, "start"))
    for at, (name, when, sizes) in enumerate(rows):
        y = 38 + at * (height + 8) + at // 2 * 20
        begin = float(left)
        for colour, size in zip(COLOURS, sizes, strict=False):
            parts.append(
                f'<rect x="{begin:.1f}" y="{y}" width="{size * scale:.1f}" '
                f'height="{height}" fill="{colour}"/>'
            )
            begin += size * scale
        parts.append(
            text(
                left - 8, y + 16, f"{name}, {when}" if when == "before" else when, "end"
            )
        )
        parts.append(text(begin + 6, y + 16, f"{sum(sizes) / 1000:.0f} kB", "start"))
    return svg(alt, parts, y + height + 8)


def draw(data: dict[str, Any]) -> dict[str, str]:
    """Return each picture's name and text."""
    return {
        "merge-rounding": curves(
            "Error of a merge against the size of the adapter's update, for "
            "weights in 4 bit, 8 bit and bf16. "
            "The smaller the update, the larger the error is in comparison.",
            data["merge-rounding"],
            ("size of the update / size of the weight", "error / size of the update"),
            ((0.001, 0.01, 0.1, 1), (0.001, 0.01, 0.1, 1, 10)),
        ),
        "scale": curves(
            f"Scale of a LoRA layer against its rank, with lora_alpha = "
            f"{ALPHA}. It falls from 16 to 0.06 if "
            "it is divided by r, and to 1 if it is divided by the root of r.",
            data["scale"],
            ("rank r", "scale"),
            (RANKS, (0.0625, 0.25, 1, 4, 16)),
        ),
        "kbit-memory": bars(
            "Memory of a small model before and after "
            "prepare_model_for_kbit_training. Embeddings, head and norms "
            "double; so does everything in a model that is not quantized.",
            data["kbit-memory"],
            ("linear layers", "embeddings, head, norms"),
        ),
    }


def main(arguments: list[str]) -> int:
    """Measure, unless only drawing is asked for, and write."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "data.json"
    data = (
        json.loads(path.read_text(encoding="utf-8"))
        if arguments == ["draw"]
        else measure()
    )
    path.write_text(
        json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    for name, picture in draw(data).items():
        (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
