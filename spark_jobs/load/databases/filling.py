"""`merge` into a table without a row: its primary key tells whether each key comes once, so nothing is compared."""

from __future__ import annotations

from dataclasses import dataclass

from spark_jobs.load.databases.base import Cursor, Database
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.sending import Unfit
from spark_jobs.load.databases.shape import Shape
from spark_jobs.load.databases.transacting import Changed, Source


@dataclass(frozen=True, kw_only=True)
class Filling:
    """The first load of a new table, of rows that delete nothing.

    Args:
        database: where the table is.
        table: its name.
        shape: rows' column -> the table's.
    """

    database: Database
    table: TableName
    shape: Shape

    def apply(self, cursor: Cursor, source: Source) -> Changed:
        """Insert what came.

        Raises:
            Unfit: the table has rows by now, or a key came twice: then changes must be compared.
        """
        cursor.execute(f"SELECT 1 FROM {self.database.table(self.table)} LIMIT 1", ())  # noqa: S608 - quoted
        if cursor.fetchone() is not None:
            raise Unfit("the table has rows")
        inserted = source.insert(cursor, self.table, list(self.shape.columns.values()))
        if inserted != source.rows:
            raise Unfit(f"{inserted} of {source.rows} rows came in")
        return Changed(inserted=inserted)
