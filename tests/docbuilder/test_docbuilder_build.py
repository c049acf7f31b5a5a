"""What readers see: real builds of small projects."""

from __future__ import annotations

import re
import sys
from html import unescape
from typing import TYPE_CHECKING

import pytest
from audit import defects_in
from markdown_it import MarkdownIt
from myst_parser.mdit_to_docutils.base import DocutilsRenderer
from sphinx.testing.util import SphinxTestApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODULE = '''
"""Documented under names of its own."""
from dataclasses import dataclass


class Config:
    """Configures a [`Model`].

    Args:
        r (`int`, *optional*, defaults to `8`): The rank, see [`~Model.merge`].
        names (`Union[list[str], Other]`):
            Names; one of:
              - "a"
              - `b`

            > [!WARNING]
            > Not `c`.
        config ([`~hf_sample.Other`], *optional*): Another.
        first, second (`str`): Two at once.
        **kwargs (additional keyword arguments, *optional*): More.
    """

    def __init__(self, r: int = 8, *, names=None, untyped: str = "x") -> None:
        """"""


class Other:
    """Another one, [`transformers.PreTrainedModel`] and [the paper](https://a.b/c_d)."""


class Model:
    """Creates a model from <a href='https://a.b'>somewhere</a>, 2*3*4 times.

    # A heading

    See https://e.f/g_h. With \\\\\\\\(x^2\\\\\\\\) and **bold** text.

    | a | b |
    |---|---|
    | `c` | [`Config`] |

    Example:

    ```py
    >>> model = Model()
    >>> # a comment
    ```

    ```py
    import a
    ```

    ```python
    model = <your model here> $ ?
    ```

    ```nosuchlanguage
    x
    ```

    ```
    a tree: of text
    ```

    Reference::

        x = 1

    <Tip warning={true}>

    Mind the gap.

    </Tip>

    **Attributes**:
        - **config** ([`Config`]) -- The configuration.
        - **name** (`str`): The name.
    """

    def merge(self, safe_merge: bool = False) -> bool:
        """
        Merges. Then [`merge`] is called `again`, by [`Model`].

        Note: It takes
        time.

        Args:
            safe_merge: Whether to check.

        Returns:
            `bool`: Whether [`Config`] allowed it.

        Raises:
            ValueError: If not.
            TypeError:
                If the type is wrong.
        """

    def parts(self):
        """A. Not a list

        Yields:
            Config: A part.

        Warns:
            UserWarning: Always.
        """

    def pair(self):
        """`pair` starts with code.

        Returns:
            first (`Config`)
                One.
            second (`str`)
                Two.
        """

    @property
    def rank(self) -> int:
        """The [`Config`]'s rank."""


class Derived(Model):
    """Args:
        x: There is no summary.
    """

    def merge(self, safe_merge: bool = False) -> bool:
        pass


@dataclass
class Generated:
    r: int = 8


def literal():
    """- starts with a list
    - and goes on
    """


def broken():
    """A `backtick

    is not closed."""
'''

REST = '''
def function(a):
    """Written in reStructuredText: ``code`` and *text*.

    .. note:: A note.

    :param a: A parameter, `[`.
    """
'''

IMAGE = '''
def function():
    """Summary.

    Text.

    ![x](one.png)

    Args:
        a: First.
        b (`int`):

            ![x](two.png)

    Note:
        ![x](three.png)
    """
'''

WIDE = '''
class Base:
    """The base of {size}."""

    def method(self, a):
        """Do of all {size}.

        Args:
            a: A number of all {size}.
        """

'''

SAME = '''
class One:
    """First."""

    def stop(self):
        """Stop."""

    def run(self, a):
        """Run.

        Args:
            a: An *argument*, see [`stop`].

                > [!ODD]
                > Mind.

                ![x](x.png)
        """


class Two:
    """Second."""

    def stop(self):
        """Stop."""

    def run(self, a):
        """Run.

        More.

        Args:
            a: An *argument*, see [`stop`].

                > [!ODD]
                > Mind.

                ![x](x.png)
        """


class Three(One):
    """Third."""

    def run(self, a):
        return None
'''

INDEX = """
Title
=====

.. automodule:: hf_sample
   :members:
   :undoc-members:
   :special-members: __init__
   :show-inheritance:
"""

Build = "Callable[..., SphinxTestApp]"


@pytest.fixture
def build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SphinxTestApp]]:
    """Make and build a project; warnings are errors of the test."""
    source = tmp_path / "source"
    source.mkdir()
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "hf_sample.py").write_text(MODULE, encoding="utf-8")
    (modules / "rest_sample.py").write_text(REST, encoding="utf-8")
    monkeypatch.syspath_prepend(str(modules))
    applications: list[SphinxTestApp] = []

    def close() -> None:
        while applications:
            applications.pop().cleanup()

    def run(
        builder: str = "html",
        index: str = INDEX,
        *,
        parallel: int = 0,
        fresh: bool = False,
        files: dict[str, str] | None = None,
        **config: object,
    ) -> SphinxTestApp:
        settings = {
            "extensions": ["sphinxext_heuristics.docbuilder"],
            "docbuilder_packages": ["hf_sample"],
            "nitpicky": True,
            **config,
        }
        conf = "".join(f"{name} = {value!r}\n" for name, value in settings.items())
        (source / "conf.py").write_text(conf, encoding="utf-8")
        for name, text in {"index.rst": index, **(files or {})}.items():
            path = source / name
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
        close()
        application = SphinxTestApp(
            builder, srcdir=source, freshenv=fresh, parallel=parallel
        )
        applications.append(application)
        application.build()
        return application

    yield run
    close()
    for name in ("hf_sample", "rest_sample"):
        sys.modules.pop(name, None)


def html_of(application: SphinxTestApp, page: str = "index") -> str:
    return (application.outdir / f"{page}.html").read_text(encoding="utf-8")


def entry(html: str, name: str) -> str:
    """Give the markup of an entry, up to the next one."""
    start = html.index(f'id="{name}"')
    end = html.find('<dt class="sig', start)
    return html[start : end if end > 0 else len(html)]


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def assert_silent(application: SphinxTestApp) -> None:
    assert application.warning.getvalue() == ""


def test_nothing_is_amiss(build: Callable[..., SphinxTestApp]) -> None:
    application = build(exclude_patterns=[])
    assert_silent(application)
    found = [d for d in defects_in(html_of(application)) if "broken" not in d.entry]
    assert found == []


def test_parameters_are_typed_fields(build: Callable[..., SphinxTestApp]) -> None:
    markup = entry(html_of(build()), "hf_sample.Config")
    text = text_of(markup)
    assert "Parameters:" in text
    assert "r (int, optional, defaults to 8) – The rank, see merge()." in text
    assert "names (Union[list[str], Other]) – Names; one of:" in text
    assert "config (Other, optional) – Another." in text
    assert "first (str) – Two at once." in text
    assert "second (str) – Two at once." in text
    assert "**kwargs (additional keyword arguments, optional) – More." in text
    assert "<strong>r</strong>" in markup
    assert markup.count('href="#hf_sample.Other"') == 2
    assert "<em>optional</em>" in markup
    assert re.search(r"<code[^>]*><span[^>]*>8</span></code>", markup)
    assert '<div class="admonition warning">' in markup
    assert re.search(r"<li><p>&quot;a&quot;</p></li>\s*<li><p><code", markup)


def test_type_hints_are_merged(build: Callable[..., SphinxTestApp]) -> None:
    application = build(
        autodoc_typehints="description",
        autodoc_typehints_description_target="documented",
    )
    assert_silent(application)
    text = text_of(entry(html_of(application), "hf_sample.Model.merge"))
    assert "safe_merge (bool) – Whether to check." in text


def test_results_and_exceptions(build: Callable[..., SphinxTestApp]) -> None:
    html = html_of(build())
    merge = text_of(entry(html, "hf_sample.Model.merge"))
    assert "Note It takes time." in merge
    assert "Returns: Whether Config allowed it. Return type: bool" in merge
    assert "Raises: ValueError – If not. TypeError – If the type is wrong." in merge
    parts = text_of(entry(html, "hf_sample.Model.parts"))
    assert "Yields: Config – A part. Warns: UserWarning – Always." in parts
    pair = text_of(entry(html, "hf_sample.Model.pair"))
    assert "Returns: first (Config) – One. second (str) – Two." in pair


def test_markdown_in_a_class(build: Callable[..., SphinxTestApp]) -> None:
    markup = entry(html_of(build()), "hf_sample.Model")
    assert '<p class="rubric">A heading</p>' in re.sub(
        r' (?:role|aria-level)="\w+"', "", markup
    ).replace("<h1 ", "<p ").replace("<h2 ", "<p ")
    assert "<h1>A heading" not in markup
    assert "2*3*4 times" in text_of(markup)
    assert 'href="https://a.b">somewhere</a>' in markup
    assert 'href="https://e.f/g_h">https://e.f/g_h</a>.' in markup
    assert re.search(r'<span class="math[^>]*>\\\(x\^2\\\)</span>', markup)
    assert "<strong>bold</strong>" in markup
    assert "<table" in markup
    assert "Mind the gap." in markup.partition('<div class="admonition warning">')[2]
    attributes = text_of(markup).partition("Attributes:")[2]
    assert "config (Config) – The configuration. name (str) – The name." in attributes


def test_languages_of_code(build: Callable[..., SphinxTestApp]) -> None:
    markup = entry(html_of(build()), "hf_sample.Model")
    assert re.findall(r'<div class="highlight-(\w+)', markup) == [
        "pycon",
        "py",
        "text",
        "text",
        "text",
        "python",
    ]


def test_links_are_resolved_or_plain(build: Callable[..., SphinxTestApp]) -> None:
    html = html_of(build())
    assert 'href="#hf_sample.Model"' in entry(html, "hf_sample.Config")
    merge = entry(html, "hf_sample.Model.merge")
    assert 'href="#hf_sample.Model.merge"' in merge
    other = entry(html, "hf_sample.Other")
    assert "transformers.PreTrainedModel" in text_of(other)
    assert (
        "href"
        not in other.partition("transformers.PreTrainedModel")[0].partition("</dt>")[2]
    )
    assert 'href="https://a.b/c_d">the paper</a>' in other


def test_summaries_that_look_like_markup(build: Callable[..., SphinxTestApp]) -> None:
    html = html_of(build())
    assert "A. Not a list" in text_of(entry(html, "hf_sample.Model.parts"))
    pair = entry(html, "hf_sample.Model.pair")
    assert re.search(
        r"<p><code[^>]*><span[^>]*>pair</span></code> starts with code.</p>", pair
    )
    derived = text_of(entry(html, "hf_sample.Derived"))
    assert "Parameters: x – There is no summary." in derived
    listed = entry(html, "hf_sample.literal")
    assert "<li><p>starts with a list</p></li>" in listed


def test_generated_docstring_of_a_dataclass_is_dropped(
    build: Callable[..., SphinxTestApp],
) -> None:
    generated = entry(html_of(build()), "hf_sample.Generated")
    assert "Generated(r:" not in text_of(generated.partition("</dt>")[2])


def test_other_packages_are_left_alone(build: Callable[..., SphinxTestApp]) -> None:
    index = "Title\n=====\n\n.. automodule:: rest_sample\n   :members:\n"
    application = build(index=index)
    assert_silent(application)
    text = text_of(entry(html_of(application), "rest_sample.function"))
    assert "Note A note." in text
    assert "Parameters: a – A parameter, [." in text


def test_no_package_is_converted_by_default(
    build: Callable[..., SphinxTestApp],
) -> None:
    index = "Title\n=====\n\n.. autoclass:: hf_sample.Config\n"
    application = build(index=index, docbuilder_packages=[])
    assert "Args:" in text_of(html_of(application))


def test_inherited_docstring_belongs_to_the_base(
    build: Callable[..., SphinxTestApp],
) -> None:
    html = html_of(build())
    assert "Note It takes time." in text_of(entry(html, "hf_sample.Derived.merge"))


def test_autosummary_lists_names_without_summaries(
    build: Callable[..., SphinxTestApp],
) -> None:
    index = (
        "Title\n=====\n\n.. autosummary::\n\n   hf_sample.Model\n"
        "   hf_sample.Model.merge\n   hf_sample.Derived\n   hf_sample.literal\n"
        + INDEX.partition("=\n")[2]
    )
    application = build(
        index=index,
        extensions=["sphinx.ext.autosummary", "sphinxext_heuristics.docbuilder"],
    )
    assert_silent(application)
    table = html_of(application).partition("<table")[2].partition("</table>")[0]
    text = text_of(table)
    assert "hf_sample.Model.merge" in text
    assert "docbuilder" not in text


@pytest.mark.parametrize(
    "builder",
    ["dirhtml", "singlehtml", "latex", "text", "man", "texinfo", "xml", "gettext"],
)
def test_every_builder(build: Callable[..., SphinxTestApp], builder: str) -> None:
    assert_silent(build(builder))


def test_parallel_reading_gives_the_same(build: Callable[..., SphinxTestApp]) -> None:
    pages = {
        f"page{number}.rst": f"Page\n====\n\n.. autoclass:: hf_sample.{name}\n   :members:\n"
        for number, name in enumerate(["Config", "Other", "Model", "Derived"])
    }
    index = "Title\n=====\n\n.. toctree::\n   :glob:\n\n   page*\n"
    serial = build(index=index, files=pages)
    expected = [html_of(serial, f"page{number}") for number in range(4)]
    parallel = build(index=index, files=pages, parallel=2, fresh=True)
    assert_silent(parallel)
    assert [html_of(parallel, f"page{number}") for number in range(4)] == expected
    assert 'href="page2.html#hf_sample.Model"' in expected[0]


def test_a_later_build_finds_what_is_new(build: Callable[..., SphinxTestApp]) -> None:
    index = "Title\n=====\n\n.. toctree::\n   :glob:\n\n   page*\n"
    first = {"page0.rst": "Page\n====\n\n.. autoclass:: hf_sample.Config\n"}
    application = build(index=index, files=first)
    assert "hf_sample.Model" not in html_of(application, "page0")
    second = {
        "page0.rst": first["page0.rst"] + "\nChanged.\n",
        "page1.rst": "Page\n====\n\n.. autoclass:: hf_sample.Model\n",
    }
    application = build(index=index, files=second)
    assert_silent(application)
    assert 'href="page1.html#hf_sample.Model"' in html_of(application, "page0")


def test_warnings_say_where(
    build: Callable[..., SphinxTestApp], tmp_path: Path
) -> None:
    module = tmp_path / "modules" / "hf_image.py"
    module.write_text(IMAGE, encoding="utf-8")
    index = "Title\n=====\n\n.. autofunction:: hf_image.function\n"
    application = build(index=index, docbuilder_packages=["hf_image"])
    warning = application.warning.getvalue()
    for line, name in ((5, "one"), (11, "two"), (14, "three")):
        assert (
            f"{module}:docstring of hf_image.function:{line}: WARNING: image file not readable: {name}.png"
        ) in warning


def test_what_many_entries_inherit_is_parsed_once(
    build: Callable[..., SphinxTestApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    renderers: list[object] = []
    parse, begin = MarkdownIt.parse, DocutilsRenderer.setup_render
    monkeypatch.setattr(
        MarkdownIt,
        "parse",
        lambda self, src, env: (texts.append(src), parse(self, src, env))[1],
    )
    monkeypatch.setattr(
        DocutilsRenderer,
        "setup_render",
        lambda self, *of: (renderers.append(self), begin(self, *of)),
    )
    for size in (10, 40):
        classes = "".join(
            f'class C{n}(Base):\n    """Class {n} of {size}."""\n' for n in range(size)
        )
        name = f"hf_wide{size}"
        (tmp_path / "modules" / f"{name}.py").write_text(
            WIDE.format(size=size) + classes, encoding="utf-8"
        )
        index = f"Title\n=====\n\n.. automodule:: {name}\n   :members:\n   :inherited-members:\n"
        application = build(index=index, docbuilder_packages=[name])
        assert_silent(application)
        assert html_of(application).count(f"of all {size}") == 2 * (size + 1)
        assert sorted(text for text in texts if "of all" in text) == [
            f"A number of all {size}.\n",
            f"Do of all {size}.\n",
        ]
        assert len(texts) == 3 + size
        assert len(renderers) == 1
        texts.clear()
        renderers.clear()


def test_the_same_text_is_rendered_where_it_is(
    build: Callable[..., SphinxTestApp], tmp_path: Path
) -> None:
    module = tmp_path / "modules" / "hf_same.py"
    module.write_text(SAME, encoding="utf-8")
    pages = {
        f"{name}.rst": f"{name}\n===\n\n.. autoclass:: hf_same.{name}\n   :members:\n"
        for name in ("One", "Two", "Three")
    }
    index = "Title\n=====\n\n.. toctree::\n   :glob:\n\n   T*\n   O*\n"
    application = build(index=index, files=pages, docbuilder_packages=["hf_same"])
    bodies = [
        entry(html_of(application, name), f"hf_same.{name}.run").partition("<dd>")[2]
        for name in ("One", "Two")
    ]
    assert 'href="#hf_same.One.stop"' in bodies[0]
    # a link leads to the class that it is in
    assert bodies[0].replace("hf_same.One", "hf_same.Two") == bodies[1].replace(
        "<p>More.</p>\n", ""
    )
    # two objects fit
    assert "hf_same.One.stop" not in html_of(application, "Three")
    expected = [
        f"{module}:docstring of hf_same.{name}.run:{line}: WARNING: {problem}"
        for name, lines in (("One", (6, 9)), ("Three", (6, 9)), ("Two", (8, 11)))
        for line, problem in zip(
            lines,
            ("unknown alert [!ODD]", "image file not readable: x.png"),
            strict=True,
        )
    ]
    warnings = application.warning.getvalue()
    assert [line for line in expected if line not in warnings] == []
    assert warnings.count(": WARNING: ") == len(expected)
    parallel = build(
        index=index,
        files=pages,
        docbuilder_packages=["hf_same"],
        parallel=2,
        fresh=True,
    )
    assert sorted(parallel.warning.getvalue().splitlines()) == sorted(
        warnings.splitlines()
    )
    assert html_of(parallel, "Two") == html_of(application, "Two")
