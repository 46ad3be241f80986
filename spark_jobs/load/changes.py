"""What the rows of a window do to the keys of a table: each is an upsert, a delete or a truncate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import column, quote, require
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import scalar
from spark_jobs.load import by_key
from spark_jobs.load.by_key import Cdc, Keyed, Merge, Scd2, names
from spark_jobs.load.literals import typed_literal
from spark_jobs.load.outside import Outside
from spark_jobs.load.scope import Scope
from spark_jobs.load.strategies import instant
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

CHANGE: Final = "__etl_change__"
UPSERT, DELETE, TRUNCATE = 0, 1, 2
_RECORD: Final = "__etl_record__"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Rows as a table by key takes them.

    Args:
        rows: the table's columns and CHANGE.
        keys: columns that name an entity; those of the load's scope are among them.
        sequence: columns that order the changes of a key.
        own: the keys without those of the scope; null in a truncate.
        deletes: whether there may be deletes.
        truncates: whether there may be truncates.
    """

    rows: DataFrame
    keys: tuple[str, ...]
    sequence: tuple[str, ...]
    own: tuple[str, ...]
    deletes: bool
    truncates: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that the table has."""
        return [name for name in self.rows.columns if name != CHANGE]

    def of(self, *kinds: int) -> DataFrame:
        """The rows of some kinds of change."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return self.rows.where(F.col(CHANGE).isin(*kinds))


def changes_of(write: Keyed, rows: DataFrame, window: Window, where: str) -> Changes:
    """What the rows of a window do.

    Args:
        write: the strategy.
        rows: the dataset; nothing that `refusals` names is left in it.
        window: the window.
        where: place in the pipeline file.

    Raises:
        ConfigError: a column that isn't there, or a condition that Spark refuses.
    """
    require(_named(write), rows.columns, f"{where}.write")
    if isinstance(write, Cdc):
        return _logged(write, rows, where)
    gone = _condition(write.delete_when, rows, where)
    marked = rows.withColumn(CHANGE, gone.cast("int"))
    sequence = names(write.sequence)
    if isinstance(write, Merge) and not sequence:
        from pyspark.sql import functions as F  # noqa: N812

        marked, sequence = marked.withColumn(by_key.WINDOW_END, F.expr(instant(window.end))), (by_key.WINDOW_END,)
    return Changes(
        rows=marked, keys=write.keys, own=write.keys, sequence=sequence, deletes=write.delete_when is not None
    )


def _named(write: Keyed) -> list[str]:
    """The dataset's columns that the options name."""
    found = [*names(write.sequence)]
    if isinstance(write, Cdc):
        found += [write.operation, *filter(None, [write.before, write.after, write.valid_from])]
        return list(dict.fromkeys(found + ([] if write.after else list(write.keys))))
    found += write.keys
    if isinstance(write, Scd2):
        found += [write.valid_from, *(write.track if write.track != "all" else ())]
    elif write.update != "all":
        found += write.update
    return list(dict.fromkeys(found))


def _condition(text: str | None, rows: DataFrame, where: str) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    if text is None:
        return F.lit(False)
    return F.coalesce(scalar(text, rows, f"{where}.write.delete_when").cast("boolean"), F.lit(False))


def _operation(write: Cdc) -> str:
    """The kind of change that an event is, as a Spark SQL expression; null for an unknown operation."""
    said = f"lower(trim({quote(write.operation)}))"
    kinds = (
        (by_key.UPSERTS, UPSERT),
        (by_key.DELETES, DELETE),
        (by_key.TRUNCATES, TRUNCATE),
    )
    cases = " ".join(f"WHEN {said} IN ({', '.join(map(repr, words))}) THEN {kind}" for words, kind in kinds)
    return f"CASE {cases} END"


def _logged(write: Cdc, rows: DataFrame, where: str) -> Changes:
    from pyspark.sql import functions as F  # noqa: N812

    marked, sequence = rows.withColumn(CHANGE, F.expr(_operation(write))), names(write.sequence)
    if write.after is not None and write.before is not None:
        marked = _opened(write, marked, write.before, write.after, where)
    else:
        marked = marked.drop(write.operation)
    # A truncate is of no key, whatever its event says.
    keys = {key: F.when(F.col(CHANGE) != TRUNCATE, column(key)) for key in write.keys}
    marked = marked.withColumns(keys)
    return Changes(rows=marked, keys=write.keys, own=write.keys, sequence=sequence, deletes=True, truncates=True)


def _opened(write: Cdc, marked: DataFrame, before: str, after: str, where: str) -> DataFrame:
    """The records of envelopes: of each event its own, and where its key has changed the end of the key that it had."""
    from pyspark.sql import functions as F  # noqa: N812

    kind: Any = marked.schema[after].dataType
    beside = list(dict.fromkeys((*names(write.sequence), *filter(None, [write.valid_from]))))
    _refuse_clash(beside, kind.names, where)
    require(write.keys, kind.names, f"{where}.write.keys")
    had, has = _by_name(before, marked.schema[before].dataType, kind), column(after)
    known = F.expr(" AND ".join(f"{quote(before)}.{quote(key)} IS NOT NULL" for key in write.keys))
    moved = F.expr(" OR ".join(f"{quote(before)}.{quote(key)} <> {quote(after)}.{quote(key)}" for key in write.keys))
    change, nothing = F.col(CHANGE), F.lit(None).cast(kind)
    what = (
        F.when(change == TRUNCATE, F.array(_one(nothing, TRUNCATE)))
        .when(change == DELETE, F.array(_one(had, DELETE)))
        .when(F.coalesce(known & moved, F.lit(False)), F.array(_one(had, DELETE), _one(has, UPSERT)))
        .otherwise(F.array(_one(has, UPSERT)))
    )
    opened = marked.select(*[column(name) for name in beside], F.inline(what))
    record = [F.expr(f"{_RECORD}.{quote(name)}").alias(name) for name in kind.names]
    return opened.select(*record, *[column(name) for name in beside], CHANGE)


def _by_name(before: str, held: Any, wanted: Any) -> Column:
    """The record before as one of the type of the record after, field by field: a cast would go by their order."""
    from pyspark.sql import functions as F  # noqa: N812

    fields = []
    for field in wanted.fields:
        there = field.name in held.names
        value = F.expr(f"{quote(before)}.{quote(field.name)}") if there else F.lit(None)
        fields.append(value.cast(field.dataType).alias(field.name))
    return F.when(column(before).isNotNull(), F.struct(*fields))


def _refuse_clash(beside: Sequence[str], record: Sequence[str], where: str) -> None:
    taken = {name.lower() for name in record}
    clash = next((name for name in beside if name.lower() in taken), None)
    if clash is not None:
        raise ConfigError(
            f"column {clash!r} is the event's, and the record has one of that name",
            where=f"{where}.write",
            expected="names that differ: the table has both",
            remedy="rename the event's, such as `rename: {" + clash + ": event_" + clash + "}`",
        )


def _one(record: Column, change: int) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.struct(record.alias(_RECORD), F.lit(change).alias(CHANGE))


def refusals(write: Keyed) -> list[Outside]:
    """Which rows a strategy by key can't take: without a key, a sequence, an instant, or of an unknown operation."""
    found = []
    if isinstance(write, Cdc):
        known = f"coalesce({_operation(write)}, -2)"
        told, expected = f"have an unknown operation ({write.operation})", ", ".join(by_key.OPERATIONS)
        found.append(Outside(rule="unknown_operation", condition=f"{known} = -2", told=told, expected=expected))
        missing = f"{known} IN ({UPSERT}, {DELETE}) AND ({_keyless(write, known)})"
    else:
        missing = _null(write.keys)
    found.append(_without("key", missing, write.keys))
    if sequence := names(write.sequence):
        found.append(_without("sequence", _null(sequence), sequence))
    if instant_column := getattr(write, "valid_from", None):
        found.append(_without("valid_from", _null((instant_column,)), (instant_column,)))
    return found


def strays_inside(write: Keyed, rows: DataFrame, scope: Scope, where: str) -> Outside | None:
    """Records of envelopes that say that they are of another scope; None where none can."""
    if not isinstance(write, Cdc) or write.after is None:
        return None
    record: Any = rows.schema[write.after].dataType
    taken = {name.lower(): name for name in record.names}
    said = {taken[name.lower()]: value for name, value in scope.items() if name.lower() in taken}
    if not said:
        return None
    inside = " AND ".join(
        f"{quote(write.after)}.{quote(name)} = {typed_literal(name, value, record, where)}"
        for name, value in said.items()
    )
    condition = f"coalesce({_operation(write)}, -2) = {UPSERT} AND NOT coalesce({inside}, false)"
    told = f"lie outside the scope {dict(scope)}"
    return Outside(rule="outside_scope", condition=condition, told=told, expected="only rows of the scope")


def _without(what: str, condition: str, columns: Sequence[str]) -> Outside:
    told = f"have no {what} ({', '.join(columns)})"
    return Outside(rule=f"null_{what}", condition=condition, told=told, expected=f"only rows with a {what}")


def _keyless(write: Cdc, known: str) -> str:
    if write.before is None or write.after is None:
        return _null(write.keys)
    records = [(DELETE, write.before), (UPSERT, write.after)]
    return " OR ".join(
        f"({known} = {kind} AND {quote(record)}.{quote(key)} IS NULL)" for kind, record in records for key in write.keys
    )


def _null(columns: Sequence[str]) -> str:
    return " OR ".join(f"{quote(name)} IS NULL" for name in columns)
