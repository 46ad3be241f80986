"""What the classes of the language say of their options: the text below each field, read from the source."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import textwrap
from collections.abc import Mapping
from typing import Any


@functools.cache
def option_texts(kind: type[Any]) -> Mapping[str, str]:
    """Name of a field -> its text, on one line; those of base classes too, and of those alone that have one."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if dataclasses.is_dataclass(base):
            found |= _texts(base)
    return found


def _texts(kind: type[Any]) -> dict[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):  # a class without a source (compiled, or made by code) has no texts
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            said = text.value.value if isinstance(text.value, ast.Constant) else None
            found |= {field.target.id: " ".join(said.split())} if isinstance(said, str) else {}
    return found


def summary(kind: type[Any]) -> str:
    """The first sentence of a class, without its full stop."""
    first = " ".join((inspect.getdoc(kind) or "").split("\n\n", maxsplit=1)[0].split())
    return first.partition(". ")[0].rstrip(".")
