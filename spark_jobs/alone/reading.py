"""Records of the quarantine, read back as rows of their source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.alone.fitting import Way
from spark_jobs.alone.lines import read as read_lines
from spark_jobs.alone.lines import refused
from spark_jobs.alone.records import Today
from spark_jobs.columns import quote
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.spans import Span
from spark_jobs.flow import Context, Flow
from spark_jobs.ledger import same_configuration
from spark_jobs.report import DatasetCounts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

MOST: Final = 100_000
"""Rows of a window that are run again alone: they pass through the driver, and beyond that a run is faster anyway."""
_ASKED: Final = ("raw", "dataset", "stage", "rules", "source_file", "source_line")
_CUT: Final = ("too_long", "utf8")


@dataclass(frozen=True, kw_only=True)
class Records:
    """Records that were set aside.

    Args:
        rows: of the quarantine, as they were when the run began; they wait.
        way: from their source to the load.
        folder: where lines of files are written, to be read again.
    """

    rows: DataFrame
    way: Way
    folder: str

    def flow(self, source: Any, context: Context) -> Flow:
        """The source's rows: those records alone, as the source would read them today.

        Raises:
            DataError: a record can't be read back, with the reason.
        """
        found = self.rows.select(*_ASKED).limit(MOST + 1).collect()
        if len(found) > MOST:
            raise refused(f"more than {MOST:,} rows wait", "fewer rows, as --rule or --dataset choose them")
        lines = [row for row in found if row["stage"] == "extract"]
        behind = [row for row in found if row["stage"] != "extract"]
        self._refuse_bare(found)
        flows = [read_lines(lines, self.way.source, source, self.folder, context)] if lines else []
        flows += [self._behind(behind, source, context)] if behind or not lines else []
        return flows[0] if len(flows) == 1 else _together(*flows)

    def _refuse_bare(self, found: Sequence[Row]) -> None:
        """See that there is a record, whole, of the source that the load comes from, and that no other took it."""
        for row in found:
            if row["raw"] is None:
                raise refused(f"a row that {row['dataset']} refused has no record", "records that are kept")
            cut = next((rule for rule in row["rules"] if rule in _CUT), None)
            if cut is not None:
                raise refused(f"of a record that broke {cut} only a part is kept", "whole records in UTF-8")
            if row["dataset"] not in self.way.datasets:
                what = f"a row that {row['dataset']} refused is none of those on the way to load {self.way.load}"
                raise refused(what, f"rows of {', '.join(sorted(self.way.datasets))}, as --dataset chooses them")

    def _behind(self, found: Sequence[Row], source: Any, context: Context) -> Flow:
        """Rows that were refused behind the source: their records are JSON, with the columns that steps have added."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        columns = getattr(source, "columns", None) or {}
        changed = self.way.changed(columns) or ("" if columns else f"source {self.way.source} names no columns")
        if changed:
            raise refused(f"rows that were refused behind their source can't be read back: {changed}", "--dataset")
        kind = ", ".join(f"{quote(name)} {item.type}" for name, item in columns.items())
        given = context.spark.createDataFrame([(row["raw"],) for row in found], "raw STRING")
        rows = given.select(F.from_json("raw", kind, {"mode": "FAILFAST"}).alias("row")).select("row.*")
        for problem in self._today(rows, columns).unlike(found):
            raise refused(problem, f"what source {self.way.source} gives today: {', '.join(columns)}")
        self._refuse_others(rows, len(found), source, context)
        counts = DatasetCounts(read=len(found), rows=len(found))
        return Flow(rows=rows, counts=lambda: counts, refused=lambda: None)

    def _refuse_others(self, rows: DataFrame, total: int, source: Any, context: Context) -> None:
        """See that the column which says today of which window rows are has them in this one, as it would be read.

        Raises:
            DataError: one is of another window, or has no such column.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        window, plan = getattr(source, "window", None), context.plan
        if not isinstance(window, WindowColumn):
            return
        name = window.column
        expected = f"rows whose {name} lies in window {plan.window.key}, as source {self.way.source} is read today"
        if name not in rows.columns:
            if plan.fingerprint and same_configuration(plan.attempt.amends, plan.fingerprint):
                return  # it was asked by this same file
            raise refused(f"records have no {name}, which says today of which window a row is", expected)
        zone = getattr(source, "timezone", None) or plan.window.timezone
        span = Span(column=name, window=plan.reading, zone=zone, where=f"extract.{self.way.source}")
        inside = F.coalesce(span.inside(rows[quote(name)], rows.schema[name].dataType), F.lit(False))
        others = rows.where(~inside).count()
        if others:
            raise refused(f"{others} of {total} rows are of another window by today's file", expected)

    def _today(self, rows: DataFrame, columns: Mapping[str, Any]) -> Today:
        return Today(
            types={item.name: item.dataType for item in rows.schema.fields},
            required=frozenset(name for name, item in columns.items() if item.required),
            added=frozenset(self.way.added()),
        )


def _together(one: Flow, other: Flow) -> Flow:
    def counts() -> DatasetCounts:
        first, second = one.counts(), other.counts()
        names = ("read", "rows", "filtered", "deduplicated", "quarantined")
        return DatasetCounts(**{name: getattr(first, name) + getattr(second, name) for name in names})

    rows = one.rows.unionByName(other.rows, allowMissingColumns=True)
    return Flow(rows=rows, counts=counts, refused=one.refused)
