"""What the quarantine's columns say, and what a row gets when it is set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

REFUSED: Final = (
    "raw STRING, dataset STRING, stage STRING, rules ARRAY<STRING>, message STRING, "
    "source_file STRING, source_line BIGINT"
)
"""The columns of a refused row; whoever refuses it fills them."""

WAITING: Final = "waiting"
REPLAYED: Final = "replayed"
DROPPED: Final = "dropped"
EXPIRED: Final = "expired"
COUNTED: Final = (WAITING, DROPPED, EXPIRED)
"""States of rows that are in no table: with them, counts balance."""
GIVEN_UP: Final = (DROPPED, EXPIRED)
"""States in which a row stays that is refused once more."""
HASH: Final = "sha2(concat_ws('|', pipeline, unix_micros(window_start), unix_micros(window_end), dataset, raw), 256)"
"""What a record is known by once it is gone, in Spark SQL; of no use to find one record in other tables."""

COLUMNS: Final = {
    "raw": ("string", "the whole record as it came: a line of a file, or JSON of the row; null where a mask hides it"),
    "dataset": ("string", "the source or dataset that refused it"),
    "stage": ("string", "the verb that did: extract, transform, check, load"),
    "rules": ("array<string>", "all rules that it broke"),
    "message": ("string", "why, in words, with the values"),
    "source_file": ("string", "the file that it stood in; null behind the source"),
    "source_line": ("bigint", "its line or record in the file, from 1; null where that isn't known"),
    "pipeline": ("string", "the pipeline's id"),
    "window_start": ("timestamp", "the window's first instant, UTC"),
    "window_end": ("timestamp", "the first instant after it, UTC"),
    "attempt": ("bigint", "number of the attempt; the row counts only where the ledger names it"),
    "first_seen": ("timestamp", "when an attempt refused it first; repeats of the window keep that"),
    "error_type": ("string", "parse, contract, step, check or destination"),
    "retries": ("int", "how often it was tried again since, and refused again"),
    "retryable": ("boolean", "whether it may be accepted as it is, once other data has come: a late dimension's row"),
    "state": ("string", "waiting, replayed (a later run refused it no more), dropped (given up) or expired (too old)"),
    "state_at": ("timestamp", "since when, where it isn't waiting"),
    "state_by": ("string", "who dropped it"),
    "state_reason": ("string", "why it was dropped"),
    "record": ("string", "of an expired row, whose record is gone: a hash by which that is known if it comes again"),
}
"""Name -> (type, meaning), in the table's order."""
HANDLING: Final = ("error_type", "retryable", "state", "state_at", "state_by", "state_reason", "record")
"""What says how a row is dealt with, and not why it was refused."""

# Rules of a contract, told by their first word; what else a source refuses it couldn't read.
_CONTRACT: Final = "^(type|required|window|new column|new columns)( |$)"
_BEHIND: Final = {"transform": "step", "check": "check", "load": "destination"}


def error_type() -> Column:
    """`error_type` of a refused row, by who refused it."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    contract = F.exists("rules", lambda rule: rule.rlike(_CONTRACT))
    found = F.when((F.col("stage") == "extract") & contract, "contract")
    for stage, name in _BEHIND.items():
        found = found.when(F.col("stage") == stage, name)
    return found.otherwise("parse")


def retryable(plan: Plan) -> Column:
    """Whether all that a refused row broke are rules about other data, which may come yet."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    named = [F.lit(rule) for rule in sorted(_elsewhere(plan))]
    if not named:
        return F.lit(False)
    is_step = F.col("stage") == "transform"  # whose rules begin with the step's name
    asked = F.transform("rules", lambda rule: F.when(is_step, F.substring_index(rule, " ", 1)).otherwise(rule))
    keys = F.transform(asked, lambda rule: F.concat_ws(" ", F.col("dataset"), F.col("stage"), rule))
    return F.size(F.array_except(keys, F.array(*named))) == 0


def _elsewhere(plan: Plan) -> set[str]:
    """`dataset stage rule` of all checks and steps that look at other data."""
    checks = {
        f"{dataset} check {kind.name or name}"
        for dataset, items in plan.check.items()
        for name, kind in items
        if _looks(kind)
    }
    steps = {
        f"{name} transform {step}"
        for name, dataset in plan.transform.items()
        for step, kind in dataset.steps
        if _looks(kind)
    }
    return checks | steps


def _looks(kind: Any) -> bool:
    return bool(getattr(kind, "looks_elsewhere", False))


def nothing_refused(spark: SparkSession) -> DataFrame:
    """No row, in the shape of REFUSED."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    parts = [part.split() for part in REFUSED.split(", ")]
    return spark.range(0).select(*[F.lit(None).cast(kind).alias(name) for name, kind in parts])


def completed(rows: DataFrame) -> DataFrame:
    """Rows of the table with all columns: an older table lacks some; what those rows would have had there."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    there = set(rows.columns)
    lacking = {name: F.lit(None).cast(kind) for name, (kind, _) in COLUMNS.items() if name not in there}
    frame = rows.withColumns(lacking) if lacking else rows  # a thin client takes no empty list
    defaults = {"state": F.lit(WAITING), "retries": F.lit(0), "retryable": F.lit(False), "error_type": error_type()}
    frame = frame.withColumns({name: F.coalesce(name, value) for name, value in defaults.items()})
    return frame.select(*COLUMNS)
