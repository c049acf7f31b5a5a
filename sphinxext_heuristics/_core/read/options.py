"""What all directives of ours do with options and text.

They read their options themselves: docutils and MyST would drop what they do not
understand with a warning that only the build which reads the page gives. Everything
that can be wrong is kept in the record and reported later, so that it is reported on
every build.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, ClassVar

from docutils.parsers.rst import directives as rst
from sphinx.util.docutils import SphinxDirective

from sphinxext_heuristics._core.diagnostics import absolute, closest, did_you_mean
from sphinxext_heuristics._core.model import Problem, Subtype
from sphinxext_heuristics._core.read.header import Header, in_myst, in_restructuredtext

#: What would act on the text around it: control characters, halves of surrogate pairs,
#: marks of the writing direction.
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)


class CheckedDirective(SphinxDirective):
    """A directive that keeps what is wrong with it for later."""

    # All that is written comes as argument or content, and nothing is refused before we
    # have seen it.
    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = {}
    #: The options that it knows, docutils' own included.
    known: ClassVar[tuple[str, ...]] = ()

    def check_options(self) -> dict[str, str]:
        """Return the known options as text and note the others as problems."""
        self.problems: list[Problem] = []
        self.lines = (self.block_text or "").splitlines()
        self.header = self._header()
        for at, message in self.header.faults:
            self.problem(Subtype.OPTION, message, at)
        for name, number in Counter(
            option.name for option in self.header.options
        ).items():
            if name not in self.known:
                allowed, close = (
                    ", ".join(self.known) or "none",
                    closest(name, self.known, 1),
                )
                self.problem(
                    Subtype.OPTION,
                    f"unknown option {name!r}: allowed are "
                    f"{allowed}{did_you_mean(close)}",
                    name,
                )
            elif number > 1:
                self.problem(
                    Subtype.OPTION,
                    f"option {name!r} is given more than once: the last one counts",
                    name,
                )
        self.options = {
            option.name: option.value
            for option in self.header.options
            if option.name in self.known
        }
        return {
            name: self.without_controls(name, value.strip()).strip()
            for name, value in self.options.items()
        }

    def _header(self) -> Header:
        """Return the argument and the options; what is left of the content is the body."""
        if self.lines and self.lines[0].lstrip().startswith(".."):
            return in_restructuredtext(self.lines, self.known)
        header = in_myst(" ".join(self.arguments), self.lines, self.known)
        taken = header.end - 1
        taken += bool(
            taken and self.content[taken:] and not self.content[taken].strip()
        )
        self.content, self.content_offset = (
            self.content[taken:],
            self.content_offset + taken,
        )
        return header

    def without_controls(self, name: str, text: str) -> str:
        """Return a text that is called *name* without characters that would act on what stands around it."""
        dropped = sorted(set(_CONTROL.findall(text)))
        if dropped:
            named = ", ".join(f"U+{ord(char):04X}" for char in dropped)
            self.problem(
                Subtype.OPTION,
                f"{name} has control characters, which are left out: {named}",
                name,
            )
        return _CONTROL.sub("", text)

    def problem(self, subtype: Subtype, message: str, at: str | int = 0) -> None:
        """Note a problem at the directive, or at an option or a line of the directive, from 0."""
        source, line = self.place()
        offset = self.offsets.get(at, 0) if isinstance(at, str) else at
        self.problems.append(
            Problem(subtype=subtype, message=message, source=source, line=line + offset)
        )

    @property
    def offsets(self) -> dict[str, int]:
        """Map each option to its line in the directive, from 0."""
        return {option.name: option.at for option in reversed(self.header.options)}

    def place(self) -> tuple[str, int]:
        """Return the file and line of the directive."""
        source, line = self.get_source_info()
        return absolute(source), line or 1

    def choice(
        self, options: dict[str, str], name: str, allowed: tuple[str, ...], default: str
    ) -> str:
        """Return an option that is one of the *allowed* words, or the default."""
        value = options.get(name, default)
        if value in allowed:
            return value
        self.problem(
            Subtype.OPTION,
            f"{name} {value!r} is not one of "
            f"{', '.join(allowed)}{did_you_mean(closest(value, allowed, 1))}",
            name,
        )
        return default

    def classes(self, options: dict[str, str]) -> tuple[str, ...]:
        """Return the CSS classes that the author gives."""
        value = options.get("class", "")
        try:
            return tuple(rst.class_option(value)) if value else ()
        except ValueError as error:
            self.problem(Subtype.OPTION, f"class {value!r}: {error}", "class")
            return ()

    def flag(self, options: dict[str, str], name: str) -> bool:
        """Return whether a flag is set; YAML's words for yes and no are understood."""
        value = options.get(name)
        if value is None:
            return False
        if value.casefold() in {"", "true", "yes"}:
            return True
        if value.casefold() not in {"false", "no"}:
            self.problem(
                Subtype.OPTION, f"{name} is a flag and takes no value: {value!r}", name
            )
        return False


def split(value: str) -> list[str]:
    """Return the parts of a list that commas or line ends separate."""
    if value.startswith("[") and value.endswith("]"):  # as YAML writes a list
        value = value[1:-1]
    return [part for text in re.split(r"[,\n]", value) if (part := text.strip())]
