"""The directive that stands for a docstring in what autodoc generates."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from sphinxext_heuristics.docbuilder.docstrings.fields import FieldMaker
from sphinxext_heuristics.docbuilder.docstrings.markdown import docstring_parser, render_markdown
from sphinxext_heuristics.docbuilder.docstrings.sections import Kind
from sphinxext_heuristics.docbuilder.docstrings.splitter import split_docstring
from sphinxext_heuristics.docbuilder.languages import language_of

if TYPE_CHECKING:
    from sphinxext_heuristics.docbuilder.docstrings.sections import Section

#: How many lines `autodoc.to_directive` puts before the text: a blank one, the
#: directive's first, another blank one.
LINES_BEFORE = 3


class DocstringDirective(SphinxDirective):
    """``docbuilder-docstring``: its content is a docstring in Hugging Face's style.

    Its nodes are what napoleon's output is parsed to: paragraphs, rubrics and admonitions, and one field list that
    `sphinx.util.docfields.DocFieldTransformer` and autodoc's type hints work on.
    """

    name_in_source: ClassVar = "docbuilder-docstring"
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Parse the docstring."""
        if not self.content:
            # autosummary parses the first lines alone, and looks at the first node
            return [nodes.comment()]
        self.parser = docstring_parser()
        maker = FieldMaker(self.env, self.render)
        fields = nodes.field_list()
        found: list[nodes.Node] = []
        for section in split_docstring("\n".join(self.content)):
            if not section.items:
                found += self.block(section)
                continue
            if not fields.children:
                # one list, where the first section with items stands: type hints are merged into every list
                found.append(fields)
            fields += list(maker.fields(section))
        for node in found:
            self.locate(node)
        return found

    def render(self, text: str, line: int) -> list[nodes.Node]:
        """Parse Markdown that starts on a line of the content."""
        return render_markdown(self.parser, text, self.state.document, line, self.location)

    def block(self, section: Section) -> list[nodes.Node]:
        """Make the nodes of a section without items."""
        if section.kind in {Kind.RUBRIC, Kind.CODE}:
            code = section.text
            block = nodes.literal_block(code, code, language=language_of("", code))
            node = block if code else nodes.rubric("", section.title)
            node.line = section.line + 1
            return [node]
        body = self.render(section.text, section.line)
        if section.kind is Kind.ADMONITION:
            return [getattr(nodes, section.title)("", *body)]
        return body

    def locate(self, root: nodes.Node) -> None:
        """Say for each node where in the docstring it comes from."""
        for node in root.findall(nodes.Element):
            node.source, node.line = self.origin(node.line or 1)

    def origin(self, line: int) -> tuple[str, int]:
        """Give the source and the line of a line of the content."""
        source, offset = self.content.items[min(line, len(self.content)) - 1]
        generated = LINES_BEFORE if "docstring of " in (source or "") else 0
        return source or "", (offset or 0) + 1 - generated

    def location(self, line: int) -> str:
        """Give the location of a line of the content, for warnings."""
        source, number = self.origin(line)
        return f"{source}:{number}"
