"""Values within structs and arrays: named by a path (`customer.email`), changed where they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import column, listed, nearest, quote
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

    Change = Callable[[Column, DataType], Column]
    Tree = dict[str, "Tree | Change"]
    """Column or field -> what becomes of it, or of its own fields."""

_STEP: Final = re.compile(r"`((?:[^`]|``)+)`|([^.`]+)")


def steps(path: str, columns: Iterable[str]) -> list[str]:
    """A column, and the fields below it; arrays on the way are gone through.

    Args:
        path: `customer.email`; backticks around a name that has a dot itself.
        columns: those there are: one that is called so with its dots is meant first.
    """
    if path in set(columns):
        return [path]
    return [found[1].replace("``", "`") if found[1] else found[2] for found in _STEP.finditer(path)] or [path]


def refuse_unclear(name: str, rows: DataFrame, masked: Iterable[Sequence[str]], where: str) -> None:
    """See that a name means a column or a field and not either: a column that came later would take it over unseen.

    Args:
        name: as the file has it.
        rows: what is masked.
        masked: all that is, as paths; where the field is among it, either is meant by a name of its own.
        where: place in the pipeline file.

    Raises:
        ConfigError: it could mean both.
    """
    first, *fields = path = steps(name, ())
    if name not in rows.columns or not fields or first not in rows.columns or path in map(list, masked):
        return
    try:
        kind_at(path, rows, where)
    except ConfigError:
        return  # there is no such field
    told = ".".join(quote(step) for step in path)
    raise ConfigError(
        f"{name!r} is a column, and a field of {first!r} too",
        where=where,
        expected="one of them",
        remedy=f"write {quote(name)} for the column, {told} for the field, or both",
    )


def kind_at(path: Sequence[str], rows: DataFrame, where: str) -> DataType:
    """The type that a path leads to.

    Raises:
        ConfigError: there is no such field.
    """
    from pyspark.sql.types import StructType

    kind = rows.schema[path[0]].dataType
    for place, name in enumerate(path[1:], 1):
        kind, told = _elements(kind), ".".join(path[:place])
        if not isinstance(kind, StructType):
            raise ConfigError(
                f"{told!r} is {kind.simpleString()}, and has no field {name!r}",
                where=where,
                expected="a struct, or an array of structs",
            )
        if name not in kind.names:
            raise ConfigError(
                f"{told!r} has no field {name!r}",
                where=where,
                expected=f"one of {listed(kind.names)}",
                remedy=nearest(name, kind.names),
            )
        kind = kind[name].dataType
    return kind


def texts_below(path: tuple[str, ...], kind: DataType) -> Iterator[tuple[str, ...]]:
    """The paths of the texts within a value, itself included; not those in maps."""
    from pyspark.sql.types import StringType, StructType

    kind = _elements(kind)
    if isinstance(kind, StringType):
        yield path
    elif isinstance(kind, StructType):
        for field in kind.fields:
            yield from texts_below((*path, field.name), field.dataType)


def plant(tree: Tree, path: Sequence[str], change: Change, where: str) -> None:
    """Say what becomes of the value at a path.

    Raises:
        ConfigError: something else becomes of it, or of what it lies in.
    """
    told = ".".join(path)
    for name in path[:-1]:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            raise ConfigError(f"{told!r} lies in {name!r}, which is masked whole", where=where, expected="one of them")
        tree = below
    if path[-1] in tree:
        raise ConfigError(f"{told!r} is masked twice: itself, or what lies in it", where=where, expected="once")
    tree[path[-1]] = change


def changed(rows: DataFrame, tree: Tree) -> DataFrame:
    """The rows, with what a tree says; null stays null, and so does what stands beside."""
    made = {name: _rebuilt(column(name), rows.schema[name].dataType, node) for name, node in tree.items()}
    return rows.withColumns({name: value.alias(name) for name, value in made.items()}) if made else rows


def each(change: Change) -> Change:
    """A change of a value, or of every value in an array."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
    from pyspark.sql.types import ArrayType

    def of(value: Column, kind: DataType) -> Column:
        if isinstance(kind, ArrayType):
            return F.transform(value, lambda item: of(item, kind.elementType))
        return change(value, kind)

    return of


def once(value: Column, change: Callable[[Column], Column]) -> Column:
    """A change that names its value several times, of a value that is worked out once."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.transform(F.array(value), change)[0]


def _rebuilt(value: Column, kind: DataType, node: Tree | Change) -> Column:
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql.types import ArrayType, StructType

    if not isinstance(node, dict):
        return node(value, kind)
    if isinstance(kind, ArrayType):
        return F.transform(value, lambda item: _rebuilt(item, kind.elementType, node))
    made = value
    if isinstance(kind, StructType):  # as kind_at has seen
        for name, below in node.items():
            made = made.withField(quote(name), _rebuilt(value.getField(name), kind[name].dataType, below))
    return made


def _elements(kind: DataType) -> DataType:
    """What is in an array, or in an array of arrays; else the type itself."""
    from pyspark.sql.types import ArrayType

    while isinstance(kind, ArrayType):
        kind = kind.elementType
    return kind
