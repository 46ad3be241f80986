"""A look at an Iceberg table's metadata, and what is to be changed of it: all in one swap, or nothing.

The swap names the metadata that was looked at: whatever anybody has committed meanwhile makes it fail, and nothing is
tried again behind our back, as Iceberg's own commits are (they would book a smaller number over a larger one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.hiding import cut
from spark_jobs.iceberg.locks import turn
from spark_jobs.iceberg.names import BRANCH

if TYPE_CHECKING:
    from spark_jobs.iceberg.table import IcebergTable

MAIN: Final = "main"
_CUT: Final = "some, but not all, rows match filter"


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

    @property
    def columns(self) -> dict[str, int]:
        """Its columns: name -> Iceberg's id, which no other column ever gets."""
        return {str(column.name()): int(column.fieldId()) for column in self._base.schema().columns()}

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
            change.addColumn(None, column.name(), column.type())  # beside all others, whatever dots are in its name
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
                raise ConcurrentModification(cut(str(error.java_exception.getMessage()), 300)) from None
            raise


def _counts(snapshot: Any) -> dict[str, int]:
    return {str(key): int(value) for key, value in dict(snapshot.summary()).items() if str(value).isdigit()}
