"""One commit of several things, by Delta's own transaction: the DataFrame writer has room for one unit alone.

Readers see all of it, or nothing. The classes are Delta's for Spark (`OptimisticTransaction`, `WriteIntoDelta`), which
its own writer uses in the same way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spark_jobs.ledger import FORGOTTEN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Transaction:
    """What goes into one commit of a table; it sees the table as it was when this was made.

    Args:
        spark: a classic session with Delta.
        path: the table's folder or URI; the table is there.
    """

    def __init__(self, spark: SparkSession, path: str) -> None:
        jvm: Any = spark._jvm
        self._jvm, self._session = jvm, spark._jsparkSession
        # Delta asks for the active session, which is this thread's.
        spark._get_j_spark_session_class(self._jvm).setActiveSession(self._session)
        self._delta: Any = self._jvm.org.apache.spark.sql.delta
        self._log: Any = self._delta.DeltaLog.forTable(self._session, path)
        self._transaction: Any = self._log.startTransaction()
        self._actions: Any = self._jvm.java.util.ArrayList()
        self._mode, self._options = "Append", dict[str, str]()

    @property
    def units(self) -> dict[str, int]:
        """Key -> number of every unit that the ledger holds."""
        found = self._as_java(self._transaction.snapshot().transactions())
        return {str(key): int(found[key]) for key in found if key.startswith("etl:") and int(found[key]) > FORGOTTEN}

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
        self._actions.addAll(self._as_java(write.write(self._transaction, self._session, nothing, False)))

    def record(self, entries: Mapping[str, int]) -> None:
        """Record units, each with its number; one that the ledger holds with as large a number stays as it is."""
        now = self._jvm.scala.Option.apply(int(time.time() * 1000))
        for key, number in entries.items():
            # Asked of the transaction, not of its snapshot: whoever commits the unit meanwhile makes this one fail.
            if number > int(self._transaction.txnVersion(key)):
                self._actions.add(self._delta.actions.SetTransaction(key, number, now))

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
        actions = self._jvm.org.apache.spark.api.python.PythonUtils.toSeq(self._actions)
        return int(self._transaction.commit(actions, operation))

    @property
    def version(self) -> int:
        """The table's version that it sees."""
        return int(self._transaction.snapshot().version())

    def _as_java(self, collection: Any) -> Any:
        return self._jvm.scala.jdk.javaapi.CollectionConverters.asJava(collection)
