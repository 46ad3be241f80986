"""Who is measured: each writes the rows to a Delta table, checks them, and says how many values are wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.quality.data import COLUMNS, CURRENCIES, STATUSES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

UNIQUE: Final[dict[str, Any]] = {"unique": {"columns": ["id"]}}
CODE: Final = "^c-[0-9a-f]{8}$"
CHECKS: Final[list[dict[str, Any]]] = [
    {"not_null": {"columns": ["id", "at", "customer", "status"]}},
    {"in_range": {"column": "amount", "min": 0, "max": 1_000_000}},
    {"in_range": {"column": "quantity", "min": 1, "max": 1000}},
    {"in_set": {"column": "status", "values": list(STATUSES)}},
    {"in_set": {"column": "currency", "values": list(CURRENCIES)}},
    {"matches": {"column": "code", "regex": CODE}},
    {"in_range": {"column": "customer", "min": 1}},
    {"row_count": {"min": 1}},
]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What every contender gets.

    Args:
        spark: a session.
        data: folder of the rows.
        out: an empty folder.
        number: of the round, counted over all contenders; a later one is larger.
    """

    spark: SparkSession
    data: Path
    out: Path
    number: int

    @property
    def rows(self) -> DataFrame:
        """The rows, to be read again each time."""
        return self.spark.read.parquet(f"{self.data}/part-*.parquet")

    def written(self) -> DataFrame:
        """Write them, as by hand."""
        table = str(self.out / "table")
        self.rows.write.format("delta").save(table)
        return self.spark.read.format("delta").load(table)


def alone(bench: Bench) -> int:
    """Write, and check nothing."""
    bench.written()
    return -1


def _counts() -> list[Column]:
    """What all checks but uniqueness ask of the rows, as one would write it by hand."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    wrong = [
        *(F.col(name).isNull() for name in ("id", "at", "customer", "status")),
        ~F.col("amount").between(0, 1_000_000),
        ~F.col("quantity").between(1, 1000),
        ~F.col("status").isin(*STATUSES),
        ~F.col("currency").isin(*CURRENCIES),
        ~F.col("code").rlike(CODE),
        F.col("customer") < 1,
    ]
    counts = [F.count_if(each).alias(f"c{place}") for place, each in enumerate(wrong)]
    return [F.count(F.lit(1)).alias("rows"), *counts]


def by_hand(bench: Bench) -> int:
    """Write, and ask all but uniqueness by one aggregate over what was written, as one would by hand."""
    return _wrong(bench.written().agg(*_counts()).collect()[0].asDict())


def observed(bench: Bench) -> int:
    """Write, and have the same aggregates observed in the pass that writes: no second one over the rows."""
    from pyspark.sql import Observation

    watched = Observation("checks")
    rows = bench.rows.observe(watched, *_counts())
    rows.write.format("delta").save(str(bench.out / "table"))
    return _wrong(watched.get)


def _wrong(found: dict[str, int]) -> int:
    return sum(value for name, value in found.items() if name != "rows")


def ours(*, unique: bool = False, checks: bool = True, on_fail: str = "stop") -> Callable[[Bench], int]:
    """A fused run of the pipeline: ledger, report and quarantine with it."""

    def run(bench: Bench) -> int:
        from spark_jobs.plan import Plan
        from spark_jobs.run import run as entry

        wanted = {"in_range": {"on_fail": on_fail}}
        asked = [{kind: said | wanted.get(kind, {})} for each in CHECKS for kind, said in each.items()]
        plan = Plan.from_json(_plan(bench, [*asked, *([UNIQUE] if unique else [])] if checks else []))
        report = entry(plan, lambda *_: bench.spark)
        if report.error is not None:
            raise SystemExit(f"our run failed: {report.error}")
        return sum(check.unexpected_count for check in report.checks) if checks else -1

    return run


def _plan(bench: Bench, checks: list[dict[str, Any]]) -> dict[str, Any]:
    from tests.spark_jobs.plans import attempt, day, plan

    columns = {name: {"type": kind} for name, kind in COLUMNS.items()}
    source = {"type": "files", "path": f"{bench.data}/part-*.parquet", "format": "parquet", "columns": columns}
    lake = {"from": "result", "type": "delta", "path": str(bench.out / "table"), "write": {"strategy": "snapshot"}}
    # A window of its own, as each day brings one: nothing is refused a second time.
    return plan(bench.out, day(bench.number), attempt(bench.number)).to_json() | {
        "verbs": ["extract", "transform", "check", "load"],
        "extract": {"rows": source | {"window": "all"}},
        "transform": {"result": {"from": "rows", "steps": []}},
        "check": {"result": checks},
        "load": {"lake": lake},
    }


def great_expectations(bench: Bench) -> int:
    """Write, and let Great Expectations check what was written: the same checks but uniqueness."""
    import great_expectations as gx
    from great_expectations import expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asked = [
        *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in ("id", "at", "customer", "status")),
        gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=1_000_000),
        gxe.ExpectColumnValuesToBeBetween(column="quantity", min_value=1, max_value=1000),
        gxe.ExpectColumnValuesToBeInSet(column="status", value_set=list(STATUSES)),
        gxe.ExpectColumnValuesToBeInSet(column="currency", value_set=list(CURRENCIES)),
        gxe.ExpectColumnValuesToMatchRegex(column="code", regex=CODE),
        gxe.ExpectColumnValuesToBeBetween(column="customer", min_value=1),
        gxe.ExpectTableRowCountToBeBetween(min_value=1),
    ]
    suite = gx.ExpectationSuite(name="rows", expectations=asked)
    asset = context.data_sources.add_spark("spark").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": bench.written()})
    found = batch.validate(suite, result_format="BASIC")
    return sum(result.result.get("unexpected_count", 0) for result in found.results)


def pandera(bench: Bench) -> int:
    """Write, and let pandera check what was written; it says which checks failed, and not how often."""
    import pandera.pyspark as pa
    from pyspark.sql import types as T  # noqa: N812

    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(T.LongType(), nullable=False),
            "at": pa.Column(T.TimestampType(), nullable=False),
            "customer": pa.Column(T.IntegerType(), pa.Check.greater_than_or_equal_to(1), nullable=False),
            "amount": pa.Column(T.DoubleType(), pa.Check.in_range(0, 1_000_000), nullable=True),
            "quantity": pa.Column(T.IntegerType(), pa.Check.in_range(1, 1000), nullable=True),
            "status": pa.Column(T.StringType(), pa.Check.isin(list(STATUSES)), nullable=False),
            "currency": pa.Column(T.StringType(), pa.Check.isin(list(CURRENCIES)), nullable=True),
            "code": pa.Column(T.StringType(), pa.Check.str_matches(CODE), nullable=True),
        }
    )
    errors = schema.validate(bench.written()).pandera.errors
    return -1 if errors else 0
