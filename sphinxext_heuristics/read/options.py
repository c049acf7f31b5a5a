"""What all directives of ours do with options and text.

Everything that can be wrong with them is kept in the record and reported later, so that it is reported on every build,
not only on those that read the page.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import Any, ClassVar

from docutils.parsers.rst import directives as rst
from sphinx.util.docutils import SphinxDirective

from sphinxext_heuristics.diagnostics import absolute, closest, did_you_mean
from sphinxext_heuristics.model import Problem, Subtype

#: What would act on the text around it: control characters, halves of surrogate pairs, marks of the writing direction.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class AnyOption(dict[str, Any]):
    """An option specification that takes every option as it is written.

    docutils and MyST would drop an unknown option with a warning that only the build
    which reads the page gives.
    """

    def __missing__(self, _name: str) -> Any:  # noqa: ANN401 - docutils' converter
        return lambda value: value

    def __bool__(self) -> bool:
        """Tell MyST that there may be options."""
        return True


class CheckedDirective(SphinxDirective):
    """A directive that keeps what is wrong with it for later."""

    option_spec: ClassVar[Any] = AnyOption()
    #: The options that it knows, docutils' own included.
    known: ClassVar[tuple[str, ...]] = ()

    def check_options(self) -> dict[str, str]:
        """Return the known options as text and note the others as problems."""
        self.problems: list[Problem] = []
        for name, value in self.options.items():
            if name not in self.known:
                self.problem(
                    Subtype.OPTION,
                    f"unknown option {name!r}: allowed are {', '.join(self.known) or 'none'}"
                    f"{did_you_mean(closest(name, self.known, 1))}",
                    name,
                )
            elif self._lost_comment(name, value):
                self.problem(
                    Subtype.OPTION,
                    f"{name} ends before ' #', which begins a comment in YAML: put the value in quotes",
                    name,
                )
        for name in self._repeated():
            self.problem(Subtype.OPTION, f"option {name!r} is given more than once: the last one counts", name)
        return {name: self._showable(name, value) for name, value in self.options.items() if name in self.known}

    def _repeated(self) -> list[str]:
        """Return the options that MyST has seen several times; docutils lets no such directive run."""
        text = self.block_text or ""
        if text.lstrip().startswith(".."):
            return []
        # The fence, the options, the body: MyST counts from the fence.
        lines = text.splitlines()[1 : self.content_offset + 1]
        names = Counter(line.removeprefix(":").partition(":")[0] for line in lines)
        return [name for name in self.options if names[name] > 1]

    def _showable(self, name: str, value: object) -> str:
        """Return an option's value as text, without characters that would act on what stands around it."""
        return self.without_controls(name, "" if value is None else str(value).strip()).strip()

    def without_controls(self, name: str, text: str) -> str:
        """Return a text that is called *name* without characters that would act on what stands around it."""
        dropped = sorted(set(_CONTROL.findall(text)))
        if dropped:
            named = ", ".join(f"U+{ord(char):04X}" for char in dropped)
            self.problem(Subtype.OPTION, f"{name} has control characters, which are left out: {named}", name)
        return _CONTROL.sub("", text)

    def _lost_comment(self, name: str, value: object) -> bool:
        """Return whether the source has more of a value than MyST has left of it."""
        kept = str(value or "").strip()
        return any(
            " #" in text and text.partition(" #")[0].strip() == kept for _at, text in self._option_lines.get(name, ())
        )

    def problem(self, subtype: Subtype, message: str, option: str = "") -> None:
        """Note a problem at the directive, or at an option's line where it is found."""
        source, line = self.place()
        self.problems.append(Problem(subtype=subtype, message=message, source=source, line=line + self._offset(option)))

    def place(self) -> tuple[str, int]:
        """Return the file and line of the directive."""
        source, line = self.get_source_info()
        return absolute(source), line or 1

    def _offset(self, option: str) -> int:
        lines = self._option_lines.get(option, ()) if option else ()
        return lines[0][0] if lines else 0

    @cached_property
    def _option_lines(self) -> dict[str, list[tuple[int, str]]]:
        """Name → the lines of the directive, from 0, that begin with it and a colon, and what follows there."""
        found: dict[str, list[tuple[int, str]]] = {}
        for at, text in enumerate((self.block_text or "").splitlines()):
            name, colon, value = text.strip().removeprefix(":").partition(":")
            if colon:
                found.setdefault(name, []).append((at, value))
        return found

    def choice(self, options: dict[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return an option that is one of the *allowed* words, or the default."""
        value = options.get(name, default)
        if value in allowed:
            return value
        self.problem(
            Subtype.OPTION,
            f"{name} {value!r} is not one of {', '.join(allowed)}{did_you_mean(closest(value, allowed, 1))}",
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
            self.problem(Subtype.OPTION, f"{name} is a flag and takes no value: {value!r}", name)
        return False


def split(value: str) -> list[str]:
    """Return the parts of a list that commas or line ends separate."""
    return [part for text in re.split(r"[,\n]", unbracketed(value)) if (part := text.strip())]


def unbracketed(value: str) -> str:
    """Return a list without the brackets that YAML puts around it."""
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value
