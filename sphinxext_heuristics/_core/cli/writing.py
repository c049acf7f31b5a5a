"""What the commands print, and the files of a project that they write."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..._output import replace_files
from ..diagnostics import TYPE
from ..files.project_file import ProjectFile, unified
from ..files.project_file import read as read_file
from .project import CommandError

if TYPE_CHECKING:
    from ..problems import Problem


def say(text: str) -> None:
    """Print a line of the result."""
    print(_from_here(text))  # noqa: T201 - a command's result


def _from_here(text: str) -> str:
    """Return a text with the paths in it as seen from the working directory."""
    folder = re.escape(f"{Path.cwd()}{os.sep}")
    return re.sub(rf"(?<![\w./~-]){folder}", "", text)


def say_json(data: object) -> None:
    """Print a result for programs."""
    say(json.dumps(data, ensure_ascii=False, indent=2))


def seen(path: str | Path) -> str:
    """Return a path as seen from the working directory, if that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)


def warning(problem: Problem) -> str:
    """Return what is wrong in the project, as a build says it."""
    return (
        f"{seen(problem.source)}:{problem.line}: WARNING: {problem.message} "
        f"[{TYPE}.{problem.word}]"
    )


def note(text: str) -> None:
    """Print a line of progress or a remark, which is no result."""
    print(_from_here(text), file=sys.stderr)  # noqa: T201 - as above


def required(file: ProjectFile) -> ProjectFile:
    """Return the file that a command writes.

    Raises CommandError where its option names none.
    """
    if file.is_set:
        return file
    why = f"{file.option} is not set in {file.conf_py}"
    if file.fault:
        why = f"{file.conf_py}:{file.conf_line}: {file.fault}"
    # Outside the source directory, where it is no page.
    example = f"{file.option} = {f'../{file.path.name}'!r}"
    raise CommandError(f"{why}; for the {file.called}, write {example}")


def bring_up_to_date(
    file: ProjectFile,
    wanted: str,
    remark: str = "",
    *,
    head: str = "",
    shows_diff: bool = False,
) -> int:
    """Write a file if it does not hold what is *wanted*; return the exit code.

    With a remark, only that and the diff are printed. Raises CommandError where a file
    has no such *head*, and would be lost.
    """
    found = read_file(file.path)
    if found == wanted:
        note(f"{seen(file.path)} is up to date")
        return 0
    changes = unified(found or "", wanted, seen(file.path))
    if remark:
        note(remark)
        say(changes)
        return 1
    if found and head not in found:
        raise CommandError(
            f"{file.path} is no {file.called}: it would be lost; let "
            f"{file.option} name another file"
        )
    if shows_diff and found is not None:
        say(changes)
    write(file.path, wanted)
    say(seen(file.path))
    return 0


def write(path: Path, text: str) -> None:
    """Write a file's text; its line ends stay.

    Raises CommandError where it cannot be written; it is as it was then.
    """
    try:
        replace_files({path: text})
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet, also if somebody else is about to.

    Raises CommandError where it exists or cannot be written.
    """
    try:
        path.touch(exist_ok=False)
    except FileExistsError as error:
        raise there_already(path) from error
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error
    try:
        write(path, text)
    except CommandError:
        path.unlink()
        raise


def there_already(path: Path) -> CommandError:
    """Return what is said of a file that is not overwritten."""
    return CommandError(f"{seen(path)} is there already; it is left as it is")
