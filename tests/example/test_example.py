"""The manual as a site, and its example: heuristics of requests, which is a project like any other."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import accounts
import exported
import pytest
import requests
from chromium import Tab
from conftest import ROOT, forget_project
from test_manual import run

from sphinxext_heuristics import __version__
from sphinxext_heuristics._core.cli import parser
from sphinxext_heuristics._core.cli.project import opened, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Built, Project

MANUAL = ROOT / "docs" / "manual"
EXAMPLE = MANUAL / "example"
NAMES = sorted(
    path.stem for path in (EXAMPLE / "heuristics").iterdir() if path.stem != "index"
)


# -- the site -------------------------------------------------------------------------


def test_it_is_the_extensions_own(manual: Built) -> None:
    page = manual.soup("index.html")
    assert page.title.get_text(strip=True).endswith(f"heuristics {__version__}")
    words = page.select_one("article").get_text()
    assert "Install it from a clone" in words
    assert "It is not for you" in words
    assert __version__ in page.select_one(".sidebar-brand").get_text()


def test_its_front_page_names_every_page(manual: Built) -> None:
    page = manual.soup("index.html")
    named = {str(link["href"]) for link in page.select("article a[href]")}
    listed = {str(link["href"]) for link in page.select(".sidebar-tree a[href]")}
    # the two that have pages of their own below them
    below = re.compile(r"(?:example|adopt-peft)/(?!index\.html)|#")
    top = {name for name in listed if not below.match(name)}
    assert top - named == set()


def test_its_links_lead_somewhere(manual: Built) -> None:
    """Those back to the catalogue too, whose pages are in the folder above."""
    lost = []
    for path in manual.out.rglob("*.html"):
        name = path.relative_to(manual.out).as_posix()
        for link in manual.soup(name).select("a[href]"):
            address, _, anchor = str(link["href"]).partition("#")
            target = Path(os.path.normpath(path.parent / unquote(address)))
            if ":" in address or not (address or anchor):
                continue
            if not target.is_relative_to(manual.out):
                source = ROOT / "docs" / target.relative_to(manual.out.parent)
                if not source.with_suffix(".md").is_file():
                    lost.append((name, address))
                continue
            page = target.relative_to(manual.out).as_posix() if address else name
            if not (manual.out / page).is_file() or (
                anchor
                and page.endswith(".html")
                and not manual.soup(page).find(id=unquote(anchor))
            ):
                lost.append((name, f"{address}#{anchor}"))
    assert lost == []


# -- the example ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(manual: Built, tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - JSON
    """Return what heuristics.json says of the example."""
    out = tmp_path_factory.mktemp("json")
    doctrees = shutil.copytree(manual.out / ".doctrees", out / "doctrees")
    done = run(
        ROOT,
        "sphinx",
        "-q",
        "-b",
        "heuristics",
        "-d",
        str(doctrees),
        str(MANUAL),
        str(out),
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = type(manual)(out=out, status=0, stderr="", imported=frozenset())
    return exported.data_of(made)


#: Heuristic → the entries that show it, and the pages.
SHOWN = {
    "Catch_The_Errors_Of_Requests": (
        {
            *("requests.exceptions.ConnectionError", "requests.exceptions.Timeout"),
            *("requests.exceptions.ConnectTimeout", "requests.exceptions.ReadTimeout"),
        },
        {"failures#no-answer"},
    ),
    "Check_The_Status": (
        {"requests.Response", "requests.Response.json", "requests.Response.ok"},
        {"download", "failures#a-bad-answer"},
    ),
    "Hook_The_Prepared_Request": (
        {
            "requests.PreparedRequest.register_hook",
            *("requests.Request.register_hook", "requests.Session.hooks"),
        },
        set(),
    ),
    "Mind_The_Bundle": (
        {"requests.Session.merge_environment_settings", "requests.Session.verify"},
        {"proxy"},
    ),
    "Post_To_The_Final_Address": (
        {
            *("requests.post", "requests.put", "requests.Session.post"),
            *("requests.Session.put", "requests.Session.rebuild_method"),
        },
        set(),
    ),
    "Set_A_Timeout": (
        {
            *("requests.get", "requests.request", "requests.Session.request"),
            "requests.adapters.HTTPAdapter.send",
        },
        {"download#timeouts", "retry"},
    ),
    "Set_The_Encoding": (
        {"requests.Response.text", "requests.Response.encoding"},
        set(),
    ),
    "Verify_In_A_New_Session": (set(), set()),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_shown_where_it_belongs(data: Any, name: str) -> None:  # noqa: ANN401 - JSON
    (found,) = [one for one in data["heuristics"] if one["name"] == name]
    entries = {entry["name"] for entry in found["entries"]}
    pages = {
        f"{Path(page['docname']).name}#{page['anchor']}".rstrip("#")
        for page in found["pages"]
    }
    assert (entries, pages) == SHOWN[name]
    assert found["holds"] == (name != "Verify_In_A_New_Session")


def test_both_syntaxes_are_there_and_each_claim_has_a_test() -> None:
    suffixes = [path.suffix for path in (EXAMPLE / "heuristics").iterdir()]
    assert suffixes.count(".rst") == 4
    assert suffixes.count(".md") == 4 + 1
    claims = Path(__file__).with_name("test_requests.py").read_text("utf-8")
    for name in NAMES:
        assert f"def test_{name.lower()}(" in claims


def test_the_data_have_the_names_that_users_write(data: Any) -> None:  # noqa: ANN401 - JSON
    names = {
        entry["name"]: entry["names"]
        for heuristic in data["heuristics"]
        for entry in heuristic["entries"]
    }
    for public in ("requests.Timeout", "requests.Session.request", "requests.get"):
        assert any(public in them for them in names.values()), public


def test_pages_show_what_explain_says(manual: Built) -> None:
    command = ["explain", str(MANUAL), "", "--silent"]
    command += ["--doctree-dir", str(manual.out / ".doctrees")]
    with opened(parser().parse_args(command)) as app:
        plan = read(app)
        assert not list(accounts.differences(manual, plan))
    forget_project()


def test_an_attribute_of_another_class_overrides_nothing(manual: Built) -> None:
    """PreparedRequest.hooks: both its class and the target's inherit something else from one base."""
    doctrees = str(manual.out / ".doctrees")
    arguments = ("explain", str(MANUAL), "Hook_The_Prepared_Request", "-d", doctrees)
    said = run(ROOT, "sphinxext_heuristics", *arguments).stdout
    assert "not reached: requests.PreparedRequest.hooks: the name is the same, " in said


# -- what the manual says of names ----------------------------------------------------

#: A target of place.md → the entries that it reaches.
TARGETS = {
    "requests.Request": {"Request"},
    "requests.models.Request": {"Request"},
    "requests.Timeout+": {
        *("exceptions.Timeout", "exceptions.ConnectTimeout", "exceptions.ReadTimeout")
    },
    "requests.adapters.BaseAdapter+.send": {
        *("adapters.BaseAdapter.send", "adapters.HTTPAdapter.send")
    },
    "requests.Request.register_hook": {"Request.register_hook"},
    "requests.models.RequestHooksMixin.register_hook": {
        *("Request.register_hook", "PreparedRequest.register_hook")
    },
    "register_hook": {"Request.register_hook", "PreparedRequest.register_hook"},
    "*.send": {
        *("adapters.BaseAdapter.send", "adapters.HTTPAdapter.send", "Session.send")
    },
}


def test_names_reach_what_the_manual_says(project: Callable[..., Project]) -> None:
    files = {
        f"api/{path.name}": path.read_text(encoding="utf-8")
        for path in (EXAMPLE / "api").iterdir()
    }
    made = project(
        {
            **files,
            "conf.py": 'extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinxext_heuristics"]\n'
            'heuristics_package = "requests"\n'
            'autodoc_default_options = {"members": True, "inherited-members": True}\n',
            "index.rst": "Start\n=====\n\n.. toctree::\n   :glob:\n\n   *\n   api/*\n",
            "own.rst": "Own\n===\n\n"
            + "".join(
                f".. heuristic:: N{at}\n   :note: n\n   :impl: {target}\n\n"
                for at, target in enumerate(TARGETS)
            )
            + ".. heuristic:: Less\n   :note: n\n   :impl: register_hook\n   :except: requests.PreparedRequest\n\n"
            + ".. heuristic:: Several\n   :note: n\n   :impl: send\n",
        }
    )
    built = made.build("heuristics")
    (warning,) = built.warnings
    assert "[heuristic.ambiguous]" in warning
    for name in ("Session.send", "BaseAdapter.send", "HTTPAdapter.send"):
        assert name in warning
    found = {
        one["name"]: {
            entry["name"].removeprefix("requests.") for entry in one["entries"]
        }
        for one in exported.data_of(built)["heuristics"]
    }
    for at, (target, wanted) in enumerate(TARGETS.items()):
        assert found[f"N{at}"] == wanted, target
    assert found["Less"] == {"Request.register_hook"}
    place = (MANUAL / "place.md").read_text("utf-8")
    for target in TARGETS:
        assert f"`{target}`" in place, target


# -- when requests changes ------------------------------------------------------------


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Callable[[str, str, str], list[str]]]:
    """Return the warnings of the manual where a line of requests is another."""
    (folder,) = requests.__path__

    def build(module: str, old: str, new: str) -> list[str]:
        copy = tmp_path / "requests"
        shutil.copytree(folder, copy)
        for path in [copy / f"{module}.py"] if module else copy.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub(old, new, text), encoding="utf-8")
        done = run(
            ROOT,
            *("sphinx", "-q", "-W", "--keep-going", str(MANUAL), str(tmp_path / "out")),
            PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]),
        )
        assert done.returncode == 1
        lines = re.findall(
            r"^(?:\S+/docs/manual/)?(\S+:\d+: WARNING: .+)$", done.stderr, re.MULTILINE
        )
        return [line for line in lines if "heuristic" in line]

    return build


@pytest.mark.slow
def test_a_renamed_method_fails_the_build(
    changed: Callable[[str, str, str], list[str]],
) -> None:
    warnings = changed("", r"\bregister_hook\b", "add_hook")
    page = "example/heuristics/Hook_The_Prepared_Request.rst"
    assert any(
        line.startswith(f"{page}:4: ") and "RequestHooksMixin.register_hook" in line
        for line in warnings
    ), warnings


@pytest.mark.slow
def test_a_changed_line_fails_the_build(
    changed: Callable[[str, str, str], list[str]],
) -> None:
    old = r"except ReadTimeoutError as e:\s+raise ConnectionError\(e\)"
    new = "except ReadTimeoutError as e:\n                    raise ReadTimeout(e)"
    warnings = changed("models", old, new)
    (line,) = [line for line in warnings if "the quoted code is not in" in line]
    assert line.startswith("example/heuristics/Catch_The_Errors_Of_Requests.md:")
    assert "closest match: line " in line


# -- the box --------------------------------------------------------------------------

#: What a reader pastes → the heuristic that says it.
PASTED = {
    "requests.exceptions.HTTPError: 404 Client Error: Not Found for url: http://host/user": "Check the status",
    "requests.exceptions.ConnectionError: HTTPConnectionPool(host='h', port=80): Max retries exceeded with url: / "
    "(Caused by NewConnectionError('x: Failed to establish a new connection'))": "Catch the errors of requests",
    'ValueError: Unsupported event specified, with event name "request"': "Register hooks on the prepared request",
}


@pytest.mark.browser
def test_the_box_knows_their_messages(
    manual: Built, browser: str, tmp_path: Path
) -> None:
    tab = Tab(browser, tmp_path)
    try:
        for text, title in PASTED.items():
            tab.open((manual.out / "example/index.html").as_uri())
            found = tab.run(
                f"""
                const box = document.querySelector(".heuristic-paste textarea");
                box.focus();
                box.value = {text!r};
                document.querySelector(".heuristic-paste button").click();
                for (let time = 0; time < 100; time += 1) {{
                  await new Promise((done) => setTimeout(done, 50));
                  const first = document.querySelector(".heuristic-answers li a");
                  if (first) break;
                }}
                return [
                  document.querySelector(".heuristic-paste [role=status]").textContent,
                  document.querySelector(".heuristic-answers li a")?.textContent,
                ];
                """
            )
            assert found == ["This message is known:", title]
        assert tab.errors == []
    finally:
        tab.close()
