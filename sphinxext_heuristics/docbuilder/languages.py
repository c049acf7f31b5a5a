"""The language of a code block: what its code can be read as."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from pygments.lexers import get_lexer_by_name
from pygments.token import Error
from pygments.util import ClassNotFound

_PYTHON = frozenset({"default", "ipython", "py", "py3", "pycon", "pytb", "python", "python3"})


@lru_cache(maxsize=1024)
def language_of(info: str, code: str) -> str:
    """Choose the language that a code block is highlighted in.

    :param info: What stands behind the fence's opening, ``py`` for example; may be empty.
    :param code: The code.
    :returns: A Pygments lexer's name that reads the code without an error; ``text`` if there is none.
    """
    words = re.split(r"[\s{,]", info, maxsplit=1)
    name = words[0].lower()
    if re.search(r"^\s*>>> ?", code, re.MULTILINE) and (not name or name in _PYTHON):
        name = "pycon"
    elif not name:
        name = "python" if _is_python(code) else "text"
    try:
        tokens = get_lexer_by_name(name).get_tokens(code)
    except ClassNotFound:
        return "text"
    return name if all(token is not Error for token, _ in tokens) else "text"


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True
