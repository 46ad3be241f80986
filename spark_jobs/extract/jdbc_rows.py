"""From a `jdbc` source to its rows: what the database is asked, and what becomes of each value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from spark_jobs.columns import nearest
from spark_jobs.errors import ConfigError
from spark_jobs.extract.contract import Contract, WindowColumn, twins
from spark_jobs.extract.jdbc_columns import Selected, nature_of, spark_type
from spark_jobs.extract.parts import conditions, literals, on_scale, scale_of
from spark_jobs.extract.records import Parsed, Problem, Records
from spark_jobs.extract.spans import Span
from spark_jobs.extract.walls import walls
from spark_jobs.flow import Context, Flow
from spark_jobs.jdbc.database import EVERYTHING, Database
from spark_jobs.jdbc.dialect import Dialect, Found, Nature, micros
from spark_jobs.jdbc.queries import filled

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from spark_jobs.extract.jdbc import Jdbc

_ALIAS: Final = "etl_source"


def flow(source: Jdbc, context: Context) -> Flow:
    """The rows of a source's window, lazily."""
    limit = source.statement_timeout
    database = Database.of(
        context.spark,
        context.connections[source.connection],
        context.where,
        fetch=source.fetch_size,
        limit=int(limit.total_seconds() * 1000) if limit else 0,
    )
    asked = _Asked(source=source, context=context, database=database)
    _ = asked.selected  # what can't be read is told before anything is
    fail = source.bad_records == "fail"
    return Records(
        parse=lambda _: [asked.parsed()],
        empty=lambda: asked.frame,
        fail=fail,
        context=context,
        audit=source.audit_columns,
    ).flow()


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a database is asked for a window."""

    source: Jdbc
    context: Context
    database: Database

    @property
    def dialect(self) -> Dialect:
        return self.database.dialect

    @property
    def where(self) -> str:
        return self.context.where

    @property
    def zone(self) -> str:
        return self.source.timezone or self.context.plan.window.timezone

    @cached_property
    def relation(self) -> str:
        """The table, or the query in parentheses."""
        if self.source.table:
            return self.dialect.table(self.source.table, f"{self.where}.table")
        return f"(\n{filled(self.source.query, self.dialect)}\n) {_ALIAS}"

    @cached_property
    def found(self) -> dict[str, Found]:
        """The columns that are asked for, and those that only choose rows."""
        names = [*self.source.columns, *self._choosing()]
        listed = ", ".join(self.dialect.quote(name) for name in dict.fromkeys(names))
        wanted = listed if self.source.columns else "*"
        columns = self.database.columns(f"(SELECT {wanted} FROM {self.relation}) etl_columns")  # noqa: S608 - quoted
        self._refuse_twins([item.name for item in columns])
        return {item.name: item for item in columns}

    @cached_property
    def contract(self) -> Contract:
        return Contract(columns=self.source.columns, new_columns="discard", nested=True, where=self.where)

    @cached_property
    def selected(self) -> list[Selected]:
        types = self.contract.types
        names = list(self.source.columns) or list(self.found)
        chosen = []
        for place, name in enumerate(names):
            nature = nature_of(self._known(name), self.dialect, self.where)
            item = Selected(
                found=self.found[name],
                nature=nature,
                place=place,
                target=types.get(name) or spark_type(self._natural(nature)),
                promised=self.source.columns.get(name),
                zone=self.zone,
            )
            item.refuse_uncastable(self.context.spark, self.where)
            chosen.append(item)
        return chosen

    def _natural(self, nature: Nature) -> str:
        """The type of a column that no contract names; a wall-clock time is an instant where its zone is said."""
        return "timestamp" if nature.kind == "timestamp_ntz" and self.source.timezone else nature.kind

    @property
    def frame(self) -> DataFrame:
        """What the database gives, as it comes."""
        texts = [text for item in self.selected for text in item.select(self.dialect)]
        names = [text.rpartition(" AS ")[2] for text in texts]
        condition, exact = self._window()
        if not exact:
            texts.append(f"{self._over(self.source.window.column)} AS w")  # type: ignore[union-attr]
            names.append("w")
        parts = self._parts()
        if self.source.partition is not None:
            texts.append(f"{self.dialect.quote(self.source.partition.column)} AS p")
            names.append("p")
        query = f"SELECT {', '.join(texts)} FROM {self.relation} WHERE {condition}"  # noqa: S608 - quoted, literals
        rows = self.database.rows(query, parts).toDF(*names)  # some databases spell an alias otherwise
        return rows.drop("p")

    def parsed(self) -> Parsed:
        """The rows and what is wrong with them."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        wrong: list[Problem] = [problem for item in self.selected for problem in item.problems()]
        raw = F.to_json(F.struct(*[item.given.alias(item.found.name) for item in self.selected]))
        return Parsed(
            frame=self.frame,
            values={item.found.name: item.value for item in self.selected},
            wrong=wrong,
            outside=self._outside(),
            raw=raw,
            file=F.lit(f"{self.source.connection}: {self.source.told}"),
            line=F.lit(None).cast("bigint"),
            origin=F.lit(f"{self.source.connection}:{self.source.told}"),
        )

    # -- the window -----------------------------------------------------------------------------------------------

    def _choosing(self) -> list[str]:
        window, partition = self.source.window, self.source.partition
        names = [window.column] if isinstance(window, WindowColumn) else []
        return [*names, partition.column] if partition else names

    def _over(self, name: str) -> str:
        nature = nature_of(self._known(name), self.dialect, self.where)
        return nature.over(self.dialect.quote(name))[0]

    def _window(self) -> tuple[str, bool]:
        """The window as a condition, and whether it alone says which rows belong to it."""
        window = self.source.window
        if not isinstance(window, WindowColumn):
            return EVERYTHING, True
        low, high, exact = self._edges(window.column)
        name = self.dialect.quote(window.column)
        return f"{name} >= {low} AND {name} < {high}", exact

    def _edges(self, name: str) -> tuple[str, str, bool]:
        nature, window = nature_of(self._known(name), self.dialect, self.where), self.context.plan.reading
        if nature.wire == "days":
            self._span(name).refuse_parts_of_days()
            first, after = window.dates
            return self.dialect.day(first), self.dialect.day(after), True
        if nature.wire == "micros" and nature.instant:
            return self.dialect.instant(window.start), self.dialect.instant(window.end), True
        if nature.wire == "micros" or nature.kind == "timestamp_ntz":
            start, end, exact = walls(window, ZoneInfo(self.zone))
            return self.dialect.wall(start), self.dialect.wall(end), exact
        if nature.kind == "date":
            self._span(name).refuse_parts_of_days()
            first, after = window.dates
            return self.dialect.day(first), self.dialect.day(after), True
        raise ConfigError(
            f"the window's column {name!r} is {self.found[name].native or nature.kind}",
            where=f"{self.where}.window",
            expected="a timestamp or date",
            remedy="cast it in `query`",
        )

    def _outside(self) -> Column | None:
        """Whether a row near a change of the clock belongs to another window."""
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql.types import TimestampNTZType

        window = self.source.window
        if not isinstance(window, WindowColumn) or self._window()[1]:
            return None
        nature = nature_of(self._known(window.column), self.dialect, self.where)
        came = F.timestamp_micros("w") if nature.wire == "micros" else F.col("w")
        inside = self._span(window.column).inside(came.cast("timestamp_ntz"), TimestampNTZType())
        return ~F.coalesce(inside, F.lit(False))

    def _span(self, name: str) -> Span:
        return Span(column=name, window=self.context.plan.reading, zone=self.zone, where=self.where)

    # -- parts ----------------------------------------------------------------------------------------------------

    def _parts(self) -> list[str]:
        partition = self.source.partition
        if partition is None:
            return [EVERYTHING]
        scale = scale_of(nature_of(self._known(partition.column), self.dialect, self.where))
        if scale is None:
            raise ConfigError(
                f"column {partition.column!r} is {self.found[partition.column].native}",
                where=f"{self.where}.partition",
                expected="a number, date or timestamp",
            )
        given = partition.given()
        bounds = on_scale(given, scale, partition, self.where) if given else self._bounds(partition.column)
        if bounds is None:
            return [EVERYTHING]
        return conditions("p", *bounds, partition.parts, literals(scale, self.dialect))

    def _bounds(self, name: str) -> tuple[int, int] | None:
        """The range of a column within the window; None where there is no value."""
        window = self.source.window
        nature = nature_of(self._known(name), self.dialect, self.where)
        if isinstance(window, WindowColumn) and window.column == name and nature.wire == "micros":
            reading = self.context.plan.reading
            if nature.instant:
                return micros(reading.start), micros(reading.end)
            start, end, _ = walls(reading, ZoneInfo(self.zone))
            return tuple(micros(edge.replace(tzinfo=reading.start.tzinfo)) for edge in (start, end))  # type: ignore[return-value]
        condition, _ = self._window()
        ends = [nature.over(f"{end}({self.dialect.quote(name)})")[0] for end in ("MIN", "MAX")]
        query = f"SELECT {ends[0]} AS a, {ends[1]} AS b FROM {self.relation} WHERE {condition}"  # noqa: S608 - quoted
        low, high = (_whole(value) for value in self.database.first(query))
        return None if low is None or high is None else (low, high)

    # -- names ----------------------------------------------------------------------------------------------------

    def _known(self, name: str) -> Found:
        if name not in self.found:
            raise ConfigError(
                f"there is no column {name!r}",
                where=self.where,
                expected=f"one of {', '.join(map(repr, self.found))}",
                remedy=nearest(name, list(self.found)),
            )
        return self.found[name]

    def _refuse_twins(self, names: list[str]) -> None:
        twin = twins(names)
        if twin:
            raise ConfigError(
                f"columns {twin[0]!r} and {twin[1]!r} differ by letter case at most",
                where=self.where,
                expected="names that differ in more than that",
                remedy="give one of them another name in `query`, or name the columns wanted in `columns`",
            )


def _whole(value: object) -> int | None:
    """A bound as a whole number: where it lies between two, the cuts move by less than one; None where it is none."""
    found = Decimal(str(value)) if value is not None else None
    return int(found) if found is not None and found.is_finite() else None
