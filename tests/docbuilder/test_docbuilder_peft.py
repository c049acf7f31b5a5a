"""The site's reference of the real PEFT: complete, silent, and without a defect."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import peft
import pytest
from audit import defects_in, entries_in
from sphinx.util.inventory import InventoryFile

from sphinxext_heuristics.docbuilder.docstrings.sections import Kind, split_docstring

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.peft]

DOCS = Path(__file__).parents[2] / "docs"

#: What `peft.__all__` holds besides classes and functions.
TABLES = {
    "MODEL_TYPE_TO_PEFT_MODEL_MAPPING",
    "PEFT_TYPE_TO_CONFIG_MAPPING",
    "PEFT_TYPE_TO_MIXED_MODEL_MAPPING",
    "PEFT_TYPE_TO_TUNER_MAPPING",
    "TRANSFORMERS_MODELS_TO_PREFIX_TUNING_POSTPROCESS_MAPPING",
}


class Site(NamedTuple):
    """The reference, built."""

    returncode: int
    warnings: list[str]
    pages: dict[str, str]
    #: Name of each documented Python object → the page it is on.
    objects: dict[str, str]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the reference alone, with the site's own settings, in a process of its own."""
    source = tmp_path_factory.mktemp("reference")
    output = tmp_path_factory.mktemp("html")
    shutil.copytree(DOCS / "reference", source / "reference")
    conf = (DOCS / "conf.py").read_text(encoding="utf-8")
    # the heuristics' extension has tests of its own, and no pages here; nor do those of
    # the site
    for extension in (
        # to the manual, which is not built here
        "sphinx.ext.intersphinx",
        "sphinxext_heuristics",
        "sphinxext_heuristics.releases",
        *(path.stem for path in (DOCS / "_ext").glob("*.py")),
    ):
        conf = conf.replace(f'    "{extension}",\n', "")
    conf = conf.replace("Path(__file__)", f"Path({str(DOCS / 'conf.py')!r})")
    (source / "conf.py").write_text(conf, encoding="utf-8")
    index = "# Index\n\n```{toctree}\nreference/index\n```\n"
    (source / "index.md").write_text(index, encoding="utf-8")
    log = output / "warnings.txt"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
    command += ["-w", str(log), str(source), str(output)]
    done = subprocess.run(  # noqa: S603 - the command is made above
        command, check=False, capture_output=True, cwd=DOCS.parent
    )
    with (output / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda _, location: location)
    objects = {
        name: item.uri.partition("#")[0]
        for kind, items in inventory.items()
        if kind.startswith("py:")
        for name, item in items.items()
    }
    pages = {
        path.relative_to(output).as_posix(): path.read_text(encoding="utf-8")
        for path in output.rglob("*.html")
    }
    return Site(
        done.returncode, log.read_text(encoding="utf-8").splitlines(), pages, objects
    )


def documented(site: Site) -> Iterator[tuple[str, object]]:
    """Give each documented object under its name, less what has no docstring of its own."""
    for name in sorted(site.objects):
        parts = name.split(".")
        for split in range(len(parts) - 1, 0, -1):
            try:
                found: object = importlib.import_module(".".join(parts[:split]))
            except ImportError:
                continue
            for part in parts[split:]:
                found = inspect.getattr_static(found, part, None)
            if isinstance(found, classmethod | staticmethod):
                found = found.__func__
            if inspect.isclass(found) or inspect.isfunction(found):
                yield name, found
            break


def test_the_build_is_silent(site: Site) -> None:
    assert site.warnings == []
    assert site.returncode == 0


def test_every_public_name_is_documented(site: Site) -> None:
    public = {name for name in peft.__all__ if name not in TABLES}
    assert {name for name in public if f"peft.{name}" not in site.objects} == set()
    for name in public:
        found = getattr(peft, name)
        assert inspect.isclass(found) or inspect.isfunction(found)


def test_the_neighbours_are_documented(site: Site) -> None:
    assert (
        site.objects["transformers.BitsAndBytesConfig"] == "reference/neighbours.html"
    )


def test_no_entry_is_defective(site: Site) -> None:
    found = [d for page, html in site.pages.items() for d in defects_in(html, page)]
    assert found == []
    texts = [entries_in(html).texts.values() for html in site.pages.values()]
    assert sum(bool(text.strip()) for page in texts for text in page) > 1000


def test_no_object_is_described_twice(site: Site) -> None:
    ids = [
        name
        for html in site.pages.values()
        for name in re.findall(r'<dt class="sig[^>]*\bid="([^"]+)"', html)
    ]
    assert sorted({name for name in ids if ids.count(name) > 1}) == []


def test_every_item_of_a_docstring_has_its_field(site: Site) -> None:
    names = {page: entries_in(html).names for page, html in site.pages.items()}
    missing, checked = [], 0
    for name, found in documented(site):
        text = inspect.cleandoc(found.__doc__ or "")
        shown = names[site.objects[name]].get(name)
        if shown is None:
            continue  # an alias of a name that stands on the page
        for section in split_docstring(text):
            if section.kind in {Kind.PARAMETERS, Kind.ATTRIBUTES}:
                wanted = {
                    part for item in section.items for part in item.name.split(", ")
                }
                checked += len(wanted)
                missing += [(name, item) for item in wanted - shown]
    assert missing == []
    assert checked > 2000


@pytest.mark.parametrize(
    ("entry", "link"),
    [
        ("peft.LoraConfig", "peft.LoraModel"),
        ("peft.LoraModel", "peft.LoraConfig"),
        ("peft.PeftModel.add_adapter", "peft.PeftModel.load_adapter"),
        ("peft.inject_adapter_in_model", "peft.PeftConfig"),
        ("peft.PromptTuningConfig", "peft.PromptEmbedding"),
    ],
)
def test_links_between_objects(site: Site, entry: str, link: str) -> None:
    html = site.pages[site.objects[entry]]
    body = html[html.index(f'id="{entry}"') :]
    body = body[body.index("</dt>") :].partition('<dt class="sig')[0]
    assert f'#{link}"' in body
