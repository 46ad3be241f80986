"""What the classes of the language say of their options and of themselves, read from their source."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import sys
import textwrap
from typing import Any


@functools.cache
def attribute_docs(kind: Any) -> dict[str, str]:
    """Option -> what its metadata says, or the text below its field, on one line; those of base classes too."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if dataclasses.is_dataclass(base):
            found |= _own(base)
    return found


def _own(kind: Any) -> dict[str, str]:
    fields = {item.name: item for item in dataclasses.fields(kind)}
    found = {name: item.metadata["description"] for name, item in fields.items() if "description" in item.metadata}
    for field, text in itertools.pairwise(_body(kind)):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            said = text.value.value if isinstance(text.value, ast.Constant) else None
            if isinstance(said, str) and field.target.id in fields:
                found[field.target.id] = " ".join(said.split())
    return found


def _body(kind: Any) -> list[ast.stmt]:
    return _bodies(kind.__module__).get(kind.__qualname__, []) or _alone(kind)


@functools.cache
def _bodies(module: str) -> dict[str, list[ast.stmt]]:
    """The bodies of a module's classes, parsed once: to ask for the source of each class parses all of it each time."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):
        return {}
    return {item.name: item.body for item in tree.body if isinstance(item, ast.ClassDef)}


def _alone(kind: Any) -> list[ast.stmt]:
    """The body of a class that stands in no module's top level."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):  # a class without a source (compiled, or made by code) has no texts
        return []
    return tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []


def text_of(kind: Any) -> str:
    """What a class's docstring says, as one paragraph."""
    return " ".join((inspect.getdoc(kind) or "").split())


def summary(kind: type[Any]) -> str:
    """The first sentence of a class, without its full stop."""
    first = " ".join((inspect.getdoc(kind) or "").split("\n\n", maxsplit=1)[0].split())
    return first.partition(". ")[0].rstrip(".")
