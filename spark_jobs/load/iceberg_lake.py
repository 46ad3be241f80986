"""An Iceberg table, as the strategies see it: staged on a branch, published with its ledger by one metadata swap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import listed
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.iceberg.books import Books, booked_of, commit_of
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.iceberg.layout import parsed
from spark_jobs.iceberg.locks import turn
from spark_jobs.iceberg.look import ConcurrentModification, CutsFile, Look
from spark_jobs.iceberg.names import branch_of, branches_of
from spark_jobs.iceberg.table import IcebergTable
from spark_jobs.ledger import Commit, LoadUnit, committing, short
from spark_jobs.load import owners
from spark_jobs.load.lake import Clause, Mark, MergeInto
from spark_jobs.load.side import NUMBER, UNIT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_SOURCE: Final = "__etl_source__"
_MERGED: Final = "spark.merge-into.num-target-rows-"
_KINDS: Final = ("matched", "new", "unmatched")
_EXACT: Final = "write.metadata.metrics.column."


class IcebergLedger:
    """What an Iceberg table's properties say of its loads.

    Args:
        table: the table.
    """

    def __init__(self, table: IcebergTable) -> None:
        self._table = table

    def version(self) -> int | None:
        """The id of main's snapshot, 0 where it has none yet; None where there is no table."""
        look = self._table.look_if_there()
        return look.snapshot if look is not None else None

    def properties(self) -> dict[str, str]:
        """The table's properties; none where there is no table."""
        look = self._table.look_if_there()
        return look.properties if look is not None else {}

    @property
    def _books(self) -> Books:
        return Books(self.properties())

    def units(self, pipeline: str, destination: str) -> dict[str, int]:
        """Key -> number of every unit of one load of a pipeline."""
        return self._books.units(pipeline, destination)

    def number(self, unit: LoadUnit) -> int | None:
        """The number that the table holds for a unit, None where the unit was never loaded."""
        found = self._books.find(unit.key)
        return found.number if found is not None else None

    def find(self, unit: LoadUnit) -> Commit | None:
        """The last commit of a unit; snapshots may have expired since."""
        found = self._books.find(unit.key)
        return commit_of(unit.key, found) if found is not None else None

    def commits(self) -> Iterable[Commit]:
        """Each unit's last commit, the newest first."""
        return (commit_of(unit, booked) for unit, booked in self._books.commits())

    def entries(self) -> dict[str, Mapping[str, Any]]:
        """Unit -> the entry of its last commit."""
        return {str(commit.entry["unit"]): commit.entry for commit in self.commits()}

    def pipelines(self) -> set[str]:
        """Names of the pipelines that have loaded the table."""
        return self._books.pipelines()


@dataclass(frozen=True, kw_only=True)
class Put:
    """What comes, and in the place of what.

    Args:
        condition: Spark SQL: the rows that go.
        added: the files that come, as `stage` gave them.
        columns: that the files have: name -> Iceberg's id.
        dropping: columns that go.
    """

    condition: str
    added: Sequence[Any]
    columns: Mapping[str, int] = field(default_factory=dict)
    dropping: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class IcebergLake:
    """A table.

    Args:
        spark: a classic session that knows the catalog.
        catalog: which one.
        table: `namespace.table`.
        partition_by: how it is laid out, where it isn't there yet.
        sort_by: how rows are sorted in files.
        found_by: columns that tell a window's rows: files say exactly what they hold of them.
    """

    spark: SparkSession
    catalog: Catalog
    table: str
    partition_by: Sequence[str] = ()
    sort_by: Sequence[str] = ()
    found_by: Sequence[str] = field(default=())

    @cached_property
    def iceberg(self) -> IcebergTable:
        """The table by Iceberg's own API."""
        return IcebergTable(self.spark, self.catalog, self.table)

    @property
    def name(self) -> str:
        """The table."""
        return self.iceberg.place

    @property
    def ledger(self) -> IcebergLedger:
        """Its properties."""
        return IcebergLedger(self.iceberg)

    def rows(self) -> DataFrame:
        """Its rows as they are now."""
        return self.iceberg.rows()

    def ensure(self, schema: StructType, properties: Mapping[str, str], where: str) -> None:
        """Make it where there is none; add columns that it lacks.

        Raises:
            ConfigError: it is laid out otherwise, or a column is of a type that Iceberg hasn't got.
        """
        if not self.iceberg.exists():
            spelled = {name.lower(): name for name in schema.names}
            exact = {f"{_EXACT}{spelled.get(name.lower(), name)}": "full" for name in self.found_by}
            self.iceberg.create(schema, self.partition_by, self.sort_by, {**exact, **properties})
        self._refuse_layout(schema, where)
        committing(lambda: self.iceberg.evolve(schema))

    def _refuse_layout(self, schema: StructType, where: str) -> None:
        wanted = [parsed(text, schema.names).told for text in self.partition_by]
        found = self.iceberg.look().parts()
        if wanted and [part.lower() for part in wanted] != [part.lower() for part in found]:
            raise ConfigError(
                f"the table is partitioned by {', '.join(found) or 'nothing'}",
                where=f"{where}.partition_by",
                expected=", ".join(wanted),
                remedy="say that in `partition_by`, or leave it out; Iceberg's own ALTER TABLE changes it",
            )

    def claim(self, mine: owners.Claim) -> None:
        """Say in the table's properties what a load owns; two that come at once look at each other's.

        Raises:
            ConfigError: another pipeline loads the table, and no scope parts their rows.
        """

        def say() -> None:
            look = self.iceberg.look()
            found = look.properties.get(mine.key)
            loaders = Books(look.properties).pipelines()
            if found == mine.value or (found is None and not mine.scope and mine.pipeline in loaders):
                return
            owners.refuse_others(mine, owners.claims_of(look.properties), loaders, self.name)
            look.set({mine.key: mine.value})
            if self.catalog.type == "rest":
                look.append([])  # its server compares main's snapshot, and no properties: two claims would both pass
            look.commit()

        committing(say)

    def stage(self, rows: DataFrame, mark: Mark) -> list[Any]:
        """Write an attempt's rows where no reader sees them; the files.

        Args:
            rows: with the table's columns.
            mark: the attempt's.
        """
        self._sweep(mark)
        branch = branch_of(mark.unit, mark.number)
        committing(lambda: self.iceberg.begin(branch, self.iceberg.look().snapshot))
        return self.iceberg.append(rows, branch)

    def _sweep(self, mark: Mark) -> None:
        """Drop the branches that dead attempts of the unit have left."""
        self._drop(mark, lambda number: number < mark.number)

    def _drop(self, mark: Mark, wanted: Callable[[int], bool]) -> None:
        """Drop the unit's branches of some numbers: each keeps the files of the whole table as it was."""

        def drop() -> None:
            look = self.iceberg.look()
            mine = [name for name in look.branches if name.startswith(branches_of(mark.unit))]
            found = [name for name in mine if wanted(int(name.rpartition("_")[2]))]
            if found:
                look.drop_branches(found)
                look.commit()

        committing(drop)

    def put(self, what: Put, mark: Mark, demand: Callable[[Books], None] | None = None) -> None:
        """Publish staged files; nothing happens where the ledger holds the unit with as large a number.

        Args:
            what: comes and goes.
            mark: the attempt's.
            demand: raises where the ledger forbids it.

        Raises:
            ConcurrentModification: somebody came in between.
            InfrastructureError: a column has gone meanwhile.
        """
        look = self._open(mark, demand)
        if look is None:
            self._drop(mark, lambda number: number == mark.number)
            return
        self._refuse_gone(look, what.columns)
        try:
            look.replace(what.condition, what.added)
            deleted = look.summary()[1].get("deleted-records", 0)
        except CutsFile:
            look, deleted = self._cut(what.condition, mark, look.snapshot)
            look.append(what.added)
        look.drop_columns(what.dropping)
        self._publish(look, mark, deleted=deleted)

    def _refuse_gone(self, look: Look, columns: Mapping[str, int]) -> None:
        """See that the table still has the columns that were written: a snapshot takes away those that it lacks.

        One that was made anew has another id, and what the files say of the old one would be read as null.
        """
        gone = sorted(name for name, number in columns.items() if look.columns.get(name) != number)
        if gone:
            raise InfrastructureError(
                f"column {listed(gone)} went meanwhile, as with a snapshot that was published",
                where=self.name,
                expected="the columns that were staged",
                remedy="nothing was published; the retry writes them anew",
            )

    def _open(self, mark: Mark, demand: Callable[[Books], None] | None = None) -> Look | None:
        look = self.iceberg.look()
        books = Books(look.properties)
        booked = books.find(mark.unit)
        if booked is not None and booked.number >= mark.number:
            return None
        if demand is not None:
            demand(books)
        return look

    def _cut(self, condition: str, mark: Mark, snapshot: int) -> tuple[Look, int]:
        """Rows of files that hold others too go by a DELETE on a branch, which is what main becomes first."""
        branch = branch_of(mark.unit, mark.number)
        self.iceberg.begin(branch, snapshot)
        self.iceberg.run(f"DELETE FROM {self.iceberg.named(branch)} WHERE {condition}")  # noqa: S608 - ours
        look = self.iceberg.look()
        if look.snapshot != snapshot:
            raise ConcurrentModification(self.name)
        deleted = look.forward(branch)
        return look, deleted

    def _publish(self, look: Look, mark: Mark, **counts: int) -> None:
        if look.summary()[0] == look.snapshot:
            look.append([])  # main moves with every entry: who merges looks at main alone to see that it may publish
        version, summary = look.summary()
        merged = {key.removeprefix(_MERGED): value for key, value in summary.items() if key.startswith(_MERGED)}
        booked = booked_of(
            mark.entry,
            version=version,
            inserted=merged.get("inserted", 0) if merged else summary.get("added-records", 0),
            updated=merged.get("updated", 0),
            deleted=counts.get("deleted", merged.get("deleted", 0)),
        )
        look.set(Books(look.properties).with_booked(mark.unit, booked))
        look.drop_branches([branch_of(mark.unit, mark.number)])
        look.commit()

    def alone(self) -> AbstractContextManager[None]:
        """One merge after the other where turns are taken anyway; elsewhere who comes second merges again."""
        return turn(self.catalog, f"{self.table}.merging")

    def merge(self, what: MergeInto, mark: Mark) -> None:
        """Merge on a branch of the snapshot that was looked at, and publish it if main is still that one.

        Raises:
            ConcurrentModification: somebody came in between.
        """
        looked = int(mark.entry["look"] or 0)
        if self._open(mark) is None:
            return
        self._sweep(mark)
        branch = branch_of(mark.unit, mark.number)
        self.iceberg.begin(branch, looked)
        what.source.createOrReplaceTempView(_SOURCE)
        self.iceberg.run(_statement(self.iceberg.named(branch), what))
        look = self._open(mark)
        if look is None:
            self._drop(mark, lambda number: number == mark.number)
            return
        if look.snapshot != looked:
            raise ConcurrentModification(self.name)
        look.forward(branch)
        self._publish(look, mark)

    def replace(self, rows: DataFrame, where: str, mark: Mark) -> None:
        """Rows come in the place of those that a condition is true for, in one commit; of a side table."""
        entry = {"number": mark.number, "attempt": mark.number, "token": "", "run": "", "fingerprint": "", "staged": 0}
        own = Mark(unit=mark.unit, number=mark.number, entry=entry)
        added = self.stage(rows, own)
        committing(lambda: self.put(Put(condition=where, added=added), own))

    def beside(self, kind: str, pipeline: str, load: str, partition_by: Sequence[str]) -> IcebergLake:
        """A side table: in the same namespace."""
        plain = "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in f"{pipeline}__{load}")
        told = short(f"{pipeline}:{load}")[:8]  # other names may look alike so
        name = f"{self.table}_{kind}__{plain}_{told}"
        return IcebergLake(
            spark=self.spark, catalog=self.catalog, table=name, partition_by=partition_by, found_by=(UNIT, NUMBER)
        )


def _statement(table: str, what: MergeInto) -> str:
    """A merge in SQL."""
    # SQL wants them by kind; a row is of one kind, so the order between kinds means nothing.
    clauses = " ".join(map(_clause, sorted(what.clauses, key=lambda clause: _KINDS.index(clause.of))))
    return f"MERGE INTO {table} AS t USING {_SOURCE} AS s ON {what.on} {clauses}"


def _clause(clause: Clause) -> str:
    when = {"matched": "MATCHED", "unmatched": "NOT MATCHED BY SOURCE", "new": "NOT MATCHED"}[clause.of]
    condition = f" AND ({clause.where})" if clause.where is not None else ""
    columns = clause.columns
    if columns is None:
        return f"WHEN {when}{condition} THEN DELETE"
    if clause.of == "new":
        names, values = ", ".join(columns), ", ".join(columns.values())
        return f"WHEN {when}{condition} THEN INSERT ({names}) VALUES ({values})"  # noqa: S608 - of quoted parts
    changed = ", ".join(f"{name} = {value}" for name, value in columns.items())
    return f"WHEN {when}{condition} THEN UPDATE SET {changed}"
