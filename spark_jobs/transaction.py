"""One commit of several things, by Delta's own transaction: the DataFrame writer has room for one unit alone.

Readers see all of it, or nothing. The classes are Delta's for Spark (`OptimisticTransaction`, `WriteIntoDelta`), which
its own writer uses in the same way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from spark_jobs.ledger import FORGOTTEN, LoadUnit
from spark_jobs.noting import Footers, footers_alone

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


class Transaction:
    """What goes into one commit of a table; it sees the table as it was when this was made.

    Args:
        spark: a classic session with Delta.
        path: the table's folder or URI; the table is there.
    """

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.path = path
        jvm: Any = spark._jvm
        self._spark, self._jvm, self._session = spark, jvm, spark._jsparkSession
        # Delta asks for the active session, which is this thread's.
        spark._get_j_spark_session_class(self._jvm).setActiveSession(self._session)
        self._delta: Any = self._jvm.org.apache.spark.sql.delta
        self._log: Any = self._delta.DeltaLog.forTable(self._session, path)
        self._transaction: Any = self._log.startTransaction()
        self._actions: Any = self._jvm.java.util.ArrayList()
        self._mode, self._options = "Append", dict[str, str]()
        self._emptied = ""

    @cached_property
    def units(self) -> dict[str, int]:
        """Key -> number of every unit that the ledger holds."""
        # One text: to ask for them one by one takes a second for some thousands of windows, at every commit.
        told = str(self._transaction.snapshot().transactions().mkString("\n"))
        found = (line.rpartition(" -> ") for line in told.split("\n"))
        return {key: int(number) for key, _, number in found if key.startswith("etl:") and int(number) > FORGOTTEN}

    def replace(self, rows: DataFrame, options: Mapping[str, str], partition_by: Sequence[str]) -> None:
        """Replace rows of the table.

        Args:
            rows: what the table holds afterwards, or what comes for the rows that `replaceWhere` names.
            options: of the Delta writer: `replaceWhere`, `mergeSchema`, `overwriteSchema`.
            partition_by: columns that lay the table out; other ones than before need `overwriteSchema`.
        """
        self._mode, self._options = "Overwrite", dict(options)
        nothing, convert = self._jvm.scala.Option.empty(), self._jvm.org.apache.spark.api.python.PythonUtils
        settings = self._delta.DeltaOptions(convert.toScalaMap(self._options), self._session.sessionState().conf())
        mode = self._jvm.org.apache.spark.sql.SaveMode.Overwrite
        columns, no_conf = convert.toSeq(list(partition_by)), convert.toScalaMap({})
        write = self._delta.commands.WriteIntoDelta(
            self._log, mode, settings, columns, no_conf, rows._jdf, nothing, nothing, False
        )
        make = partial(write.write, self._transaction, self._session, nothing, False)
        same = _typed(rows.schema) <= _typed(self.columns) and sorted(partition_by) == sorted(self.layout)
        # With `replaceWhere` Delta counts the rows that came by its collector's statistics, for the table's history.
        plain = same and "replaceWhere" not in options
        self._actions.addAll(self._noted(make) if plain else self._as_java(make()))

    def write(self, rows: DataFrame) -> tuple[Any, int]:
        """Write rows under the table, where nobody sees them before a commit names their files.

        Args:
            rows: with the table's columns.

        Returns:
            Delta's actions that add the files (a Scala sequence), and how many rows they hold.
        """
        files = self._as_scala(self._noted(lambda: self._transaction.writeFiles(rows._jdf)))
        return files, self.rows_of(files)

    def _noted(self, write: Callable[[], Any]) -> list[Any]:
        """Delta's actions of a write, with statistics of the files: by their footers wherever those can tell."""
        kept = str(self._transaction.snapshot().statsSchema().json())
        footers = Footers(spark=self._spark, columns=self.columns, kept=kept, metadata=self._metadata)
        if not footers.can_tell:
            return list(self._as_java(write()))
        with footers_alone(self._spark):
            made = list(self._as_java(write()))
        added = [item for item in made if self._is_new(item)]
        told = footers.statistics([self._place_of(item) for item in added])
        # As Delta does, files without a row aren't named: Spark writes one where there is nothing to write.
        noted = [self._copied(item, stats=stats) for item, (rows, stats) in zip(added, told, strict=True) if rows]
        return [*(item for item in made if not self._is_new(item)), *noted]

    def _is_new(self, action: Any) -> bool:
        return self._adds(action) and action.stats() is None and action.deletionVector() is None

    def write_apart(self, rows: DataFrame, apart: str) -> tuple[Any, Any]:
        """As `write`, with rows of two sorts in files of their own, by one pass over them.

        Delta lays the files out by one column more than the table has. That column is taken off what a commit is to
        name; of it nothing is left but a folder in the files' paths, which mean nothing to Delta.

        Args:
            rows: with the table's columns, and the boolean column `apart`, which is never null.
            apart: its name; the table has no such column.

        Returns:
            Delta's actions for the rows where it is false, and for those where it is true.
        """
        other = self._delta.DeltaLog.forTable(self._session, self.path).startTransaction()
        other.updateMetadata(self._with_column(apart), False)
        added = self._noted(lambda: other.writeFiles(rows._jdf))
        sorts: tuple[list[Any], list[Any]] = ([], [])
        for item in added:
            values = dict(self._as_java(item.partitionValues()))
            sorts[values.pop(apart) == "true"].append(self._copied(item, partitionValues=self._as_map(values)))
        return self._as_scala(sorts[0]), self._as_scala(sorts[1])

    def _with_column(self, name: str) -> Any:
        """The table's metadata, as if it were laid out by one more boolean column."""
        schema = json.loads(str(self._metadata.schemaString()))
        schema["fields"].append({"name": name, "type": "boolean", "nullable": True, "metadata": {}})
        columns = self._as_scala([*self.layout, name])
        return self._copied(self._metadata, schemaString=json.dumps(schema), partitionColumns=columns)

    def _copied(self, item: Any, **changed: Any) -> Any:
        """A copy of one of Delta's actions, as Scala's `copy` with some of its fields named."""
        names = [str(name) for name in self._as_java(item.productElementNames().toSeq())]
        values = [changed[name] if name in changed else item.productElement(place) for place, name in enumerate(names)]
        return item.copy(*values)

    def _as_map(self, values: dict[str, str]) -> Any:
        return self._jvm.org.apache.spark.api.python.PythonUtils.toScalaMap(values)

    def _adds(self, action: Any) -> bool:
        return str(action.getClass().getSimpleName()) == "AddFile"

    def rows_of(self, files: Any) -> int:
        """How many rows files hold that `write` has written."""
        return sum(int(item.numLogicalRecords().get()) for item in self._as_java(files))

    def together(self, first: Any, second: Any) -> Any:
        """Files of two writes in one."""
        return self._as_scala([*self._as_java(first), *self._as_java(second)])

    def statistics(self, files: Any) -> list[str]:
        """Delta's JSON of each file that `write` has written: its rows, and of columns nulls, least and greatest."""
        return [str(item.stats()) for item in self._as_java(files)]

    def frame_of(self, files: Any) -> Any:
        """The rows of files that `write` has written, as the table would show them (a Java DataFrame)."""
        nothing = self._jvm.scala.Option.empty()
        return self._log.createDataFrame(self._transaction.snapshot(), files, False, nothing)

    def _place_of(self, added: Any) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(self._log.dataPath(), added.toPath())

    def _storage_of(self, place: Any) -> Any:
        return place.getFileSystem(self._session.sessionState().newHadoopConf())

    def delete(self, files: Any) -> None:
        """Remove files that `write` has written, and that no commit names."""
        for added in self._as_java(files):
            place = self._place_of(added)
            self._storage_of(place).delete(place, False)

    def missing(self, files: Any) -> list[str]:
        """Which of the files that `write` has written aren't there any more: one listing of each folder."""
        folders: dict[str, tuple[Any, list[str]]] = {}
        for added in self._as_java(files):
            place = self._place_of(added)
            folders.setdefault(str(place.getParent()), (place.getParent(), []))[1].append(str(place.getName()))
        gone: list[str] = []
        for folder, names in folders.values():
            storage = self._storage_of(folder)
            there = (
                {str(item.getPath().getName()) for item in storage.listStatus(folder)}
                if storage.exists(folder)
                else set()
            )
            gone += [name for name in names if name not in there]
        return gone

    @property
    def _metadata(self) -> Any:
        return self._transaction.snapshot().metadata()

    @property
    def columns(self) -> StructType:
        """The table's, with their metadata."""
        from pyspark.sql.types import StructType

        return StructType.fromJson(json.loads(str(self._metadata.schemaString())))

    @property
    def layout(self) -> list[str]:
        """The columns that lay the table out."""
        return [str(name) for name in self._as_java(self._metadata.partitionColumns())]

    @property
    def settings(self) -> dict[str, str]:
        """Delta's own properties of the table."""
        found = self._as_java(self._metadata.configuration())
        return {str(key): str(found[key]) for key in found if key.startswith("delta.")}

    @property
    def records_no_changes(self) -> bool:
        """Whether the table has no change feed: Delta takes any spelling of true."""
        reader = getattr(self._delta.commands.cdc, "CDCReader$")
        return not getattr(reader, "MODULE$").isCDCEnabledOnTable(self._metadata, self._session)

    @property
    def form(self) -> tuple[Any, ...]:
        """What files must fit: which table it is, its columns, layout, Delta's own settings and protocol."""
        protocol = str(self._transaction.snapshot().protocol().json())
        return str(self._metadata.id()), str(self._metadata.schemaString()), self.layout, self.settings, protocol

    def put(self, files: Any, rows: int, where: str | None) -> int | None:
        """Name files in the commit that `write` has written, in place of rows that the table holds.

        Args:
            files: Delta's actions.
            rows: how many rows they hold, for the table's history.
            where: the rows that they replace, as SQL; None for all.

        Returns:
            How many rows they replace; None where nobody has counted them.
        """
        self._mode, self._options = "Overwrite", {"replaceWhere": where} if where is not None else {}
        taken, added = self._taken_away(where), self._as_java(files)
        # What is left of files that hold other rows too is written anew; a deletion vector marks rows in the old file.
        again = [item for item in taken if self._adds(item) and item.deletionVector() is None]
        copied = sum(int(item.numLogicalRecords().get()) for item in again)
        self._actions.addAll(taken)
        self._actions.addAll(added)
        every = [*added, *again]
        self._tell(
            numFiles=len(every),
            numOutputRows=rows + copied,  # as Delta's own writer counts
            numCopiedRows=copied,
            numOutputBytes=sum(int(item.size()) for item in every),
        )
        counted = self._transaction.getMetric("numDeletedRows")
        return int(counted.get().value()) if counted.isDefined() else None

    def _taken_away(self, where: str | None) -> Any:
        """Delta's actions that remove rows, as its own DELETE makes them; it registers what it has counted."""
        nothing, snapshot = self._jvm.scala.Option.empty(), self._transaction.snapshot()
        every = self._log.createDataFrame(snapshot, self._as_scala([]), False, nothing)
        plan = (every.where(where) if where is not None else every).queryExecution().analyzed()
        condition = self._jvm.scala.Option.apply(plan.condition()) if where is not None else nothing
        target = plan.child() if where is not None else plan
        command = self._delta.commands.DeleteCommand(self._log, nothing, target, condition)
        return self._as_java(command.performDelete(self._session, self._log, self._transaction)._1())

    def _tell(self, **metrics: int) -> None:
        """What the table's history says of the commit."""
        made: Any = self._jvm.java.util.HashMap()
        context = self._session.sparkContext()
        for name, value in metrics.items():
            metric = self._jvm.org.apache.spark.sql.execution.metric.SQLMetrics.createMetric(context, name)
            metric.set(value)
            made.put(name, metric)
        convert = self._jvm.org.apache.spark.api.python.PythonUtils
        self._transaction.registerSQLMetrics(self._session, convert.toScalaMap(made))

    def record(self, entries: Mapping[str, int]) -> None:
        """Record units, each with its number; one that the ledger holds with as large a number stays as it is."""
        now = self._jvm.scala.Option.apply(int(time.time() * 1000))
        for key, number in entries.items():
            # Asked of the transaction, not of its snapshot: whoever commits the unit meanwhile makes this one fail.
            if number > int(self._transaction.txnVersion(key)):
                self._actions.add(self._delta.actions.SetTransaction(key, number, now))

    def look_out(self, unit: LoadUnit) -> None:
        """Fail where, from now on, a commit of the same load leaves no file behind; and be looked out for likewise.

        A window that was emptied would conflict with nobody: Delta compares files, and transactions by their names.
        """
        self._emptied = f"etl-emptied:{unit.pipeline}:{unit.destination}"
        self._transaction.txnVersion(self._emptied)

    def forget(self, units: Sequence[str]) -> None:
        """Take units back: the ledger holds them no more; whoever commits one of them meanwhile makes this fail."""
        now = self._jvm.scala.Option.apply(int(time.time() * 1000))
        for key in units:
            self._transaction.txnVersion(key)  # asked, so that Delta looks out for it
            self._actions.add(self._delta.actions.SetTransaction(key, FORGOTTEN, now))

    def commit(self, entry: Mapping[str, Any]) -> int:
        """Commit, and return the table's version.

        Args:
            entry: goes into the commit's metadata.
        """
        nothing, some = self._jvm.scala.Option.empty(), self._jvm.scala.Option.apply
        predicate = some(self._options["replaceWhere"]) if "replaceWhere" in self._options else nothing
        schema = [
            some(True) if self._options.get(name) == "true" else nothing for name in ("overwriteSchema", "mergeSchema")
        ]
        operation = getattr(self._delta, "DeltaOperations$Write")(
            getattr(self._jvm.org.apache.spark.sql.SaveMode, self._mode),
            nothing,
            predicate,
            some(json.dumps({"etl": dict(entry)})),
            nothing,
            *schema,
            nothing,
            nothing,
        )
        if self._emptied and not any(map(self._adds, self._actions)):
            now = int(time.time() * 1000)
            self._actions.add(self._delta.actions.SetTransaction(self._emptied, now, self._jvm.scala.Option.apply(now)))
        actions = self._as_scala(self._actions)
        return int(self._transaction.commit(actions, operation))

    @property
    def version(self) -> int:
        """The table's version that it sees."""
        return int(self._transaction.snapshot().version())

    def _as_scala(self, collection: Any) -> Any:
        return self._jvm.org.apache.spark.api.python.PythonUtils.toSeq(collection)

    def _as_java(self, collection: Any) -> Any:
        return self._jvm.scala.jdk.javaapi.CollectionConverters.asJava(collection)


def _typed(schema: StructType) -> set[tuple[str, str]]:
    return {(field.name, field.dataType.simpleString()) for field in schema}
