"""A project as the commands see it: Sphinx reads its pages, and writes none."""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sphinx.locale
from sphinx.application import Sphinx
from sphinx.errors import ConfigError, SphinxError
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace, patch_docutils

from sphinxext_heuristics.build.builders import ReadingBuilder
from sphinxext_heuristics.build.domain import EXTENSION, HeuristicDomain
from sphinxext_heuristics.cli.terminal import may_colour

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from sphinxext_heuristics.model import Subtype
    from sphinxext_heuristics.resolve.plan import Plan


class CommandError(Exception):
    """A command cannot be done; the message says why, in words for a user."""


def add_options(command: argparse.ArgumentParser, *, doctrees: bool = True) -> None:
    """Add DOCS and the options that sphinx-build has, under the same names.

    A command that does not read all pages has no *doctrees* to use or keep.
    """
    command.add_argument("docs", metavar="DOCS", help="the folder of the documentation and its conf.py")
    group = command.add_argument_group("path options")
    command.set_defaults(doctreedir=None)
    if doctrees:
        group.add_argument(
            "-d",
            "--doctree-dir",
            metavar="PATH",
            dest="doctreedir",
            help="the folder of doctrees to use and to keep, such as sphinx-build's; without it, all pages are read",
        )
    group.add_argument(
        "-c", "--conf-dir", metavar="PATH", dest="confdir", help="the folder of conf.py, if that is not DOCS"
    )
    group = command.add_argument_group("build configuration options")
    group.add_argument(
        "-D",
        "--define",
        metavar="setting=value",
        action="append",
        default=[],
        type=_define,
        help="override a setting of conf.py",
    )
    group.add_argument(
        "-t", "--tag", metavar="TAG", action="append", dest="tags", default=[], help='include "only" blocks with TAG'
    )
    group.add_argument(
        "-j", "--jobs", metavar="N", type=_jobs, default=1, help="read with N processes; 'auto' takes one a CPU"
    )
    group = command.add_argument_group("console output options")
    group.add_argument(
        "-v", "--verbose", action="count", dest="verbosity", default=0, help="say more (can be repeated)"
    )
    group.add_argument("-q", "--quiet", action="store_true", help="no progress, just warnings")
    group.add_argument("-Q", "--silent", action="store_true", help="no progress and no warnings of the build")
    group.add_argument("--color", action="store_const", dest="color", const="yes", default="auto", help="use colours")
    group.add_argument(
        "-N", "--no-color", action="store_const", dest="color", const="no", help="use none (default: on a terminal)"
    )
    group.add_argument("-T", "--show-traceback", action="store_true", dest="traceback", help="show where a failure was")


def _define(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=value")
    return name, value


def _jobs(text: str) -> int:
    if text == "auto":
        return multiprocessing.cpu_count()
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a positive number nor 'auto'")
    return int(text)


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Sphinx]:
    """Yield the project with its configuration loaded; no page is read yet.

    Raises CommandError where Sphinx cannot load the project, or what is done within fails in Sphinx.
    """
    docs = Path(arguments.docs)
    confdir = Path(arguments.confdir or docs)
    _check_folders(docs, confdir)
    sphinx.locale.init_console()
    if not may_colour(sys.stderr, arguments.color):
        nocolor()
    with (
        tempfile.TemporaryDirectory(prefix="sphinx-heuristics-") as scratch,
        _failing(confdir),
        patch_docutils(confdir),
        docutils_namespace(),
    ):
        yield Sphinx(
            docs,
            confdir,
            Path(scratch, "out"),
            arguments.doctreedir or Path(scratch, "doctrees"),
            ReadingBuilder.name,
            dict(arguments.define),
            None if arguments.quiet or arguments.silent else sys.stderr,
            None if arguments.silent else sys.stderr,
            tags=arguments.tags,
            verbosity=arguments.verbosity,
            parallel=arguments.jobs,
        )


def _check_folders(docs: Path, confdir: Path) -> None:
    for folder in (docs, confdir):
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder")
    if not Path(confdir, "conf.py").is_file():
        raise CommandError(f"there is no conf.py in {confdir}; DOCS is its folder")


@contextmanager
def _failing(confdir: Path) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        raise CommandError(_conf_py_message(error, confdir / "conf.py")) from error
    except SphinxError as error:
        if ReadingBuilder.name in str(error):  # the builder is ours: unknown, the extension is not loaded
            raise CommandError(f"{EXTENSION!r} is not among the extensions in {confdir / 'conf.py'}") from error
        raise CommandError(f"{error.category}: {str(error).strip()}") from error


def _conf_py_message(error: ConfigError, conf_py: Path) -> str:
    """Return what is wrong with conf.py and in which line of it; Sphinx gives a whole traceback."""
    cause = error.__cause__
    if cause is None:
        return str(error).strip()
    if isinstance(cause, SyntaxError):
        return f"{cause.filename}:{cause.lineno}: {type(cause).__name__}: {cause.msg}"
    frames = traceback.extract_tb(cause.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == conf_py.name and frame.lineno]
    where = f"{conf_py}:{lines[-1]}" if lines else str(conf_py)
    if isinstance(cause, SystemExit):
        return f"{where}: conf.py, or a module that it imports, called sys.exit()"
    return f"{where}: {type(cause).__name__}: {cause}"


#: How pages write evidence, or bring in a file that may.
_MAY_QUOTE = re.compile(rb"\{(evidence|include)\}|\.\.[ \t]+(evidence|include)[ ]?::", re.IGNORECASE)


def read_evidence(app: Sphinx) -> Plan:
    """Read the pages that may hold evidence and no others; return the plan, which knows what they quote.

    Nothing else can be asked of it, and nothing is kept of what was read. Pages of the API, for which autodoc imports
    the package, are not read, unless they hold evidence themselves; evidence in docstrings is left out.
    """
    env, builder = app.env, app.builder
    env.find_files(app.config, builder)
    docnames = sorted(name for name in env.found_docs if _MAY_QUOTE.search(Path(env.doc2path(name)).read_bytes()))
    app.emit("env-before-read-docs", env, docnames)
    for docname in docnames:
        app.emit("env-purge-doc", env, docname)
        env.clear_doc(docname)
        builder.read_doc(docname)
    domain = HeuristicDomain.of(env)
    domain.forget_plan()
    return domain.plan


def read(app: Sphinx, *, leaves: AbstractSet[Subtype] = frozenset()) -> Plan:
    """Read the pages and return what each shows.

    Warnings of the kinds in *leaves* are not given: the command says that itself.
    """
    builder = app.builder
    if isinstance(builder, ReadingBuilder):
        builder.leaves = leaves
    app.build()
    return HeuristicDomain.of(app.env).plan
