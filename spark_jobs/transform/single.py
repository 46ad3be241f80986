"""Datasets that are looked up: one row a key, and what is said of its keys is true, or the run ends with why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spark_jobs.columns import column, require, spare
from spark_jobs.flow import Context
from spark_jobs.privacy import Privacy
from spark_jobs.refusal import shown
from spark_jobs.surrogate import form_of, surrogate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def true_to(other: DataFrame, dimension: str, name: str, keys: Sequence[str], context: Context) -> DataFrame:
    """A dimension whose surrogate keys are those that would be inferred: with others a member's facts would have two.

    Args:
        other: the dimension.
        dimension: its name, as `surrogate_key` has it.
        name: the column with its surrogate keys.
        keys: the columns of its natural key.
        context: what runs.

    Raises:
        ConfigError: the column isn't there, or of a type that no surrogate key has. One that differs ends the run.
    """
    from pyspark.sql import functions as F  # noqa: N812

    where = f"{context.where}.infer"
    require([name], other.columns, f"{where}.key", "column of the dimension")
    form = form_of(other.schema[name].dataType.simpleString(), where)
    key, inferred = column(name), surrogate(dimension, keys, form, other, where)
    expected = f"surrogate_key: {{dimension: {dimension}, keys: {list(keys)}}}"
    told = f"{where}: {name} is a key that would not be inferred; expected those of {expected}"
    # Asked by the column, not by a filter: Spark would join it to one `id = 7` before, write 7 for id within, and ask
    # it of rows whose id is null.
    return other.withColumn(name, F.when(key.eqNullSafe(inferred), key).otherwise(F.raise_error(told)))


def refusing_twins(other: DataFrame, keys: Sequence[str], name: str, context: Context) -> DataFrame:
    """A dataset in which a second row of a key ends the run; rows without a key match nothing and are left out.

    Args:
        other: the dataset.
        keys: its key columns.
        name: what it is called.
        context: what runs.
    """
    from pyspark.sql import functions as F  # noqa: N812

    rest, whole, many = [item for item in other.columns if item not in keys], spare(keys, "row"), spare(keys, "rows")
    for key in keys:
        other = other.where(column(key).isNotNull())
    row = F.struct(*[column(item).alias(f"c{place}") for place, item in enumerate([*keys, *rest])])
    groups = other.groupBy([column(key) for key in keys]).agg(F.first(row).alias(whole), F.count(F.lit(1)).alias(many))
    values = F.concat_ws(", ", *[F.concat(F.lit(f"{key} "), shown(key)) for key in keys])
    told = F.concat(
        F.lit(f"{context.where}: {name} has "),
        column(many),
        F.lit(" rows of one key, "),
        F.lit(", ".join(keys)) if Privacy(context.plan).hides(name) else values,
        F.lit("; expected one, or order_by, which says the one that counts"),
    )
    single = groups.where(F.assert_true(column(many) == 1, told).isNull())
    return single.select(*[column(whole)[f"c{place}"].alias(item) for place, item in enumerate([*keys, *rest])])
