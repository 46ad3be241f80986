"""From a `table` source to its rows: one version, the contract's columns, the window's rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import column
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract import versions
from spark_jobs.extract.contract import Contract, WindowColumn
from spark_jobs.extract.records import Parsed, Problem, Records
from spark_jobs.extract.spans import Span
from spark_jobs.flow import Context, Flow
from spark_jobs.history import Pinned

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

    from spark_jobs.extract.table import Table
    from spark_jobs.load.filesets.manifest import Manifest, Slice

_OWN: Final = "read another table; or what it was before, `as_of: ${window.start}`"


def flow(source: Table, context: Context) -> Flow:
    """The rows of a source's window, lazily."""
    refuse_own(source, context)
    table, version = _of_files(source, context) if source.format == "files" else _of_table(source, context)
    rows = _within(source, table, context)
    names = chosen_columns(source, table.schema, context)
    return records(source, rows, names, context, {"version": version})


def _of_table(source: Table, context: Context) -> tuple[DataFrame, int]:
    version = versions.chosen(source, context)
    return versions.read(context.spark, source.path, version), version


def _of_files(source: Table, context: Context) -> tuple[DataFrame, int]:
    """What a folder's newest manifest names, and the manifest's number; the same one for all sources of a run."""
    from spark_jobs.load.filesets.catalog import Catalog
    from spark_jobs.load.filesets.layout import read

    path = source.path.rstrip("/")
    catalog, pinned = Catalog(context.spark, path), context.versions.get(path)
    held = catalog.newest() if pinned is None else catalog.numbered(pinned.version)
    if held is None:
        gone = "there is no folder that destination files loads"
        raise DataError(
            gone if pinned is None else f"manifest {pinned.version} is gone, which the run has read before",
            where=source.path,
            expected="one that another pipeline has loaded",
            remedy="load it first, or correct the path" if pinned is None else "run it again",
        )
    moment = round(datetime.fromisoformat(held.at).timestamp() * 1000)
    context.versions.setdefault(path, Pinned(version=held.number, committed=moment, table=""))
    return read(context.spark, path, held.layout, _needed(source, held, context)), held.number


def _needed(source: Table, held: Manifest, context: Context) -> Sequence[Slice]:
    """The files that may have rows of the window."""
    from pyspark.sql.types import StructType

    from spark_jobs.load.filesets.layout import span_of

    if not isinstance(source.window, WindowColumn) or source.window.column != held.layout["column"]:
        return held.slices
    column = StructType.fromJson(dict(held.layout["schema"]))[source.window.column]
    span = span_of(context.plan.reading, column.dataType)
    return [part for part in held.slices if part.overlaps(span)]


def records(source: Table, rows: DataFrame, names: Sequence[str], context: Context, told: dict[str, object]) -> Flow:
    """Rows as a flow: those without a required value are set aside.

    Args:
        source: its contract says what is required.
        rows: the window's.
        names: the columns that come out.
        context: session and plan.
        told: what the report says of the source.
    """
    parsed = _parsed(source, rows, names)
    found = Records(
        parse=lambda _: [parsed],
        empty=lambda: rows,
        fail=source.bad_records == "fail",
        context=context,
        audit=source.audit_columns,
    ).flow()
    return Flow(rows=found.rows, counts=found.counts, refused=found.refused, told=told)


def _parsed(source: Table, rows: DataFrame, names: Sequence[str]) -> Parsed:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    wrong = [
        Problem(
            rule=f"required {name}",
            when=column(name).isNull(),
            message=F.lit(f"column {name!r} is required and has no value"),
        )
        for name, item in source.columns.items()
        if item.required
    ]
    return Parsed(
        frame=rows,
        values={name: column(name) for name in names},
        wrong=wrong,
        raw=F.to_json(F.struct(*[column(name) for name in names])),
        file=F.lit(source.path),
        line=F.lit(None).cast("bigint"),
    )


def refuse_own(source: Table, context: Context) -> None:
    """See that the pipeline doesn't read what it writes: a repeat would read what it has written.

    Raises:
        ConfigError: it does.
    """
    if source.repeatable:
        return
    for name, (_, destination) in context.plan.load.items():
        if getattr(destination, "path", "").rstrip("/") == source.path.rstrip("/"):
            raise ConfigError(
                f"load {name!r} writes the table that is read here: a repeat of the window would read what it wrote",
                where=f"{context.where}.path",
                expected="a table that this pipeline doesn't load",
                remedy=_OWN,
            )


def chosen_columns(source: Table, table: StructType, context: Context) -> list[str]:
    """The columns that come out.

    Raises:
        ConfigError: the contract names one that isn't there, or that has another type.
    """
    contract = Contract(columns=source.columns, new_columns="discard", nested=True, where=context.where)
    there = {item.name: item.dataType for item in table}
    for name, kind in contract.types.items():
        place = f"{context.where}.columns.{name}"
        if name not in there:
            expected = f"one of {', '.join(map(repr, there))}"
            raise ConfigError(f"the table has no column {name!r}", where=place, expected=expected)
        if there[name].simpleString() != kind.simpleString():
            raise ConfigError(
                f"column {name!r} is {there[name].simpleString()} in the table",
                where=f"{place}.type",
                expected=kind.simpleString(),
                remedy=f"write {there[name].simpleString()} here, and cast it in a step",
            )
    return list(source.columns) or list(there)


def _within(source: Table, rows: DataFrame, context: Context) -> DataFrame:
    if not isinstance(source.window, WindowColumn):
        return rows
    name, window = source.window.column, context.plan.reading
    kind = next((item.dataType for item in rows.schema if item.name == name), None)
    span = Span(column=name, window=window, zone=window.timezone, where=context.where)
    return rows.where(span.inside(column(name), kind))
