"""Statistics of a file's rows as Delta's JSON.

https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.outline import family
from spark_jobs.statistics import Known, Statistics, single

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What Delta keeps of texts.

    Args:
        kept: how many characters.
        shorten: gives of a longer greatest text one that is kept in its place and isn't smaller, or None.
    """

    kept: int
    shorten: Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A column, or a field of a struct, of which Delta keeps statistics.

    Args:
        path: its name, below those of the structs that hold it.
        kind: its Spark type.
        scale: of a decimal.
        bounds: whether its least and greatest value are kept, and not its nulls alone.
    """

    path: tuple[str, ...]
    kind: str
    scale: int
    bounds: bool


def leaves(columns: StructType, kept: StructType) -> list[Leaf]:
    """The leaves whose statistics a footer can tell; of lists, maps and names with a dot in them it can't.

    Args:
        columns: the table's.
        kept: the schema of the statistics that Delta keeps of it.
    """
    fields = {item.name: set(_paths(item.dataType, ())) for item in kept if item.name in {"minValues", "nullCount"}}
    found = []
    for path, kind in _typed(columns, ()):
        if path in fields.get("nullCount", ()) and not any("." in name for name in path):
            bounds = path in fields.get("minValues", ())
            scale = int(getattr(kind, "scale", 0))
            found.append(Leaf(path=path, kind=kind.simpleString(), scale=scale, bounds=bounds))
    return found


def _typed(struct: StructType, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for item in struct:
        path = (*above, item.name)
        if item.dataType.typeName() == "struct":
            yield from _typed(item.dataType, path)  # type: ignore[arg-type] # it is one
        elif item.dataType.typeName() not in {"array", "map", "variant", "void"}:
            yield path, item.dataType


def _paths(struct: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (path for path, _ in _typed(struct, above))


def as_delta(found: Statistics, among: Iterable[Leaf], texts: Texts, *, tight: bool) -> str:
    """What is known of a file's rows, as Delta's JSON.

    Args:
        found: what is known; names of leaves are joined by dots.
        among: the leaves that Delta keeps.
        texts: what of them.
        tight: whether the table's statistics say of themselves that no row of the file has been deleted.
    """
    least, greatest, nulls = dict[str, Any](), dict[str, Any](), dict[str, Any]()
    for leaf in among:
        known = found.columns.get(".".join(leaf.path))
        if known is not None or not found.rows:
            _put(nulls, leaf.path, known.nulls if known is not None else 0)
        bounds = _bounds(known, leaf.kind, texts) if known is not None and leaf.bounds else (None, None)
        for tree, bound in zip((least, greatest), bounds, strict=True):
            if bound is not None:
                _put(tree, leaf.path, bound)
    said = {"numRecords": found.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls}
    return _json(said | ({"tightBounds": True} if tight else {}))


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _bounds(known: Known, kind: str, texts: Texts) -> tuple[Any, Any]:
    if known.least is None:
        return None, None
    if family(kind) == "text":
        return _texts(known, texts)
    try:
        return _value(known.least, kind), _value(known.greatest, kind)
    except OverflowError:  # beyond Python's calendar
        return None, None


def _texts(known: Known, texts: Texts) -> tuple[str | None, str | None]:
    try:
        least, greatest = known.least.decode(), known.greatest.decode()
    except UnicodeDecodeError:
        return None, None
    if not known.exact:
        return None, None
    short = len(greatest.encode("utf-16-le")) // 2 <= texts.kept
    return least[: texts.kept], greatest if short else texts.shorten(greatest)


def _value(value: Any, kind: str) -> Any:
    group = family(kind)
    if group == "date":
        return (_EPOCH.date() + timedelta(days=value)).isoformat()
    if group in {"timestamp", "timestamp_ntz"}:
        moment = _EPOCH + timedelta(milliseconds=value // 1000)  # the rest is cut off, as Delta does
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}" + "Z" * (group == "timestamp")
    if group == "float":
        return _shortest(value, kind) if math.isfinite(value) else None
    return value if group in {"integer", "decimal"} else None


def _shortest(value: float, kind: str) -> float:
    """A 32-bit float by as few digits as tell it from others."""
    digits = range(6, 10) if kind == "float" else ()
    return next((short for n in digits if single(short := float(f"{value:.{n}g}")) == value), value)


def _json(value: Any) -> str:
    """JSON with decimals in full: Python's own writer knows none."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{_json(item)}" for key, item in value.items()) + "}"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)
