"""Source `files`: CSV, JSON lines or Parquet files wherever Spark reaches them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.contract import Column, Contract, WindowColumn
from spark_jobs.flow import Context, Flow
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, Rest, Scope, bad_types, family, plain_type

# How files are read is imported where one is read: a DAG processor and the start of a task want the options alone.
if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from spark_jobs.extract.cells import Reading
    from spark_jobs.extract.records import Parsed

log: Final = logging.getLogger(__name__)

_TEXT_ONLY: Final = "Parquet has types and nulls of its own"
_CSV_ONLY: Final = "only csv has it"


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
    format: Literal["csv", "json", "parquet"]
    """`csv` with a header line, `json` with one object a line, or `parquet`; text is UTF-8."""
    columns: dict[str, Column] = field(default_factory=dict)
    """The contract: column -> type. Header names decide, not positions. Without it every text column is a string."""
    window: Literal["all"] | WindowColumn | None = None
    """Which rows belong to a window: `all`, or those whose column lies in it; not needed where the path names it."""
    timezone: str | None = None
    """IANA name of the zone of timestamps without an offset; default: the pipeline's. An hour that a clock change
    repeats is its first one, one that it skips is moved forward."""
    new_columns: Literal["evolve", "freeze", "discard", "quarantine"] = "evolve"
    """Columns outside the contract: keep them (strings in text formats), stop, leave them out, or set rows that have
    a value there aside."""
    bad_records: Literal["quarantine", "fail"] = "quarantine"
    """Rows that break the format or the contract: set them aside whole, or stop."""
    empty: Literal["fail", "allow"] = "fail"
    """A missing file: stop, or load an empty window. A file without rows always is an empty window."""
    null_values: tuple[str, ...] | None = None
    """Texts that mean null, compared exactly and before the types; default: the empty text in `csv`, none in `json`."""
    timestamp_format: str | None = None
    """Spark datetime pattern of timestamps, such as `dd.MM.yyyy HH:mm`; default: ISO 8601."""
    separator: str = ","
    """Between the fields of a CSV line; more than one character is possible."""
    quote: str = '"'
    """Around CSV fields that hold a separator, doubled within; empty: quotes have no meaning."""
    multiline: bool = False
    """Whether quoted CSV fields may hold line breaks; each file is then put together by one task."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why; empty where all can."""
        found: dict[str, str] = {}
        if self.format != "csv":
            defaults = {"separator": ",", "quote": '"', "multiline": False}
            found |= {name: _CSV_ONLY for name, value in defaults.items() if getattr(self, name) != value}
        if self.format == "parquet" and self.null_values is not None:
            found["null_values"] = _TEXT_ONLY
        if not self.separator or any(letter in self.separator for letter in "\r\n") or self.separator == self.quote:
            found["separator"] = "it must differ from quote and hold no line break"
        if len(self.quote.encode()) > 1:
            found["quote"] = "it is one ASCII character, or empty"
        if self.multiline and not self.quote:
            found["multiline"] = "line breaks are told apart by quotes, and quote is empty"
        if self.new_columns != "evolve" and not self.columns:
            found["new_columns"] = f"{self.new_columns} needs columns: without them every column is new"
        return found

    def outline(self) -> Outline:
        """The contract's columns; without one nothing is known."""
        rest: Rest = "none" if self.new_columns != "evolve" else "new" if self.columns else "any"
        columns = {name: plain_type(item.type) for name, item in self.columns.items()}
        personal = [name for name, item in self.columns.items() if item.pii]
        return Outline(columns=columns, rest=rest).holding(personal)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Types that Spark or the format doesn't have, a window's column that can't say which rows belong to it."""
        yield from bad_types("columns", {name: item.type for name, item in self.columns.items()})
        for name, item in self.columns.items() if self.format == "csv" else ():
            if family(item.type) == "nested":
                hint = "read it as a string and parse it in a step"
                yield Misfit(option=f"columns.{name}", message=f"CSV can't hold {item.type!r}", hint=hint)
        if isinstance(self.window, WindowColumn):
            kind = rows.columns.get(self.window.column)
            if kind is None and self.columns and self.format != "parquet" and self.new_columns == "evolve":
                kind = "string"  # what a contract doesn't name stays text
            if family(kind) not in {None, *INSTANTS}:
                message = f"the window's column {self.window.column!r} is {kind}"
                yield Misfit(option="window.column", message=message, hint="give it type timestamp or date in columns")

    def read(self, context: Context) -> Flow:
        """The rows of the window, lazily.

        Raises:
            ConfigError: options that can't go together, an unknown type, timezone or pattern.
            DataError: no file is there, or one can't be read or breaks the contract as a whole.
        """
        from spark_jobs.extract.records import Records
        from spark_jobs.filesystem import find

        self._refuse_conflicts(context)
        _ = self._contract(context).types
        found = find(context.spark, self.path)
        if found.ignored:
            log.warning("%s: left out, names start with _ or .: %s", context.where, ", ".join(found.ignored[:10]))
        if not found.files and self.empty == "fail":
            raise DataError(
                f"no file for the window {context.plan.window}",
                where=self.path,
                expected="at least one" + (f"; {len(found.ignored)} start with _ or ." if found.ignored else ""),
                remedy="wait for the file, or set empty: allow",
            )
        parse = self._parser(self._reading(context, found.files)) if found.files else _nothing
        fail = self.bad_records == "fail"
        return Records(parse=parse, empty=lambda: self._no_rows(context), fail=fail, context=context).flow()

    def _refuse_conflicts(self, context: Context) -> None:
        from spark_jobs.extract.texts import refuse_bad_pattern

        for option, reason in self.conflicts().items():
            raise ConfigError(f"{option} can't be {getattr(self, option)!r}: {reason}", where=context.where)
        try:
            ZoneInfo(self._zone(context))
        except (KeyError, ValueError, OSError) as error:
            where = f"{context.where}.timezone"
            raise ConfigError(f"unknown timezone {self.timezone!r}", where=where, expected="an IANA name") from error
        refuse_bad_pattern(context.spark, self.timestamp_format, context.where)

    def _zone(self, context: Context) -> str:
        return self.timezone or context.plan.window.timezone

    def _contract(self, context: Context) -> Contract:
        column = self.window.column if isinstance(self.window, WindowColumn) else None
        nested = self.format != "csv"
        return Contract(
            columns=self.columns, new_columns=self.new_columns, nested=nested, where=context.where, window=column
        )

    def _reading(self, context: Context, files: tuple[Any, ...]) -> Reading:
        from spark_jobs.extract.cells import Reading
        from spark_jobs.extract.spans import Span

        zone, contract = self._zone(context), self._contract(context)
        default = ("",) if self.format == "csv" else ()
        span = contract.window and Span(
            column=contract.window, window=context.plan.reading, zone=zone, where=context.where
        )
        return Reading(
            context=context,
            files=files,
            contract=contract,
            span=span or None,
            zone=zone,
            nulls=default if self.null_values is None else self.null_values,
            pattern=self.timestamp_format,
        )

    def _parser(self, reading: Reading) -> Callable[[bool], list[Parsed]]:
        from spark_jobs.extract import delimited, json_lines, parquet
        from spark_jobs.extract.header import Dialect

        if self.format == "csv":
            dialect = Dialect(separator=self.separator, quote=self.quote, multiline=self.multiline)
            return delimited.parser(reading, dialect)
        return json_lines.parser(reading) if self.format == "json" else parquet.parser(reading)

    def _no_rows(self, context: Context) -> DataFrame:
        from pyspark.sql.types import StructField, StructType

        types = self._contract(context).types
        if not types:
            raise DataError(
                "there are no rows, and no contract that says which columns there are",
                where=self.path,
                remedy="name the columns",
            )
        return context.spark.createDataFrame([], StructType([StructField(name, kind) for name, kind in types.items()]))


def _nothing(_: bool) -> list[Parsed]:
    return []
