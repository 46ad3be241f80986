"""One Iceberg table by Iceberg's own Java API: Spark's writers can't commit a snapshot and the ledger at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.iceberg.layout import Part, parsed
from spark_jobs.iceberg.locks import turn
from spark_jobs.iceberg.look import Look
from spark_jobs.transform.dedupe import directed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

PROPERTIES: Final = {
    "format-version": "2",
    # Rows that go are marked, in place of writing their files anew: five times as fast for a MERGE of 1 %.
    "write.delete.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.merge.mode": "merge-on-read",
    "commit.retry.num-retries": "10",  # of branches, which disturb nobody
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}


ABANDONED: Final = 7 * 24 * 3600 * 1000  # milliseconds
"""When `expire_snapshots` drops the branch of an attempt that died; it keeps the files of the whole table as it was."""


class IcebergTable:
    """One table.

    Args:
        spark: a classic session that knows the catalog.
        catalog: which one.
        name: `namespace.table`.
    """

    def __init__(self, spark: SparkSession, catalog: Catalog, name: str) -> None:
        self.spark, self.catalog, self.name = spark, catalog, name

    @property
    def place(self) -> str:
        """The table, for people."""
        return f"{self.catalog.name}.{self.name}"

    @property
    def sql_name(self) -> str:
        """The table in SQL."""
        return ".".join(map(quote, (self.catalog.name, *self.name.split("."))))

    @property
    def api(self) -> Any:
        """Iceberg's package."""
        jvm: Any = self.spark._jvm
        return jvm.org.apache.iceberg

    @cached_property
    def _catalog(self) -> Any:
        return opened(self.spark, self.catalog.name)

    @property
    def _identifier(self) -> Any:
        return self.api.catalog.TableIdentifier.parse(self.name)

    def exists(self) -> bool:
        """Whether there is one."""
        return bool(self._catalog.tableExists(self._identifier))

    def look_if_there(self) -> Look | None:
        """Its metadata as it is now; None where there is no table."""
        from py4j.protocol import Py4JJavaError

        try:
            return self.look()
        except Py4JJavaError as error:
            if "NoSuchTableException" in str(error.java_exception.getClass().getName()):
                return None
            raise

    def look(self) -> Look:
        """Its metadata as it is now."""
        return Look(self, self._catalog.loadTable(self._identifier))

    def rows(self, branch: str | None = None) -> DataFrame:
        """Its rows as they are now."""
        return self.spark.table(self.named(branch))

    def rows_at(self, snapshot: int) -> DataFrame:
        """Its rows as they were at a snapshot."""
        return self.spark.read.option("versionAsOf", snapshot).table(self.sql_name)

    def named(self, branch: str | None = None) -> str:
        """The table, or a branch of it, in SQL."""
        return self.sql_name if branch is None else f"{self.sql_name}.{quote(f'branch_{branch}')}"

    def expression(self, condition: str) -> Any:
        """A condition as Iceberg's expression; the session's zone counts."""
        jvm: Any = self.spark._jvm
        convert = jvm.org.apache.spark.sql.execution.datasources.SparkExpressionConverter
        found = convert.collectResolvedSparkExpression(self.spark._jsparkSession, self.sql_name, condition)
        return convert.convertToIcebergExpression(found)

    def create(
        self, schema: StructType, partition_by: Sequence[str], sort_by: Sequence[str], properties: Mapping[str, str]
    ) -> None:
        """Make it, without a row; nothing happens where somebody else was faster.

        Raises:
            ConfigError: a column of a type that Iceberg hasn't got, or a layout that it can't have.
        """
        from py4j.protocol import Py4JJavaError

        columns = self._schema(schema)
        names = schema.names
        try:
            build = self._catalog.buildTable(self._identifier, columns)
            build = build.withPartitionSpec(self._spec(columns, [parsed(text, names) for text in partition_by]))
            build = build.withSortOrder(self._order(columns, sort_by, names))
            for key, value in {**PROPERTIES, **properties}.items():
                build = build.withProperty(key, value)
        except Py4JJavaError as error:
            told = str(error.java_exception.getMessage())
            raise ConfigError(told, where=self.place, expected="a layout that Iceberg can have") from None
        with turn(self.catalog, self.name):
            self._ensure_namespace()
            if not self.exists():
                self._made(build)

    def _made(self, build: Any) -> None:
        from py4j.protocol import Py4JJavaError

        try:
            build.create()
        except Py4JJavaError as error:
            if "AlreadyExistsException" not in str(error.java_exception.getClass().getName()):
                raise

    def _ensure_namespace(self) -> None:
        from py4j.protocol import Py4JJavaError

        space = self._identifier.namespace()
        try:
            if not self._catalog.namespaceExists(space):
                self._catalog.createNamespace(space)
        except Py4JJavaError as error:
            if "AlreadyExistsException" not in str(error.java_exception.getClass().getName()):
                raise

    def _schema(self, schema: StructType) -> Any:
        from py4j.protocol import Py4JJavaError

        try:
            return self.api.spark.SparkSchemaUtil.convert(self._nullable(schema))
        except Py4JJavaError as error:
            raise ConfigError(
                str(error.java_exception.getMessage()),
                where=self.place,
                expected="types that Iceberg has",
                remedy="cast the column in a step, or drop it",
            ) from None

    def _nullable(self, schema: StructType) -> Any:
        jvm: Any = self.spark._jvm
        return jvm.org.apache.spark.sql.types.DataType.fromJson(schema.json()).asNullable()

    def _spec(self, columns: Any, parts: Sequence[Part]) -> Any:
        spec = self.api.PartitionSpec.builderFor(columns)
        for part in parts:
            size = [part.size] if part.size else []
            name = part.transform.removesuffix("s")
            spec = getattr(spec, name)(part.column, *size)
        return spec.build()

    def _order(self, columns: Any, sort_by: Sequence[str], names: Sequence[str]) -> Any:
        order = self.api.SortOrder.builderFor(columns)
        for text in sort_by:
            column, descending = directed(text, names)
            order = order.desc(column) if descending else order.asc(column)
        return order.build()

    def evolve(self, schema: StructType) -> None:
        """Add columns that it lacks; by a commit of its own, as Delta's own schema evolution could be.

        Raises:
            ConfigError: a column of a type that Iceberg hasn't got.
        """
        look = self.look()
        there = {name.lower() for name in self.rows().columns}
        missing = [field for field in schema if field.name.lower() not in there]
        if not missing:
            return
        from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

        look.add_columns(self._schema(T.StructType(missing)).columns())
        look.commit()

    def begin(self, branch: str, snapshot: int) -> None:
        """Make a branch of a snapshot of main.

        Args:
            branch: its name; one that is there is made anew.
            snapshot: its id; 0 where main has none.
        """
        with turn(self.catalog, self.name):
            java = self._catalog.loadTable(self._identifier)
            if java.refs().containsKey(branch):
                java.manageSnapshots().removeBranch(branch).commit()
            change = java.manageSnapshots()
            change = change.createBranch(branch, snapshot) if snapshot else change.createBranch(branch)
            change.setMaxRefAgeMs(branch, ABANDONED).commit()

    def append(self, rows: DataFrame, branch: str) -> list[Any]:
        """Write rows to a branch; the files that came."""
        with turn(self.catalog, self.name):
            rows.writeTo(self.named(branch)).append()
        java = self._catalog.loadTable(self._identifier)
        return list(_each(java.snapshot(java.refs().get(branch).snapshotId()).addedDataFiles(java.io())))

    def run(self, statement: str) -> None:
        """A statement that changes a branch."""
        with turn(self.catalog, self.name):
            self.spark.sql(statement)


def _each(iterable: Any) -> Iterator[Any]:
    found = iterable.iterator()
    while found.hasNext():
        yield found.next()


def opened(spark: SparkSession, name: str) -> Any:
    """A catalog of a session, Iceberg's own.

    Args:
        spark: a classic session.
        name: the catalog's, in the session's settings.
    """
    # Catalogs are found by the settings of the active session, which is this thread's.
    spark._get_j_spark_session_class(spark._jvm).setActiveSession(spark._jsparkSession)
    state: Any = spark._jsparkSession.sessionState()
    return state.catalogManager().catalog(name).icebergCatalog()
