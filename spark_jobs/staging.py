"""Staging: results between verbs as Parquet with a manifest; the manifest is written last, so half a result is none.

`<staging>/<id>/<window key>/<run>/<verb>-<attempt number>/<dataset>/`; the run's folder gets a `_done` marker
when its load succeeded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Final

from spark_jobs import footers
from spark_jobs.connect import is_connect
from spark_jobs.errors import DataError
from spark_jobs.plan import VERBS, Plan
from spark_jobs.session import Storage
from spark_jobs.settings import changed
from spark_jobs.statistics import Statistics, of_delta
from spark_jobs.sweeping import DONE, sweep

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from spark_jobs.load.in_place import Written

_MANIFEST: Final = "manifest.json"
# As numbers, whose smallest and largest the files' footers tell; INT96 has no order.
_ORDERED_TIMES: Final = ("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
_FEW: Final = 32  # files whose footers are read one after the other faster than a Spark job starts


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A reference to a staged dataset.

    Args:
        path: folder of the Parquet files and the manifest.
        rows: exact number of rows, read from the files' footers after they were written.
    """

    path: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Staging:
    """Where the attempts of one window's run stage their files.

    Args:
        spark: a classic session.
        plan: the run's.
        ahead: path -> what stands under a table already, of a run that doesn't end between its verbs.
        places: numbers of their paths: none comes twice, whatever was dropped meanwhile.
    """

    spark: SparkSession
    plan: Plan
    ahead: dict[str, Written] = field(default_factory=dict)
    places: Iterator[int] = field(default_factory=count)

    @property
    def pipeline_folder(self) -> str:
        """The folder of all windows of the pipeline."""
        return f"{self.plan.staging.rstrip('/')}/{self.plan.id}"

    @property
    def run_folder(self) -> str:
        """The folder of this run of this window."""
        return f"{self.pipeline_folder}/{self.plan.window.key}/{self.plan.attempt.run}"

    def write(self, rows: DataFrame, verb: str, dataset: str) -> Staged:
        """Compute a dataset, write it, count what was written, and only then say that it is there."""
        path = self._place(verb, dataset)
        with changed(self.spark, *_ORDERED_TIMES):
            rows.write.mode("overwrite").parquet(f"{path}/data")
        written = self._count(f"{path}/data", rows.schema)
        staged = Staged(path=path, rows=written)
        manifest = {"rows": written, "schema": rows.schema.jsonValue(), "attempt": self.plan.attempt.number}
        self._storage.write(f"{path}/{_MANIFEST}", json.dumps(manifest))
        return staged

    def _place(self, verb: str, dataset: str) -> str:
        """The folder that a dataset goes to."""
        return f"{self.run_folder}/{verb}-{self.plan.attempt.number}/{dataset}"

    def take(self, written: Written, dataset: str) -> Staged:
        """Take rows that stand under a table already for staged; a purge sees that they aren't published yet."""
        path = f"{self.run_folder}/ahead-{self.plan.attempt.number}-{next(self.places)}/{dataset}"
        self._storage.write(f"{path}/data/_ahead", written.transaction.path)
        self.ahead[path] = written
        return Staged(path=path, rows=written.whole.rows)

    def drop(self, staged: Staged) -> None:
        """Remove what stands under a table, and won't be committed."""
        if staged.path in self.ahead:
            self.ahead[staged.path].delete()
            self._storage.delete(staged.path)
            del self.ahead[staged.path]

    def is_apart(self, staged: Staged) -> bool:
        """Whether rows that checks will set aside went into files of their own, be there some or none."""
        return staged.path in self.ahead and self.ahead[staged.path].refused is not None

    def aside(self, staged: Staged) -> DataFrame | None:
        """The rows that checks set aside, where they were written into files of their own."""
        refused = self.ahead[staged.path].refused if staged.path in self.ahead else None
        return refused.read() if refused is not None and refused.rows else None

    def part(self, staged: Staged) -> tuple[Staged, Staged] | None:
        """(the rows that stay, those that go) of a dataset whose files hold either; None where they hold both."""
        if self.aside(staged) is None:
            return None
        whole = self.ahead[staged.path]
        assert whole.refused is not None  # noqa: S101 - for the type checker
        gone = self.take(whole.refused, "refused")
        self.ahead[staged.path] = replace(whole, refused=None)
        return Staged(path=staged.path, rows=whole.rows), gone

    def _count(self, folder: str, schema: StructType) -> int:
        """The rows that are in the files: few files are asked here, many by Spark."""
        if len(self._storage.names(folder)) <= _FEW:
            return self._storage.parquet_rows(folder)
        return self.spark.read.schema(schema).parquet(folder).count()

    def statistics(
        self, staged: Staged, schema: StructType, names: set[str], *, passed: bool = False
    ) -> Statistics | None:
        """What the files know of some columns; None where they are too many to be asked one by one.

        Args:
            staged: the reference that an earlier verb returned.
            schema: the rows'.
            names: the columns.
            passed: whether files of rows that checks will set aside are left out.
        """
        if staged.path in self.ahead:
            wanted = (item for item in schema if item.name in names and not footers.padded(item))
            types = {item.name: item.dataType.simpleString() for item in wanted}
            written = self.ahead[staged.path]
            return of_delta((written if passed else written.whole).statistics, types)
        folder = f"{staged.path}/data"
        few = len(self._storage.names(folder)) <= _FEW
        return footers.statistics(self._storage, folder, schema, names) if few else None

    def read(self, staged: Staged, verb: str) -> DataFrame:
        """A staged dataset.

        Args:
            staged: the reference that an earlier verb returned.
            verb: that verb, for the error's text.

        Raises:
            DataError: it is gone (swept after its retention) or was never finished.
        """
        from pyspark.sql.types import StructType

        if staged.path in self.ahead:
            return self.ahead[staged.path].whole.read()
        if not self._storage.exists(f"{staged.path}/{_MANIFEST}"):
            raise DataError(
                f"the staged files of {staged.path.rsplit('/', 1)[-1]} are gone",
                where=staged.path,
                expected="a manifest",
                remedy=f"clear the {verb} task too: it stages them again",
            )
        manifest = json.loads(self._storage.read(f"{staged.path}/{_MANIFEST}"))
        schema = StructType.fromJson(manifest["schema"])
        return self.spark.read.schema(schema).parquet(f"{staged.path}/data")

    def _drop_dead(self, verb: str) -> None:
        for name, _ in self._storage.names(self.run_folder):
            number = name.removeprefix(f"{verb}-")
            if name.startswith(f"{verb}-") and number.isdigit() and int(number) < self.plan.attempt.number:
                self._storage.delete(f"{self.run_folder}/{name}")

    def begin(self, verb: str) -> None:
        """Take the run's folder: it isn't done any more, and what older attempts of the verb left there goes."""
        self._storage.delete(f"{self.run_folder}/{DONE}")
        self._drop_dead(verb)

    def finish(self, retention_hours: float, *, keep: bool) -> None:
        """Mark the run as succeeded and sweep the pipeline's staging.

        Runs that succeeded longer ago than the retention go, and those that failed and were left alone for a week.

        Args:
            retention_hours: how long a succeeded run's files stay, so that a cleared load finds them.
            keep: whether this run's files stay that long; a fused run needs them no more.
        """
        if not keep:
            self._storage.delete(self.run_folder)
        else:
            self._storage.write(f"{self.run_folder}/{DONE}", self.plan.attempt.token)
        sweep(self._storage, self.pipeline_folder, retention_hours)

    @property
    def _storage(self) -> Storage:
        return Storage(self.spark, self.plan.staging)


def staging_of(spark: SparkSession, plan: Plan) -> Staging:
    """Where a run stages: in files; over Spark Connect where Spark keeps it, unless another task goes on with it."""
    if not is_connect(spark):
        return Staging(spark=spark, plan=plan)
    if plan.verbs != VERBS:
        from spark_jobs.connect.folders import FolderStaging

        return FolderStaging(spark=spark, plan=plan)
    from spark_jobs.connect.staging import ConnectStaging

    return ConnectStaging(spark=spark, plan=plan)


def staged_datasets(spark: SparkSession, plan: Plan) -> Iterator[tuple[str, str, DataFrame | None]]:
    """Every dataset that runs of a pipeline have staged: (the run's folder, its own, rows), None while it is written.

    Args:
        spark: a session.
        plan: of the pipeline, whichever window.
    """
    staging = Staging(spark=spark, plan=plan)
    storage = staging._storage  # noqa: SLF001 - our own
    for window, _ in storage.names(staging.pipeline_folder):
        for run, _ in storage.names(f"{staging.pipeline_folder}/{window}"):
            folder = f"{staging.pipeline_folder}/{window}/{run}"
            for verb, _ in storage.names(folder):
                if storage.is_folder(f"{folder}/{verb}"):
                    yield from ((folder, *item) for item in _datasets(staging, f"{folder}/{verb}"))


def _datasets(staging: Staging, folder: str) -> Iterator[tuple[str, DataFrame | None]]:
    """(path, rows) of the datasets of one verb's attempt; refused rows are a folder of datasets."""
    storage = Storage(staging.spark, staging.plan.staging)
    names = {name for name, _ in storage.names(folder)}
    if _MANIFEST in names:
        yield folder, staging.read(Staged(path=folder, rows=0), "extract")
    elif "data" in names or not names:
        yield folder, None
    else:
        for name in sorted(names):
            if storage.is_folder(f"{folder}/{name}"):
                yield from _datasets(staging, f"{folder}/{name}")
