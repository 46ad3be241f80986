"""Destination `files`: a folder of files whose manifest, one small file, says what counts, and is the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.limits import limits
from spark_jobs.load.outside import Outside
from spark_jobs.load.reaching import reading_of
from spark_jobs.load.strategies import ReplaceWindow, Snapshot
from spark_jobs.outline import Misfit, Outline, Scope, family
from spark_jobs.plan import Plan
from spark_jobs.report import LoadReceipt
from spark_jobs.upkeep.options import FilesMaintenance, problems

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from spark_jobs.load.delta import Delta
    from spark_jobs.load.filesets.filing import Filing, Outcome

_CODECS: Mapping[str, tuple[str, ...]] = {
    "parquet": ("none", "snappy", "gzip", "zstd", "lz4_raw"),
    "orc": ("none", "snappy", "zlib", "zstd"),
    "csv": ("none", "gzip", "bzip2"),
    "json": ("none", "gzip", "bzip2"),
}
_CSV: Mapping[str, Any] = {"separator": ",", "quote": '"', "header": True, "null_text": ""}


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files on any storage that Spark reaches; `_etl` beside them says which of them count."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: files
path: ${env.lake}/orders_files
format: parquet
write: {strategy: replace_window, column: ordered_at}
"""
    type: ClassVar[str] = "files"
    upkeep: ClassVar[str] = "spark_jobs.upkeep.files:FilesUpkeep"
    looks_back: ClassVar[bool] = True
    scope: ClassVar[Mapping[str, Any]] = {}

    path: str = field(metadata={"substitute": "text", "path": True})
    """The folder or URI. The files are below `data`; readers take those that `_etl` names (docs/file-tables.md)."""
    format: Literal["parquet", "orc", "csv", "json"]
    """`parquet`, `orc`, `csv`, or `json` with one object a line."""
    write: ReplaceWindow | Snapshot
    """How rows reach the folder, and why a repeat can't harm."""
    partition_by: tuple[str, ...] = field(default=(), metadata={"column": True, "distinct": True})
    """Columns that the names of folders hold instead of the files, as Hive has it: `day=2013-01-01`."""
    compression: Literal["none", "snappy", "gzip", "zstd", "zlib", "lz4_raw", "bzip2"] | None = None
    """Default: `snappy` for `parquet`, `zstd` for `orc`, none for text."""
    files_per_window: int | None = field(default=None, metadata={"ge": 1})
    """How many files a window gets (in each folder of `partition_by`, at most); default: as many as Spark has parts."""
    rows_per_file: int | None = field(default=None, metadata={"ge": 1})
    """How many rows a file has at most; default: any number."""
    separator: str = ","
    """Between the fields of a CSV line."""
    quote: str = '"'
    """Around CSV fields that hold a separator, a quote or a line break; doubled within."""
    header: bool = True
    """Whether CSV files begin with the columns' names."""
    null_text: str = ""
    """What stands for null in CSV, never in quotes. Default: nothing, while the empty text is a pair of quotes. A text
    that is the same as one that is said here is refused."""

    maintenance: FilesMaintenance | None = field(default=None, metadata={"upkeep": True})
    """What is done to the folder now and then, by `airflow-etl maintain`, `MaintainOperator` or a DAG of its own."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        found: dict[str, str] = dict(problems(self))
        if self.format != "csv":
            said = [name for name, usual in _CSV.items() if getattr(self, name) != usual]
            found |= dict.fromkeys(said, f"{self.format} files have no such thing: it is for csv")
        if self.compression not in {None, *_CODECS[self.format]}:
            found["compression"] = f"{self.format} files are written with {', '.join(_CODECS[self.format])}"
        if len(self.quote) != 1 or self.quote in "\r\n":
            found["quote"] = "it is one character"
        if not self.separator or set(self.separator) & {self.quote, "\r", "\n"}:
            found["separator"] = "it is one or more characters, none of them the quote or a line break"
        if set(self.null_text) & {self.quote, self.separator, "\r", "\n"}:
            found["null_text"] = "it holds the quote, the separator or a line break: it would be a value"
        return found

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """What the strategy can't do with these columns, and types that the format can't give back."""
        yield from self.write.misfits(rows)
        bad = {"interval", "time"} | ({"nested", "binary"} if self.format == "csv" else set())
        for name, kind in rows.columns.items():
            if family(kind) in bad:
                hint = "write to_json(…), base64(…) or a cast in a derive step"
                yield Misfit(option="format", message=f"{self.format} can't give back {name!r}: {kind}", hint=hint)
        for name in self.partition_by:
            kind = rows.columns.get(rows.spelled(name) or "")
            if family(kind) not in {None, "date", "text", "integer", "boolean"}:
                hint = "a date, text or whole number can"
                told = f"column {name!r} is {kind}: names of folders can't hold it"
                yield Misfit(option="partition_by", message=told, hint=hint)

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns of the rows."""
        return rows

    def sampled(self, path: str) -> Delta:
        """What stands for the folder in tests: a Delta table, with the same strategy."""
        from spark_jobs.load.delta import Delta

        return Delta(path=path, write=self.write)

    def unit(self, name: str, plan: Plan) -> LoadUnit:
        """What is written, for the ledger."""
        snapshot = self.write.numbered_by_window
        return LoadUnit(pipeline=plan.id, destination=name, window=plan.window, snapshot=snapshot)

    def outside(self, rows: DataFrame, context: Context) -> list[Outside]:
        """Which rows the load can't take; none where every row is taken."""
        return limits(self, rows, context)

    def done(self, name: str, context: Context) -> LoadReceipt | None:
        """The receipt of this attempt's own commit, where an earlier try made it and its result got lost."""
        from spark_jobs.load.filesets.filing import Outcome

        entry = self._filing(name, context).found()
        return self._receipt(Outcome(entry=entry, found=True)) if entry is not None else None

    def publish(self, name: str, rows: DataFrame, staged: int, context: Context) -> LoadReceipt:
        """Publish staged rows by one manifest.

        Args:
            name: the load's name in the pipeline file.
            rows: what was staged and checked.
            staged: how many rows that are.
            context: session and plan.

        Raises:
            ConfigError: the folder is somebody else's or laid out in another way, or the files can't hold a column.
            DataError: a column has another type than before, or values that the files can't give back as they are.
            InfrastructureError: the rows that were written aren't those that were staged; or another run has published
                rows of the same time that it read later than these.
        """
        return self._receipt(self._filing(name, context).publish(rows, staged))

    def _filing(self, name: str, context: Context) -> Filing:
        from spark_jobs.load.filesets.filing import Filing
        from spark_jobs.load.filesets.forms import Form
        from spark_jobs.load.filesets.layout import Asked
        from spark_jobs.load.filesets.writing import Sizes

        csv = {name: getattr(self, name) for name in _CSV} if self.format == "csv" else {}
        form = Form(name=self.format, compression=self.compression, **csv)
        column = self.write.column if isinstance(self.write, ReplaceWindow) else None
        return Filing(
            path=self.path,
            write=self.write,
            asked=Asked(form=form, partition_by=self.partition_by, column=column),
            sizes=Sizes(files=self.files_per_window, rows=self.rows_per_file),
            unit=self.unit(name, context.plan),
            context=context,
            reading=reading_of(context.plan, context.dataset, self, self.unit(name, context.plan).key),
            grace=(self.maintenance or FilesMaintenance()).vacuum.retain,
        )

    def _receipt(self, outcome: Outcome) -> LoadReceipt:
        entry = outcome.entry
        if entry is None:
            return LoadReceipt(strategy=self.write.strategy, state="superseded", table=self.path)
        return LoadReceipt(
            strategy=self.write.strategy,
            state="already_done" if outcome.found else "loaded",
            table=self.path,
            rows_inserted=int(entry["inserted"]),
            rows_deleted=int(entry["deleted"]),
            version=int(entry["version"]),
            attempts=outcome.tries,
        )
