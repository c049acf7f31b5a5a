"""What the benchmark measured, as tables and a picture of the manual; drawing takes no measuring."""

from __future__ import annotations

import json
import re
import runpy
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).parents[2]
#: A script beside the package; an extension of the site has the same name.
pictures = SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "pictures.py")))

DATA = ROOT / "docs" / "pictures" / "benchmark.json"
PICTURE = DATA.with_suffix(".svg")
PAGE = ROOT / "docs" / "manual" / "internals.md"
#: What is between these lines of the page is written here.
BEGIN, END = "% measured: begin\n", "% measured: end\n"

#: The size under which is kept what depends on none.
ANY = "any"
TITLES = {
    "clean": "clean build",
    "nothing": "nothing changed",
    "note": "a note edited",
    "title": "a title edited",
    "retarget": "moved to another entry",
    "delete": "a heuristic deleted",
}
FORMS = {"hand": "by hand", "ours": "this extension", "needs": "sphinx-needs"}
#: Operation → size → the most that this extension may take, by hand being 1.
BOUNDS = {
    "clean": {"10x120": 1.08, "1000x1000": 0.60, "5000x2000": 0.58},
    "nothing": {"10x120": 1.13, "200x1000": 1.15, "1000x1000": 1.25, "5000x2000": 1.7},
    "note": {"200x1000": 1.0, "1000x1000": 0.95, "5000x2000": 1.05},
}
#: The most that importing the extension may add, importing Sphinx and MyST being 1.
IMPORT_BOUND = 0.05
IMPORTS = {
    "extension": "`import sphinxext_heuristics`",
    "build": "all that a build imports in which nothing changed",
}

Data = dict[str, Any]


def as_json(data: Data) -> str:
    """Return the data as text, each list on one line."""
    text = json.dumps(data, ensure_ascii=False, indent=1)
    return (
        re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text)
        + "\n"
    )


# -- numbers --------------------------------------------------------------------------


def sizes(data: Data) -> list[str]:
    """Return the sizes that were measured, small ones first, those without an index last."""

    def order(size: str) -> tuple[bool, list[int]]:
        return size.endswith("-no-index"), [
            int(number) for number in re.findall(r"\d+", size)
        ]

    return sorted((size for size in data["sizes"] if size != ANY), key=order)


def size_words(size: str) -> str:
    """Return a size as readers see it."""
    heuristics, entries = (f"{int(number):,}" for number in re.findall(r"\d+", size))
    return f"{heuristics} × {entries}" + (
        ", no index" if size.endswith("-no-index") else ""
    )


def medians(data: Data, size: str, operation: str) -> dict[str, float]:
    """Return the median of each form or way; nothing if it was not measured."""
    costs = data["sizes"].get(size, {}).get(operation, {}).get("user", {})
    return {form: statistics.median(users) for form, users in costs.items()}


def ratio(data: Data, size: str, operation: str) -> float | None:
    """Return what this extension takes, by hand being 1."""
    found = medians(data, size, operation)
    return found["ours"] / found["hand"] if {"ours", "hand"} <= found.keys() else None


def share(data: Data, size: str, operation: str) -> str:
    """Return what this extension takes as it is printed, with its bound; nothing if it was not measured."""
    value = ratio(data, size, operation)
    return "" if value is None else judged(value, BOUNDS.get(operation, {}).get(size))


def peak(data: Data, size: str) -> str:
    """Return the share of memory of a clean build as it is printed; nothing if it was not measured."""
    found = data["sizes"][size].get("clean", {}).get("peak", {})
    return (
        f"{found['ours'] / found['hand']:.2f}"
        if {"ours", "hand"} <= found.keys()
        else ""
    )


def added(data: Data, way: str) -> float | None:
    """Return what an import adds, Sphinx and MyST being 1."""
    found = medians(data, ANY, "import")
    return (found[way] - found["base"]) / found["base"] if found else None


def judged(value: float, bound: float | None) -> str:
    """Return a ratio with its bound, and whether it keeps to it."""
    if bound is None:
        return f"{value:.2f}"
    # as it is printed: no reader can check more
    return f"{value:.2f} (≤ {bound:.2f} {'✓' if round(value, 2) <= bound else '✗'})"


# -- words ----------------------------------------------------------------------------


def told(data: Data, size: str, operation: str) -> str:
    """Return a result as one line."""
    found = medians(data, size, operation)
    said = [f"{FORMS[form]} {user:.2f} s" for form, user in found.items()]
    if value := share(data, size, operation):
        said.append(f"ratio {value}")
    return ", ".join(said)


def imports(data: Data) -> list[str]:
    """Return what the imports add, a line each."""
    base = medians(data, ANY, "import")
    return [
        f"- {words}: {judged(value, IMPORT_BOUND)}, {(base[way] - base['base']) * 1000:.0f} ms"
        for way, words in IMPORTS.items()
        if (value := added(data, way)) is not None
    ]


def misses(data: Data) -> list[str]:
    """Return each bound that is not kept, as a line."""
    said = []
    for operation, bounds in BOUNDS.items():
        for size, bound in bounds.items():
            value = ratio(data, size, operation)
            if value is not None and round(value, 2) > bound:
                said.append(
                    f"- {TITLES[operation]}, {size_words(size)}: {value:.2f}, the bound is {bound:.2f}"
                )
    for way, words in IMPORTS.items():
        value = added(data, way)
        if value is not None and round(value, 2) > IMPORT_BOUND:
            said.append(
                f"- import, {words}: {value:.2f}, the bound is {IMPORT_BOUND:.2f}"
            )
    return said


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; all columns after the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def tables(data: Data) -> str:
    """Return the ratios and imports, in Markdown; `benchmark.json` has the rest."""
    measured = sizes(data)
    ratios = [
        [title]
        + [
            ""
            if (value := ratio(data, size, operation)) is None
            else judged(value, BOUNDS.get(operation, {}).get(size))
            for size in measured
        ]
        for operation, title in TITLES.items()
    ]
    memory = ["peak memory of a clean build", *(peak(data, size) for size in measured)]
    parts = []
    if measured:
        head = ["Heuristics × entries", *map(size_words, measured)]
        parts += [
            "This extension, by hand being 1. In parentheses are the bound and whether it is kept:\n",
            table(head, [*ratios, memory]),
        ]
    if said := imports(data):
        parts += [
            "What imports add, Sphinx and MyST being 1:\n",
            "\n".join(said) + "\n",
        ]
    return "\n".join(parts)


def words(data: Data) -> str:
    """Return what stands between the two lines of the page."""
    names = {
        name: text
        for name, text in data["versions"].items()
        if name not in {"python", "sphinxext-heuristics"}
    }
    tools = ", ".join(f"{name} {text}" for name, text in names.items())
    sources = {
        result["source"]
        for of_size in data["sizes"].values()
        for result in of_size.values()
    }
    mixed = (
        ["These results are from more than one state of the source.\n"]
        if len(sources) > 1
        else []
    )
    missed = misses(data)
    return "\n".join(
        [
            f"Measured on {data['date']} with Python {data['versions']['python']},\n{tools}.\n",
            *mixed,
            f"```{{picture}} {PICTURE.stem}\n{caption(data)}\n```\n",
            tables(data),
            "#### Misses\n",
            "\n".join(missed) + "\n" if missed else "None: all bounds are kept.\n",
        ]
    )


def caption(data: Data) -> str:
    """Return what the picture shows, in numbers."""
    said = []
    for operation in ("clean", "nothing", "note"):
        found = [
            value
            for size in drawn(data)
            if (value := ratio(data, size, operation)) is not None
        ]
        if found:
            said.append(
                f"{TITLES[operation]} {', '.join(f'{value:.2f}' for value in found)}"
            )
    listed = ", ".join(map(size_words, drawn(data)))
    return (
        f"What this extension takes, by hand being 1,\nfor {listed} heuristics × entries:\n"
        + ";\n".join(said)
        + "."
    )


# -- picture --------------------------------------------------------------------------

LEFT, RIGHT, BAR, GAP, TOP = 170, 60, 16, 14, 34


def drawn(data: Data) -> list[str]:
    """Return the sizes that the picture shows: three have colors."""
    return [size for size in sizes(data) if not size.endswith("-no-index")][
        : len(pictures.COLOURS)
    ]


def legend(colors: dict[str, str]) -> list[str]:
    """Return what the colors and the strokes mean."""
    parts, x = [], LEFT
    for size, color in colors.items():
        parts.append(f'<rect x="{x}" y="8" width="12" height="12" fill="{color}"/>')
        parts.append(pictures.text(x + 18, 19, size_words(size), "start"))
        x += 125
    return [
        *parts,
        pictures.line(x, 7, x, 21, faint=False),
        pictures.text(x + 8, 19, "bound", "start"),
    ]


def draw(data: Data) -> str:
    """Return the picture: for each operation a bar a size, with the bounds as strokes, and a line where by hand is."""
    bars = {
        operation: {
            size: value
            for size in drawn(data)
            if (value := ratio(data, size, operation)) is not None
        }
        for operation in TITLES
    }
    colors = dict(zip(drawn(data), pictures.COLOURS, strict=False))
    lengths = [
        value
        for values in (*bars.values(), *BOUNDS.values())
        for value in values.values()
    ]
    scale = (pictures.WIDTH - LEFT - RIGHT) / max(lengths)
    parts, y = legend(colors), TOP
    for operation, values in bars.items():
        if not values:
            continue
        parts.append(
            pictures.text(
                LEFT - 8, y + len(values) * BAR / 2 + 4, TITLES[operation], "end"
            )
        )
        for size, value in values.items():
            width, height = value * scale, BAR - 3
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{height}" fill="{colors[size]}"/>'
            )
            if bound := BOUNDS.get(operation, {}).get(size):
                x = LEFT + bound * scale
                parts.append(pictures.line(x, y - 1, x, y + height + 1, faint=False))
            parts.append(
                pictures.text(
                    pictures.WIDTH - RIGHT + 8, y + height - 2, f"{value:.2f}", "start"
                )
            )
            y += BAR
        y += GAP
    parts.append(
        pictures.line(LEFT + scale, TOP - 4, LEFT + scale, y - GAP + 4, faint=False)
    )
    parts.append(pictures.text(LEFT + scale, y + 6, "by hand"))
    alt = (
        "User CPU of builds with this extension, the same words written by hand being 1, for each edit and size. "
        "A stroke at a bar is its bound."
    )
    return pictures.svg(alt, parts, y + 14)


def write(data: Data) -> None:
    """Write the page and the picture."""
    PICTURE.write_text(draw(data), encoding="utf-8")
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(
        f"{before}{BEGIN}\n{words(data)}\n{END}{rest.split(END)[1]}", encoding="utf-8"
    )
