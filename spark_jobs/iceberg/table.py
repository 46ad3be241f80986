"""One Iceberg table by Iceberg's own Java API: Spark's writers can't commit a snapshot and the ledger at once.

What is written goes to a branch of its own first, which no reader sees. One metadata swap then publishes it, compared
with the metadata that was looked at: whatever anybody has committed meanwhile makes it fail, and nothing is tried again
behind our back, as Iceberg's own commits are (they would book a smaller number over a larger one).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.iceberg.layout import Part, parsed
from spark_jobs.iceberg.locks import turn
from spark_jobs.transform.dedupe import directed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

MAIN: Final = "main"
BRANCH: Final = "etl_"
_CUT: Final = "some, but not all, rows match filter"
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


class ConcurrentModification(Exception):  # noqa: N818 - as other tables' conflicts are called
    """Somebody has committed since we looked: the commit may be tried again."""


class CutsFile(Exception):  # noqa: N818
    """A condition is true for some rows of a file, so that it can't go whole."""


class Look:
    """A table's metadata as it was at one moment, and what is to be changed of it, all of it in one swap.

    Args:
        table: whose.
        java: Iceberg's table.
    """

    def __init__(self, table: IcebergTable, java: Any) -> None:
        self._table, self.java = table, java
        self._transaction = table.api.Transactions.newTransaction(table.sql_name, java.operations())
        self._base = self._transaction.startMetadata()

    @cached_property
    def snapshot(self) -> int:
        """The id of main's snapshot; 0 where there is none yet."""
        found = self._base.currentSnapshot()
        return int(found.snapshotId()) if found is not None else 0

    @cached_property
    def properties(self) -> dict[str, str]:
        """The table's properties."""
        return {str(key): str(value) for key, value in dict(self._base.properties()).items()}

    def has(self, snapshot: int) -> bool:
        """Whether a snapshot is there."""
        return bool(snapshot) and self._base.snapshot(snapshot) is not None

    def snapshot_at(self, milliseconds: int) -> int:
        """The id of the snapshot that main had at a moment, since 1970; 0 where that isn't known."""
        found = 0
        for entry in self._base.snapshotLog():
            if int(entry.timestampMillis()) <= milliseconds:
                found = int(entry.snapshotId())
        return found

    @property
    def branches(self) -> list[str]:
        """The branches of attempts."""
        return [str(name) for name in self._base.refs() if str(name).startswith(BRANCH)]

    def parts(self) -> list[str]:
        """How it is laid out, as Iceberg prints it."""
        fields, schema = self._base.spec().fields(), self._base.schema()
        return [f"{field.transform()}({schema.findColumnName(field.sourceId())})" for field in fields]

    def replace(self, condition: str, added: Sequence[Any]) -> None:
        """Files that a condition is true for go, others come.

        Raises:
            CutsFile: it is true for some rows of a file.
        """
        from py4j.protocol import Py4JJavaError

        write = self._transaction.newOverwrite().overwriteByRowFilter(self._table.expression(condition))
        for file in added:
            write.addFile(file)
        try:
            write.commit()
        except Py4JJavaError as error:
            if _CUT in str(error.java_exception):
                raise CutsFile from None
            raise

    def forward(self, branch: str) -> int:
        """What a branch holds becomes main's; the branch began where main is.

        Returns:
            How many rows its last snapshot has taken away.
        """
        head = self._head(branch)
        if head is None or head == self.snapshot:
            return 0
        self._transaction.manageSnapshots().fastForwardBranch(MAIN, branch).commit()
        counts = self.summary()[1]
        gone = counts.get("deleted-records", 0) + counts.get("added-position-deletes", 0)
        return gone - counts.get("added-records", 0)

    def _head(self, branch: str) -> int | None:
        found = self._base.ref(branch)
        return int(found.snapshotId()) if found is not None else None

    def append(self, added: Sequence[Any]) -> None:
        """Files come."""
        write = self._transaction.newAppend()
        for file in added:
            write.appendFile(file)
        write.commit()

    def add_columns(self, columns: Sequence[Any]) -> None:
        """Columns come."""
        change = self._transaction.updateSchema()
        for column in columns:
            change.addColumn(column.name(), column.type())
        change.commit()

    def drop_columns(self, names: Sequence[str]) -> None:
        """Columns go."""
        if not names:
            return  # a change that is begun must be made
        change = self._transaction.updateSchema()
        for name in names:
            change.deleteColumn(name)
        change.commit()

    def drop_branches(self, names: Sequence[str]) -> None:
        """Branches go, where they are there."""
        for name in names:
            if self._base.ref(name) is not None:
                self._transaction.manageSnapshots().removeBranch(name).commit()

    def set(self, properties: Mapping[str, str]) -> None:
        """Properties change."""
        change = self._transaction.updateProperties()
        for key, value in properties.items():
            change.set(key, value)
        change.commit()

    def summary(self) -> tuple[int, dict[str, int]]:
        """(id, counts) of the snapshot that main gets."""
        found = self._transaction.currentMetadata().currentSnapshot()
        return (int(found.snapshotId()), _counts(found)) if found is not None else (0, {})

    def commit(self) -> None:
        """Swap the metadata, if it is still what was looked at.

        Raises:
            ConcurrentModification: it isn't.
        """
        from py4j.protocol import Py4JJavaError

        table, new = self._table, self._transaction.currentMetadata()
        try:
            with turn(table.catalog, table.name):
                self._transaction.underlyingOps().commit(self._base, new)
        except Py4JJavaError as error:
            if "CommitFailedException" in str(error.java_exception.getClass().getName()):
                raise ConcurrentModification(str(error.java_exception.getMessage())[:300]) from None
            raise


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
            (change.createBranch(branch, snapshot) if snapshot else change.createBranch(branch)).commit()

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


def branch_of(unit: str, number: int) -> str:
    """The branch of an attempt; `branches_of` finds it by its beginning."""
    return f"{branches_of(unit)}{number}"


def branches_of(unit: str) -> str:
    """What the branches of a unit begin with."""
    return f"{BRANCH}{hashlib.sha256(unit.encode()).hexdigest()[:16]}_"


def _each(iterable: Any) -> Iterator[Any]:
    found = iterable.iterator()
    while found.hasNext():
        yield found.next()


def _counts(snapshot: Any) -> dict[str, int]:
    return {str(key): int(value) for key, value in dict(snapshot.summary()).items() if str(value).isdigit()}


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
