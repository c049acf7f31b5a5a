"""A project as the commands see it: Sphinx reads its pages, and writes none."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import sphinx.locale
from sphinx.application import Sphinx
from sphinx.cmd.build import jobs_argument
from sphinx.errors import ConfigError, SphinxError
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace, patch_docutils

from ..integration.builders import ReadingBuilder
from ..integration.domain import EXTENSION, HeuristicDomain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from ..problems import Subtype
    from ..resolve.plan import Plan


class CommandError(Exception):
    """A command cannot be done; the message says why, in words for a user."""


def add_options(
    command: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace], int],
    *,
    doctrees: bool = True,
) -> None:
    """Add DOCS, the options that sphinx-build has, too, and what runs the command.

    A command that does not read all pages has no *doctrees* to use or keep.
    """
    command.set_defaults(run=run, doctreedir=None)
    command.add_argument(
        "docs", metavar="DOCS", help="the folder of the documentation and its conf.py"
    )
    group = command.add_argument_group("options of sphinx-build")
    if doctrees:
        group.add_argument(
            "--doctree-dir",
            "-d",
            dest="doctreedir",
            metavar="PATH",
            help="the folder of doctrees to use and to keep, such as sphinx-build's; "
            "without it, all pages are read",
        )
    group.add_argument(
        "--conf-dir",
        "-c",
        dest="confdir",
        metavar="PATH",
        help="the folder of conf.py, where it is not DOCS",
    )
    group.add_argument(
        "--define",
        "-D",
        action="append",
        default=[],
        metavar="setting=value",
        help="override a setting of conf.py",
    )
    group.add_argument(
        "--tag",
        "-t",
        action="append",
        default=[],
        dest="tags",
        metavar="TAG",
        help='include "only" blocks with TAG',
    )
    group.add_argument(
        "--jobs",
        "-j",
        type=jobs_argument,
        default=1,
        metavar="N",
        help="read with N processes where possible; 'auto' takes all CPU cores",
    )
    group.add_argument(
        "--verbose",
        "-v",
        action="count",
        default=0,
        dest="verbosity",
        help="print Sphinx's log on stderr, too (can be repeated)",
    )
    group.add_argument(
        "--quiet",
        "-q",
        action="store_true",
        help="no log of Sphinx, just results and warnings (the default)",
    )
    group.add_argument(
        "--silent",
        "-Q",
        action="store_true",
        dest="really_quiet",
        help="no warnings, just results and errors",
    )
    group.add_argument(
        "--show-traceback",
        "-T",
        action="store_true",
        dest="traceback",
        help="show the traceback of a failure",
    )


class Command(NamedTuple):
    """A command that opens a project; `releases` makes its own."""

    name: str
    #: What it does, and more about that for its own help.
    help: str
    #: Does it; returns the exit code.
    run: Callable[[Sphinx, argparse.Namespace], int]
    description: str = ""
    #: Each argument with its placeholder, ``""`` for a flag, and what it is for.
    arguments: tuple[tuple[str, str, str], ...] = ()
    #: Whether it reads all pages, and so has doctrees to use or keep.
    doctrees: bool = True

    def add(
        self, commands: argparse._SubParsersAction[argparse.ArgumentParser]
    ) -> None:
        """Add the command to the parser."""
        command = commands.add_parser(
            self.name, help=self.help, description=self.description or self.help
        )
        add_options(command, self._opened, doctrees=self.doctrees)
        for name, placeholder, purpose in self.arguments:
            if placeholder:
                command.add_argument(name, metavar=placeholder, help=purpose)
            else:
                command.add_argument(name, action="store_true", help=purpose)

    def _opened(self, arguments: argparse.Namespace) -> int:
        with opened(arguments) as app:
            return self.run(app, arguments)


@contextmanager
def others_on_stderr() -> Iterator[None]:
    """Send to stderr what conf.py, extensions and programs of theirs print.

    So our results are alone on stdout.
    """
    results = sys.stdout
    results.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        results.flush()  # who has it from before has written to it
        os.dup2(stdout, 1)
        os.close(stdout)


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Sphinx]:
    """Yield the project with its configuration loaded; no page is read yet.

    Raises CommandError where Sphinx cannot load the project, or what is done within
    fails in Sphinx.
    """
    docs = Path(arguments.docs)
    confdir = Path(arguments.confdir or docs)
    settings = {}
    for setting in arguments.define:
        name, _equals, value = setting.partition("=")
        settings[name] = value
    sphinx.locale.init_console()
    nocolor()
    temporary = tempfile.TemporaryDirectory(prefix="sphinx-heuristics-")
    try:
        with temporary as scratch, patch_docutils(confdir), docutils_namespace():
            with others_on_stderr():
                app = Sphinx(
                    docs,
                    confdir,
                    Path(scratch, "out"),
                    arguments.doctreedir or Path(scratch, "doctrees"),
                    ReadingBuilder.name,
                    settings,
                    sys.stderr if arguments.verbosity else None,
                    None if arguments.really_quiet else sys.stderr,
                    tags=arguments.tags,
                    verbosity=arguments.verbosity,
                    parallel=arguments.jobs,
                )
            yield app
    except ConfigError as error:
        raise CommandError(_conf_py_message(error, confdir / "conf.py")) from error
    except SphinxError as error:
        # The builder is ours: where it is unknown, the extension is not loaded.
        if ReadingBuilder.name in str(error):
            raise CommandError(
                f"{EXTENSION!r} is not among the extensions in {confdir / 'conf.py'}"
            ) from error
        raise CommandError(f"{error.category}: {str(error).strip()}") from error


def _conf_py_message(error: ConfigError, conf_py: Path) -> str:
    """Return what is wrong with conf.py and in which line of it.

    Sphinx gives a whole traceback.
    """
    message = str(error).strip()
    lines = re.findall(r'conf\.py"?, line (\d+)', message)
    if not lines:
        return message
    return f"{conf_py}:{lines[-1]}: {message.splitlines()[-1]}"


#: How pages write evidence, or bring in a file that may.
_MAY_QUOTE = re.compile(
    rb"\{(evidence|include)\}|\.\.[ \t]+(evidence|include)[ ]?::", re.IGNORECASE
)


def read_evidence(app: Sphinx) -> Plan:
    """Read the pages that may hold evidence, and return the plan of these.

    What is in docstrings is left out. Nothing else can be asked of the plan, and
    nothing is kept of what was read.
    """
    env, builder = app.env, app.builder
    domain = HeuristicDomain.of(env)
    domain.begin_build(app)
    env.find_files(app.config, builder)
    docnames = [
        docname
        for docname in sorted(env.found_docs)
        if _MAY_QUOTE.search(env.doc2path(docname).read_bytes())
    ]
    with others_on_stderr():
        app.emit("env-before-read-docs", env, docnames)
        for docname in docnames:
            builder.read_doc(docname)
    return domain.plan


def read(app: Sphinx, *, leaves: AbstractSet[Subtype] = frozenset()) -> Plan:
    """Read the pages and return what each shows.

    Warnings of the kinds in *leaves* are not given: the command says that itself.
    """
    cast("ReadingBuilder", app.builder).leaves = leaves
    with others_on_stderr():
        app.build()
    return HeuristicDomain.of(app.env).plan
