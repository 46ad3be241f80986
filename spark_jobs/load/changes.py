"""What the rows of a window do to the keys of a table: each is an upsert, a delete or a truncate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import quote, require
from spark_jobs.expressions import scalar
from spark_jobs.load import by_key
from spark_jobs.load.by_key import Cdc, Keyed, Merge, Scd2, names
from spark_jobs.load.outside import Outside
from spark_jobs.load.strategies import instant
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

CHANGE: Final = "__etl_change__"
UPSERT, DELETE, TRUNCATE = 0, 1, 2
_PASSED_OVER: Final = -1


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

    @property
    def keyless(self) -> str:
        """The condition of a truncate."""
        return " AND ".join(f"{quote(key)} IS NULL" for key in self.own)

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
        return _logged(write, rows)
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
        (by_key.BEFORE_IMAGES, _PASSED_OVER),
    )
    cases = " ".join(f"WHEN {said} IN ({', '.join(map(repr, words))}) THEN {kind}" for words, kind in kinds)
    return f"CASE {cases} END"


def _logged(write: Cdc, rows: DataFrame) -> Changes:
    from pyspark.sql import functions as F  # noqa: N812

    marked = rows.withColumn(CHANGE, F.expr(_operation(write))).where(F.col(CHANGE) != _PASSED_OVER)
    sequence = names(write.sequence)
    if write.after is None or write.before is None:
        flat = marked.drop(write.operation)
        return Changes(rows=flat, keys=write.keys, own=write.keys, sequence=sequence, deletes=True, truncates=True)
    kind: Any = marked.schema[write.after].dataType
    before, after = F.expr(quote(write.before)).cast(kind), F.expr(quote(write.after))
    moved = " OR ".join(
        f"NOT ({quote(write.before)}.{quote(key)} <=> {quote(write.after)}.{quote(key)})" for key in write.keys
    )
    change, nothing = F.col(CHANGE), F.lit(None).cast(kind)
    # One event becomes its record, and where its key has changed the end of the key that it had.
    what = (
        F.when(change == TRUNCATE, F.array(_one(nothing, TRUNCATE)))
        .when(change == DELETE, F.array(_one(before, DELETE)))
        .when(before.isNotNull() & F.expr(moved), F.array(_one(before, DELETE), _one(after, UPSERT)))
        .otherwise(F.array(_one(after, UPSERT)))
    )
    beside = [name for name in (*sequence, *filter(None, [write.valid_from])) if name not in kind.names]
    opened = marked.select(*[F.expr(quote(name)) for name in beside], F.inline(what)).select(
        *[F.expr(f"record.{quote(name)}").alias(name) for name in kind.names],
        *[F.expr(quote(name)) for name in dict.fromkeys(beside)],
        CHANGE,
    )
    return Changes(rows=opened, keys=write.keys, own=write.keys, sequence=sequence, deletes=True, truncates=True)


def _one(record: Column, change: int) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.struct(record.alias("record"), F.lit(change).alias(CHANGE))


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
