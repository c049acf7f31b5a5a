"""What GitHub shows of ours: pages without Sphinx's markup, and the forms for issues."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import cmarkgfm
import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The pages that people read there: they are linked from README, or it shows them itself.
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "SECURITY.md",
    ".github/PULL_REQUEST_TEMPLATE.md",
    "docs/manual/index.md",
    "docs/manual/why.md",
)
#: Text of which Sphinx makes something else: a definition, a fence, a target, a comment.
_TEXT = re.compile(r"^(?:: |:::|\.\. |%|\([\w-]+\)=)", re.MULTILINE)


def strange(text: str) -> Iterator[str]:
    """Yield what a reader would see of Sphinx's markup, or not be able to follow."""
    page = BeautifulSoup(cmarkgfm.github_flavored_markdown_to_html(text), "html.parser")
    for block in page.select("pre[lang^='{']"):
        yield f"a directive as code: {block['lang']}"
    for code in page.select("pre"):
        code.decompose()
    for link in page.select("a"):
        if not link.get_text().strip() and not link.find("img"):
            yield f"a link without a text: {link['href']}"
    for code in page.select("code"):
        before = code.previous_sibling
        if isinstance(before, str) and re.search(r"\{[\w:+-]+\}$|:\w+:$", before):
            yield f"a role: {code.get_text()}"
        code.decompose()
    for found in _TEXT.finditer(page.get_text()):
        yield f"markup as text: {found[0]}"


def test_what_is_strange_there_is_found() -> None:
    for text in (
        "```{toctree}\nwhy\n```",
        ":::{note}\nText.\n:::",
        "Term\n: What it means.",
        "(label)=\n\n# Title",
        "See [](why.md).",
        "See {heuristic}`Name`.",
        "See :heuristic:`Name`.",
        "% a comment",
        ".. note:: Text.",
    ):
        assert [*strange(text)], text
    fine = "Write `` {heuristic}`Name` ``:\n\n````md\n```{heuristic} Name\n```\n````\n"
    assert not [*strange(fine)]


@pytest.mark.parametrize("name", PAGES)
def test_it_reads_as_a_page_and_its_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    assert [*strange(text)] == []
    page = BeautifulSoup(cmarkgfm.github_flavored_markdown_to_html(text), "html.parser")
    for link in page.select("a[href], img[src]"):
        address = str(link.get("href") or link.get("src")).partition("#")[0]
        if address and "://" not in address:
            assert (path.parent / address).exists(), address


# -- forms for issues -----------------------------------------------------------------

FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
#: What GitHub requires of an element of a form, besides the label of each field.
REQUIRED = {
    "markdown": ("value",),
    "textarea": ("label",),
    "input": ("label",),
    "dropdown": ("label", "options"),
    "checkboxes": ("label", "options"),
}


def form(name: str) -> dict[str, Any]:
    """Return what GitHub reads."""
    read: dict[str, Any] = yaml.safe_load((FORMS / name).read_text(encoding="utf-8"))
    return read


def test_there_is_a_form_to_choose_for_each_matter() -> None:
    names = [path.name for path in FORMS.glob("*.yml") if path.name != "config.yml"]
    titles = [form(name)["name"] for name in names]
    assert len({*titles}) == len(titles) >= 3
    # for what no form is about
    assert form("config.yml")["blank_issues_enabled"] is True
    for link in form("config.yml")["contact_links"]:
        assert link["name"]
        assert link["about"]
        assert link["url"].startswith("https://")


@pytest.mark.parametrize(
    "path", [path for path in FORMS.glob("*.yml") if path.name != "config.yml"]
)
def test_github_offers_the_form(path: Path) -> None:
    # GitHub leaves out a form with a fault, and tells nobody who opens an issue
    read = form(path.name)
    assert {"name", "description", "body"} <= {*read}
    labels = []
    for element in read["body"]:
        attributes = element["attributes"]
        assert all(attributes.get(key) for key in REQUIRED[element["type"]])
        if element["type"] != "markdown":
            labels.append(attributes["label"])
    assert labels
    assert len({*labels}) == len(labels)
    ids = [element["id"] for element in read["body"] if "id" in element]
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(r"[\w-]+", name) for name in ids)
