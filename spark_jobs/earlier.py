"""What becomes of rows that earlier attempts of a window set aside, once it is run again.

A record that is refused again keeps when it was first seen, counts one more try, and stays dropped where somebody
dropped it, or expired. One that isn't refused any more stays as a mark, `replayed`, without what it held. The marks
carry the new attempt's number, so they count only if it commits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spark_jobs.aside import COLUMNS, EXPIRED, GIVEN_UP, HASH, REPLAYED, WAITING

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_KEY: Final = "_key"
_PLACE: Final = "_place"
_RECORD: Final = ("raw", "message")
_STOOD: Final = ("source_file", "source_line")


def continued(refused: DataFrame, earlier: DataFrame, *, stays: bool = False) -> DataFrame:
    """Refused rows with what is known of them from before, and marks of those that aren't refused any more.

    Args:
        refused: the attempt's own rows, with all columns of the table.
        earlier: rows of earlier attempts of the same window, with all columns.
        stays: whether a record stays where it stood: it wasn't read from its file.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    own, known = _numbered(refused).alias("own"), _newest(_numbered(_sound(earlier), "attempt")).alias("known")
    both = own.join(known, [F.col(f"own.{name}") == F.col(f"known.{name}") for name in (_KEY, _PLACE)], "full_outer")
    again, gone = F.col(f"known.{_KEY}").isNotNull(), F.col(f"own.{_KEY}").isNull()
    values = {name: F.when(gone, F.col(f"known.{name}")).otherwise(F.col(f"own.{name}")) for name in COLUMNS}
    if stays:
        values |= {name: F.when(again, F.col(f"known.{name}")).otherwise(values[name]) for name in _STOOD}
    return both.select(*[value.alias(name) for name, value in (values | _passed_on(again, gone)).items()])


def _passed_on(again: Column, gone: Column) -> dict[str, Column]:
    """The columns in which the attempt's own rows differ from what they would be without a past."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    def known(name: str) -> Column:
        return F.col(f"known.{name}")

    was = known("state")
    settled, given_up = gone & (was == REPLAYED), again & ~gone & was.isin(*GIVEN_UP)
    expired = given_up & (was == EXPIRED)
    state = F.when(gone, REPLAYED).when(given_up, was).otherwise(WAITING)
    since = F.when(settled | given_up, known("state_at")).when(gone, F.current_timestamp())
    told = {name: F.when(gone | given_up, known(name)) for name in ("state_by", "state_reason")}
    retries = F.when(settled, known("retries")).when(again, known("retries") + 1).otherwise(0)
    # The record is in the table, or nowhere: nobody needs it here, and a mask may hide it by now; or it is too old.
    bare = {name: F.when(~(gone | F.coalesce(expired, F.lit(False))), F.col(f"own.{name}")) for name in _RECORD}
    told["record"] = F.when(expired, known("record"))
    first = F.coalesce(known("first_seen"), F.col("own.first_seen"))
    return {**bare, **told, "state": state, "state_at": since, "retries": retries.cast("int"), "first_seen": first}


def _numbered(rows: DataFrame, *per: str) -> DataFrame:
    """With what tells a record from others: its text, or the text's hash, else its place; alike ones are numbered."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    where = F.to_json(F.struct("source_file", "source_line", "rules"))
    key = F.coalesce("record", F.when(F.col("raw").isNotNull(), F.expr(HASH)), F.concat_ws("|", "dataset", where))
    alike = Window.partitionBy(_KEY, *per).orderBy("source_file", "source_line")
    return rows.withColumn(_KEY, key).withColumn(_PLACE, F.row_number().over(alike))


def _sound(rows: DataFrame) -> DataFrame:
    """Without marks of attempts that may have died: those after the oldest one, which a commit has swept up to.

    Nothing is lost with them: what they stand for is here as the oldest one left it, and is marked anew.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    oldest = rows.agg(F.min("attempt").alias("_oldest"))
    either = rows.crossJoin(F.broadcast(oldest))
    return either.where((F.col("state") != REPLAYED) | (F.col("attempt") == F.col("_oldest"))).drop("_oldest")


def _newest(rows: DataFrame) -> DataFrame:
    """Of each record what the last attempt that refused it left; where it is given up, that."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    state = F.col("state")
    order = (F.desc(state.isin(*GIVEN_UP)), F.asc(state == REPLAYED), F.desc("attempt"))
    newest = Window.partitionBy(_KEY, _PLACE).orderBy(*order)
    return rows.withColumn("_rank", F.row_number().over(newest)).where("_rank = 1").drop("_rank")
