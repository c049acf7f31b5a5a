"""What axe finds in elements of ours on a page."""

from __future__ import annotations

from importlib.resources import files

_AXE = """
{axe}
for (const one of [document.body, document.documentElement]) one.dataset.theme = "{mode}";
document.documentElement.dataset.mode = "{mode}";
// This axe does not read what browsers make of color-mix(), and then compares no colours.
for (const one of document.querySelectorAll("*")) {{
  for (const name of ["color", "background-color"]) {{
    const mixed = getComputedStyle(one).getPropertyValue(name);
    if (!mixed.startsWith("color(srgb")) continue;
    const [red, green, blue, alpha = 1] = mixed.match(/[\\d.]+/g).map(Number);
    const read = `rgba(${{red * 255}}, ${{green * 255}}, ${{blue * 255}}, ${{alpha}})`;
    one.style.setProperty(name, read, "important");
  }}
}}
const found = await axe.run(document, {{ resultTypes: ["violations"] }});
const failed = found.incomplete.filter((rule) => rule.error).map((rule) => `${{rule.id}}: ${{rule.error.message}}`);
return failed.concat(found.violations.flatMap((rule) =>
  rule.nodes
    .filter((node) => document.querySelector(node.target[0])?.closest("[class*='heuristic']"))
    .map((node) => `${{rule.id}} ${{node.any[0]?.data?.fgColor ?? ""}}: ${{node.html.slice(0, 120)}}`)));
"""


def axe(mode: str) -> str:
    """Return a script that tells what axe finds, in the theme's light or dark mode."""
    script = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    return _AXE.format(axe=script, mode=mode)
