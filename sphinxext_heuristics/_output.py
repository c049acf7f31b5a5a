"""Files that are replaced, and the record of what was written into an output folder.

Extensions of ours that know nothing of each other keep one each.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What stands for the digest of a page that is not known, and is that of none.
UNKNOWN = "?"


class OutputRecord:
    """What was written last into one output folder: a digest for each page.

    It is kept with the output that it is about: another folder has its own, and one
    that was wiped has none. One object of a build reads the file, takes it away as the
    first page is written, so that a killed build leaves none, and puts it back.
    """

    def __init__(self, path: Path, writer: str) -> None:
        """Read the record in a file of that folder, if there is one of this *writer*.

        It names the builder and the version of the extension and of its words: another
        one may show the same content differently.
        """
        self._path = path
        self._written: set[str] = set()
        # No document has an empty name.
        self._writer = {"": writer}
        # Without a record, as after an interrupted build, nothing is known of a page.
        self._before = defaultdict(lambda: UNKNOWN)
        with suppress(OSError, ValueError, AttributeError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if found.get("") == writer:
                self._before = defaultdict(str, found)

    def stale(self, digests: Mapping[str, str]) -> list[str]:
        """Return the documents that show something else now than when written."""
        return sorted(
            name for name, digest in digests.items() if self._before[name] != digest
        )

    def add(self, *docnames: str) -> None:
        """Note documents that are written."""
        if not self._written:
            self._path.unlink(missing_ok=True)
        self._written.update(docnames)

    def save(self, digests: Mapping[str, str]) -> None:
        """Keep the digests of what is written now, if anything is.

        Pages that were left alone keep what they had, which may be unknown.
        """
        if not self._written:
            return
        record = {name: self._before[name] for name in digests}
        record.update((name, digests.get(name, "")) for name in self._written)
        kept = {name: digest for name, digest in record.items() if digest}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(
            json.dumps(kept | self._writer, indent=0, sort_keys=True), encoding="utf-8"
        )


def replace_files(texts: Mapping[Path, str]) -> None:
    """Write the texts of files; symbolic links, permissions and line ends stay.

    Nothing is replaced before all is written beside. Raises `OSError` where one cannot
    be written; all are as they were then.
    """
    ready: dict[Path, Path] = {}
    with ExitStack() as stack:
        for path, text in texts.items():
            real = path.resolve()
            beside = TemporaryDirectory(dir=real.parent, prefix=".new-")
            new = Path(stack.enter_context(beside), real.name)
            has_crlf = real.is_file() and b"\r\n" in real.read_bytes()
            new.write_text(text, encoding="utf-8", newline="\r\n" if has_crlf else "\n")
            if real.is_file():
                shutil.copymode(real, new)
            ready[new] = real
        for new, real in ready.items():
            new.replace(real)
