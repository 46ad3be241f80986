"""Write strategies: each a small class with exactly its own options, and a reason why a repeat can't harm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, family
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def quoted(name: str) -> str:
    """A column's name as a Spark SQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def instant(value: Any) -> str:
    """An aware instant as a Spark SQL literal."""
    return f"TIMESTAMP '{value.isoformat(sep=' ')}'"


def text(value: str) -> str:
    """A text as a Spark SQL literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@dataclass(frozen=True, kw_only=True)
class ReplaceWindow:
    """Facts with an event time: one commit replaces exactly the rows of the window; an empty window clears it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = "{strategy: replace_window, column: ordered_at}"
    promise: ClassVar[str] = "one commit replaces exactly the rows of [start, end); an empty window clears it"
    numbered_by_window: ClassVar[bool] = False
    rows_carry_pipeline: ClassVar[bool] = False

    strategy: Literal["replace_window"]
    """How rows reach the table."""
    column: str = field(metadata={"column": True})
    """The date or timestamp that says to which window a row belongs."""
    outside: Literal["fail", "quarantine"] = "fail"
    """What happens to rows outside the window or the scope: stop the run, or set them aside and load the rest."""

    def misfits(self, rows: Outline) -> Iterator[Misfit]:
        """A column that is neither a date nor a timestamp with a zone."""
        kind, spelled = rows.columns.get(self.column), rows.spelled(self.column)
        if kind is None and spelled not in {None, self.column}:
            message, hint = f"letter case counts here: there is no column {self.column!r}", f"write {spelled}"
            yield Misfit(option="write.column", message=message, hint=hint, code="unknown-column")
        if family(kind) not in {None, *(INSTANTS - {"timestamp_ntz"})}:
            message = f"column {self.column!r} is {kind}: it can't say to which window a row belongs"
            yield Misfit(option="write.column", message=message, hint="a date or a timestamp does")

    def condition(self, rows: DataFrame, window: Window, where: str) -> str:
        """The window as a condition on the column.

        Raises:
            ConfigError: the column is missing, or no date or timestamp, or a date while the window isn't whole days.
        """
        name = quoted(self.column)
        kinds = {item.name: item.dataType.typeName() for item in rows.schema}
        kind = kinds.get(self.column)
        if kind == "timestamp":
            return f"{name} >= {instant(window.start)} AND {name} < {instant(window.end)}"
        if kind == "date" and window.whole_days:
            first, after = window.dates
            return f"{name} >= DATE '{first}' AND {name} < DATE '{after}'"
        if kind == "date":
            raise ConfigError(
                f"column {self.column!r} is a date, but the window {window} isn't whole days in {window.timezone}",
                where=where,
                expected="a timestamp column, or windows of whole local days",
            )
        raise ConfigError(
            f"column {self.column!r} is {kind or 'not there'}",
            where=where,
            expected=f"a date or timestamp among {', '.join(sorted(kinds))}",
        )

    def shape(self, rows: DataFrame, _pipeline: str, _window: Window) -> DataFrame:
        """The rows as the table holds them."""
        return rows

    def options(self, rows: DataFrame, _pipeline: str, window: Window, where: str) -> dict[str, str]:
        """Options of the Delta writer (mode overwrite)."""
        return {"replaceWhere": self.condition(rows, window, where), "mergeSchema": "true"}


@dataclass(frozen=True, kw_only=True)
class Append:
    """Rows without a time or key of their own: they carry their window; a repeat replaces its own rows."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = "{strategy: append}"
    promise: ClassVar[str] = "rows carry their pipeline and window; a repeat replaces its own rows"
    numbered_by_window: ClassVar[bool] = False
    rows_carry_pipeline: ClassVar[bool] = True
    adds: ClassVar[Mapping[str, str]] = {
        "_pipeline": "string",
        "_window_start": "timestamp",
        "_window_end": "timestamp",
    }

    strategy: Literal["append"]
    """How rows reach the table."""
    outside: Literal["fail", "quarantine"] = "fail"
    """What happens to rows outside the scope, or with values that the table can't hold: stop the run, or set them aside
    and load the rest."""

    def misfits(self, _rows: Outline) -> Iterator[Misfit]:
        """None: every row can be appended."""
        return iter(())

    def shape(self, rows: DataFrame, pipeline: str, window: Window) -> DataFrame:
        """The rows with `_pipeline`, `_window_start` and `_window_end`."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return rows.withColumns(
            {
                "_pipeline": F.lit(pipeline),
                "_window_start": F.expr(instant(window.start)),
                "_window_end": F.expr(instant(window.end)),
            }
        )

    def options(self, _rows: DataFrame, pipeline: str, window: Window, _where: str) -> dict[str, str]:
        """Options of the Delta writer (mode overwrite): this window's rows, and those of windows that it covers."""
        covered = f"_window_start >= {instant(window.start)} AND _window_end <= {instant(window.end)}"
        return {"replaceWhere": f"_pipeline = {text(pipeline)} AND {covered}", "mergeSchema": "true"}

    def overlap(self, pipeline: str, window: Window) -> str:
        """Rows of windows that overlap this one without being covered by it: they can't be told apart."""
        touched = f"_window_start < {instant(window.end)} AND _window_end > {instant(window.start)}"
        covered = f"_window_start >= {instant(window.start)} AND _window_end <= {instant(window.end)}"
        return f"_pipeline = {text(pipeline)} AND {touched} AND NOT ({covered})"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Whole tables: the newest window wins; an older one run later is superseded and changes nothing."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = "{strategy: snapshot}"
    promise: ClassVar[str] = "the newest window wins; an older one run later is superseded and changes nothing"
    numbered_by_window: ClassVar[bool] = True
    rows_carry_pipeline: ClassVar[bool] = False

    strategy: Literal["snapshot"]
    """How rows reach the table."""
    outside: Literal["fail", "quarantine"] = "fail"
    """What happens to rows outside the scope, or with values that the table can't hold: stop the run, or set them aside
    and load the rest."""

    def misfits(self, _rows: Outline) -> Iterator[Misfit]:
        """None: every table can be replaced whole."""
        return iter(())

    def shape(self, rows: DataFrame, _pipeline: str, _window: Window) -> DataFrame:
        """The rows as the table holds them."""
        return rows

    def options(self, _rows: DataFrame, _pipeline: str, _window: Window, _where: str) -> dict[str, str]:
        """Options of the Delta writer (mode overwrite)."""
        return {"overwriteSchema": "true"}


Strategy = ReplaceWindow | Append | Snapshot
