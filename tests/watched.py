"""A project whose builds tell what they read, what they write, and what for nothing."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conftest import Built, Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Where builders write a document.
FILES = ("{}.html", "{}/index.html", "{}.txt", "{}.fjson")


class Page(NamedTuple):
    """A file of a document, as it was found."""

    time: int
    content: bytes


class WatchedProject(Project):
    """A project, and which documents its last build read and wrote.

    A document is written for a reason if it was read since it was written last, or if
    its file has another content now; Sphinx writes the documents whose toctrees name
    one that is written, too. What is written without a reason is *idle*.
    """

    read: frozenset[str] = frozenset()
    wrote: frozenset[str] = frozenset()
    idle: frozenset[str] = frozenset()

    def __init__(self, root: Path, files: Mapping[str, str] | str) -> None:
        """Write the project."""
        super().__init__(root, files)
        #: Output folder → the documents that were not read since they are there.
        self._settled: dict[Path, frozenset[str]] = {}

    def build(
        self,
        builder: str = "text",
        *options: str,
        out: str = "",
        files: Sequence[Path] = (),
    ) -> Built:
        """Build, and look at the files before and after."""
        outdir = self.root / (out or f"out-{builder}")
        read_before, before = self._read(), self._written(outdir)
        built = super().build(builder, *options, out=out, files=files)
        read_now, now = self._read(), self._written(outdir)
        self.read = frozenset(
            name for name, time in read_now.items() if read_before.get(name) != time
        )
        self.wrote = frozenset(
            name for name, page in now.items() if before.get(name) != page
        )
        same = {
            name
            for name in self.wrote & before.keys()
            if before[name].content == now[name].content
        }
        same &= self._settled.get(outdir, frozenset()) - self.read
        self.idle = frozenset(same and same - self._above(self.wrote - same))
        for folder, settled in self._settled.items():
            self._settled[folder] = settled - self.read
        self._settled[outdir] = self._settled.get(outdir, frozenset()) | self.wrote
        return built

    def forget_what_is_written(self) -> None:
        """Know no reason of the next writing, as after a build that was killed."""
        self._settled.clear()

    @property
    def _doctrees(self) -> Path:
        return self.root / "doctrees"

    def _read(self) -> dict[str, int]:
        """Return document → when it was read."""
        return {
            path.relative_to(self._doctrees).with_suffix("").as_posix(): (
                path.stat().st_mtime_ns
            )
            for path in self._doctrees.rglob("*.doctree")
        }

    def _written(self, out: Path) -> dict[str, Page]:
        """Return document → its file in an output folder."""
        found = {}
        for docname in self._read():
            paths = [out / form.format(docname) for form in FILES]
            for path in filter(Path.is_file, paths):
                found[docname] = Page(path.stat().st_mtime_ns, path.read_bytes())
                break
        return found

    def _above(self, docnames: Iterable[str]) -> set[str]:
        """Return the documents whose toctrees name one of some documents."""
        env = pickle.loads((self._doctrees / "environment.pickle").read_bytes())  # noqa: S301 - of our own build
        return {
            above
            for docname in docnames
            for above in env.files_to_rebuild.get(docname, ())
        }
