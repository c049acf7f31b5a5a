"""Link each heuristic to what its code takes for granted, which the page ``run`` shows.

The pages themselves are copied into PEFT's own documentation, and say nothing of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

FOLDER = Path(__file__).parents[2] / "tests" / "peft" / "preludes"
PAGE = "heuristics/huggingface_peft_"

LINK = """

{{ref}}`Run this code <run-{}>`
"""

SECTION = """
(run-{anchor})=

## {title}

```python
{code}```
"""


def link(app: Sphinx, docname: str, content: list[str]) -> None:
    """Add the link to a heuristic's page, and the code to the page that is linked."""
    name = docname.removeprefix(PAGE)
    if docname == "run":
        paths = sorted(FOLDER.glob("*.py"))
        for path in paths:
            app.env.note_dependency(str(path))
        content[0] += "".join(map(section, paths))
    elif name != docname:
        own = (FOLDER / f"{name}.py").is_file()
        content[0] += LINK.format((name if own else "common").lower())


def new(app: Sphinx, env: BuildEnvironment, *_changes: object) -> Iterator[str]:
    """Yield the pages that files which are new since the last build belong to.

    Sphinx watches only those that were there.
    """
    known = {Path(app.srcdir, it) for it in env.dependencies.get("run", ())}
    added = [path.stem for path in FOLDER.glob("*.py") if path not in known]
    if added:
        pages = ["run", *(f"{PAGE}{name}" for name in added)]
        yield from env.found_docs.intersection(pages)


def section(path: Path) -> str:
    """Return the section of one file."""
    title = "For every page" if path.stem == "common" else path.stem.replace("_", " ")
    code = path.read_text(encoding="utf-8")
    return SECTION.format(anchor=path.stem.lower(), title=title, code=code)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the handlers."""
    app.connect("env-get-outdated", new)
    app.connect("source-read", link)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
