"""Source `files`: files in any of many formats wherever Spark reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract import formats
from spark_jobs.extract.contract import Column, Contract, WindowColumn
from spark_jobs.extract.places import LINE, Place
from spark_jobs.flow import Context, Flow
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, Rest, Scope, bad_types, family, plain_type

# How files are read is imported where one is read: a DAG processor and the start of a task want the options alone.
if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from spark_jobs.extract.cells import Reading
    from spark_jobs.extract.records import Parsed
    from spark_jobs.extract.totals import Totals
    from spark_jobs.session import FileStat


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files in a folder or object store."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: files
path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
format: csv
columns:
  id: {type: int, required: true}
  customer: {type: string}
  amount: {type: "decimal(10,2)"}
  ordered_at: {type: timestamp}
null_values: ["", NA]
new_columns: freeze
"""
    type: ClassVar[str] = "files"
    looks_back: ClassVar[bool] = True

    path: str = field(metadata={"substitute": "text", "path": True})
    """A file, a folder or a glob. Files and folders whose names start with `_` or `.` are left out."""
    format: formats.Name
    """`csv` and `tsv` with a header line; `json` with one object a line, `json_document` with one document a file;
    `xml`; `fixed` width; `text`, whose lines are the column `line`; `logs`; `excel`; `parquet`, `orc`, `avro`. Text is
    UTF-8. Text that ends in `.gz`, `.bz2` or, with a record a line, `.zst` is decompressed."""
    glob: str | None = None
    """Names of the files to read, such as `*.csv` or `part-[0-9]*`, of those that `path` gives; letter case counts."""
    partitions: tuple[str, ...] = field(default=(), metadata={"column": True})
    """Columns that the names of folders hold, as Hive lays tables out: `day` in `day=2013-01-01/orders.csv`. Their
    types stand in `columns`."""
    columns: dict[str, Column] = field(default_factory=dict)
    """The contract: column -> type. Header names decide, not positions. Without it every text column is a string."""
    window: Literal["all", "modified"] | WindowColumn | None = None
    """Which rows belong to a window: `all`; those whose column lies in it; or `modified`, those of the files that were
    changed in it, and a repeat's are the same (docs/tables-as-sources.md). Not needed where the path names it."""
    repeated_files: Literal["read", "skip", "fail"] = "read"
    """Files of a window with the same content under several names: read them all, the first by name alone, or stop.
    Files in folders of other `partitions` are others."""
    late_files: Literal["fail", "warn"] = "fail"
    """With `window: modified`, files that lie in a window that was loaded without them: stop, or say so and go on."""
    timezone: str | None = None
    """IANA name of the zone of timestamps without an offset; default: the pipeline's. An hour that a clock change
    repeats is its first one, one that it skips is moved forward."""
    new_columns: Literal["evolve", "freeze", "discard", "quarantine"] = "evolve"
    """Columns outside the contract: keep them (strings in text formats), stop, leave them out, or set rows that have
    a value there aside."""
    bad_records: Literal["quarantine", "fail"] = "quarantine"
    """Rows that break the format or the contract: set them aside whole, or stop."""
    mostly: float = field(default=0.0, metadata={"ge": 0, "le": 1})
    """Share of records, 0 to 1, that must be good where bad ones are set aside: with fewer the run stops."""
    empty: Literal["fail", "allow"] = "fail"
    """A missing file: stop, or load an empty window. A file without rows always is an empty window."""
    null_values: tuple[str, ...] | None = None
    """Texts that mean null, compared exactly and before the types; default: the empty text, in logs of web servers
    `-` too, and none in `json`, `json_document` and `text`."""
    timestamp_format: str | None = None
    """Spark datetime pattern of timestamps, such as `dd.MM.yyyy HH:mm`; default: ISO 8601, in logs of web servers
    `dd/MMM/yyyy:HH:mm:ss Z`."""
    trailer: str | None = None
    """Regular expression of the line that ends each file of a format with a record a line, with the number of its
    records in the group `rows`: `TRAILER;(?<rows>\\d+)`. A file with more or fewer records stops the run."""
    manifest: Literal["required", "optional"] | None = None
    """Whether a file `NAME.manifest.json` beside each file says how many `rows` and bytes (`size`) and which `sha256`
    or `md5` it has. A file that is otherwise stops the run. Nothing said: such files aren't looked for."""
    separator: str = ","
    """Between the fields of a CSV line; more than one character is possible."""
    quote: str = '"'
    """Around CSV fields that hold a separator, doubled within; empty: quotes have no meaning."""
    multiline: bool = False
    """Whether quoted CSV fields may hold line breaks; each file is then put together by one task."""
    records: str | None = None
    """In `json_document` the keys that lead to the array of records, with dots between them: `data.items`. Default: the
    document is that array, or the one record."""
    row_tag: str | None = None
    """In `xml` the name of the elements that are records. Their attributes are columns with `_` before the name."""
    fields: dict[str, Place] = field(default_factory=dict)
    """In `fixed` column -> where it stands in a line."""
    short_lines: Literal["refuse", "pad"] = "refuse"
    """Lines of `fixed` that end before their last field does: set them aside, or take them as filled up with blanks."""
    pattern: str | None = None
    """In `logs` what a line looks like: `common` or `combined` (web servers), `logfmt`, `json`, or a regular expression
    for the whole line, whose named groups `(?<name>…)` are the columns."""
    sheet: str | int = 1
    """In `excel` the sheet's name, or its number from 1."""
    header: int = field(default=1, metadata={"ge": 1})
    """In `excel` the row with the columns' names, from 1; rows above it are left out."""
    merge_schema: bool = True
    """Whether `parquet`, `orc` and `avro` files may have different columns; those that a file lacks are null."""

    audit_columns: bool = False
    """Whether rows get `_source` (the file) and `_extracted_at` (when they were read, one instant a run)."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why; empty where all can."""
        from spark_jobs.extract.conflicts import conflicts

        return conflicts(self)

    @property
    def consumes(self) -> bool:
        """Whether a window gets what no window has read before; a load keeps what that was."""
        return self.window == "modified"

    def outline(self) -> Outline:
        """The contract's columns; without one only what the format tells by itself is known."""
        rest: Rest = "none" if self.new_columns != "evolve" else "new" if self.columns else "any"
        columns: dict[str, str | None] = {name: plain_type(item.type) for name, item in self.columns.items()}
        names = self.names()
        if names is not None and self.new_columns == "evolve":
            columns, rest = columns | {name: "string" for name in names if name not in columns}, "none"
        personal = [name for name, item in self.columns.items() if item.pii]
        return Outline(columns=columns, rest=rest).holding(personal)

    def names(self) -> tuple[str, ...] | None:
        """The columns that the files hold, where the options alone say so; None where the files do."""
        from spark_jobs.extract.patterns import known_names

        if self.format == "text":
            return (LINE,)
        if self.format == "fixed":
            return tuple(self.fields)
        return known_names(self.pattern or "") if self.format == "logs" else None

    def sampled(self, _path: str) -> Files:
        """What stands for it in a test: its sample is of the window, whenever the file was written.

        Of a few sample records most may be bad.
        """
        few = replace(self, mostly=0.0) if self.mostly else self
        return replace(few, window="all") if self.consumes else few

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Types that Spark or the format doesn't have, a window's column that can't say which rows belong to it."""
        yield from bad_types("columns", {name: item.type for name, item in self.columns.items()})
        for name, item in self.columns.items():
            if family(item.type) == "nested" and not (self._nested and name not in self.partitions):
                hint = "read it as a string and parse it in a step"
                yield Misfit(option=f"columns.{name}", message=f"{self._label} can't hold {item.type!r}", hint=hint)
        if isinstance(self.window, WindowColumn):
            kind = rows.columns.get(self.window.column)
            if kind is None and self.columns and not self._format.typed and self.new_columns == "evolve":
                kind = "string"  # what a contract doesn't name stays text
            if family(kind) not in {None, *INSTANTS}:
                message = f"the window's column {self.window.column!r} is {kind}"
                yield Misfit(option="window.column", message=message, hint="give it type timestamp or date in columns")

    @property
    def _format(self) -> formats.Format:
        return formats.FORMATS[self.format]

    @property
    def _nested(self) -> bool:
        return self._format.nested or (self.format == "logs" and self.pattern in ("json", "logfmt"))

    @property
    def _label(self) -> str:
        return self._format.label

    def read(self, context: Context) -> Flow:
        """The rows of the window, lazily.

        Raises:
            ConfigError: options that can't go together, an unknown type, timezone or pattern.
            DataError: no file is there, or one can't be read or breaks the contract as a whole.
        """
        from spark_jobs.extract.choice import choose
        from spark_jobs.extract.records import Records

        self._refuse_conflicts(context)
        _ = self._contract(context).types
        chosen = choose(self, context)
        files = chosen.files
        reading = self._reading(context, files)
        parse = self._parser(reading) if files else _nothing
        flow = Records(
            parse=parse,
            empty=lambda: self._no_rows(context),
            fail=self.bad_records == "fail",
            mostly=self.mostly,
            context=context,
            totals=reading.totals,
            audit=self.audit_columns,
        ).flow()
        return replace(flow, files=chosen.taken, told=chosen.told) if self.consumes else flow

    def _refuse_conflicts(self, context: Context) -> None:
        from spark_jobs.extract.texts import refuse_bad_pattern

        for option, reason in self.conflicts().items():
            raise ConfigError(f"{option} can't be {getattr(self, option)!r}: {reason}", where=context.where)
        try:
            ZoneInfo(self._zone(context))
        except (KeyError, ValueError, OSError) as error:
            where = f"{context.where}.timezone"
            raise ConfigError(f"unknown timezone {self.timezone!r}", where=where, expected="an IANA name") from error
        refuse_bad_pattern(context.spark, self.timestamp_format, f"{context.where}.timestamp_format")

    def _zone(self, context: Context) -> str:
        return self.timezone or context.plan.window.timezone

    def _contract(self, context: Context) -> Contract:
        return Contract(
            columns=self.columns,
            new_columns=self.new_columns,
            nested=self._nested,
            where=context.where,
            window=self.window.column if isinstance(self.window, WindowColumn) else None,
            label=self._label,
            folders=self.partitions,
        )

    def _reading(self, context: Context, files: tuple[FileStat, ...]) -> Reading:
        from spark_jobs.extract.cells import Reading
        from spark_jobs.extract.spans import Span

        zone, contract = self._zone(context), self._contract(context)
        span = contract.window and Span(
            column=contract.window, window=context.plan.reading, zone=zone, where=context.where
        )
        return Reading(
            context=context,
            files=files,
            contract=contract,
            span=span or None,
            zone=zone,
            nulls=self._nulls() if self.null_values is None else self.null_values,
            pattern=self.timestamp_format or self._usual_time(),
            totals=self._totals(context, files),
            audit=self.audit_columns,
        )

    def _nulls(self) -> tuple[str, ...]:
        from spark_jobs.extract.patterns import nulls

        return nulls(self.pattern or "") if self.format == "logs" else self._format.nulls

    def _usual_time(self) -> str | None:
        from spark_jobs.extract.patterns import KNOWN, TIME

        return TIME if self.format == "logs" and self.pattern in KNOWN else None

    def _totals(self, context: Context, files: tuple[FileStat, ...]) -> Totals | None:
        """What the files promise; a manifest's sizes and checksums are held against them here."""
        from spark_jobs.extract import sidecar
        from spark_jobs.extract.totals import Totals

        if not files or (self.trailer is None and self.manifest is None):
            return None
        rows = {}
        if self.manifest is not None:
            rows = sidecar.rows(context.spark, files, required=self.manifest == "required")
        return Totals(files=tuple(file.path for file in files), trailer=self.trailer, rows=rows)

    def _parser(self, reading: Reading) -> Callable[[bool], list[Parsed]]:
        from spark_jobs.extract.parsing import parser

        return parser(self, reading)

    def _no_rows(self, context: Context) -> DataFrame:
        from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

        types = self._contract(context).types
        if self.new_columns == "evolve":
            types = types | {name: T.StringType() for name in self.names() or () if name not in types}
        if not types:
            raise DataError(
                "there are no rows, and no contract that says which columns there are",
                where=self.path,
                remedy="name the columns",
            )
        kind = T.StructType([T.StructField(name, kind) for name, kind in types.items()])
        return context.spark.createDataFrame([], kind)


def _nothing(_: bool) -> list[Parsed]:
    return []
