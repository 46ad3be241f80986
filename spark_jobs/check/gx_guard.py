"""What authors hand to Great Expectations, made safe: it hands texts to Spark as they are, and authors aren't trusted.

A query is resolved here, as that of a `sql` step is, and Great Expectations asks a view of its rows; a condition is
seen to be one expression, as a `condition` is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spark_jobs.check.expectation import Expectation
from spark_jobs.check.gx_query import BATCH, QUERY, filled
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import scalar
from spark_jobs.flow import Context
from spark_jobs.queries import answer, no_files

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@contextmanager
def guarded(rows: DataFrame) -> Iterator[Views]:
    """While Great Expectations runs: no file is read by its path, and the views that it asks are dropped at the end.

    Args:
        rows: the staged dataset.
    """
    views = Views(rows)
    with no_files(rows.sparkSession):
        try:
            yield views
        finally:
            views.drop()


class Views:
    """The queries over a dataset as views in its session."""

    def __init__(self, rows: DataFrame) -> None:
        self._rows = rows
        self._names: list[str] = []

    def kwargs(self, rule: Expectation, where: str, context: Context) -> dict[str, Any]:
        """An expectation's arguments, with a query that can do nothing but read a view.

        Args:
            rule: the check.
            where: its place in the pipeline file.
            context: what runs.

        Raises:
            ConfigError: Spark refuses its query, or that runs code or a program; a schema or a column that isn't safe.
        """
        for key, names in rule.columns.items():
            for name in names:
                _refuse_quotes(name, f"{where}.kwargs.{key}")
        _refuse_references(rule.kwargs.get("json_schema"), f"{where}.kwargs.json_schema")
        if QUERY not in rule.kwargs:
            return dict(rule.kwargs)
        return {**rule.kwargs, QUERY: self._view(rule.kwargs[QUERY], f"{where}.kwargs.{QUERY}", context)}

    def _view(self, query: Any, where: str, context: Context) -> str:
        try:
            text = filled(query)
        except ValueError as reason:
            raise ConfigError(str(reason), where=where) from reason
        found = answer(text, {BATCH: self._rows}, replace(context, where=where))
        name = f"etl_unexpected_{len(self._names)}"
        # Names of their own: a view can't have one twice, a query can.
        found.toDF(*[f"c{place}" for place in range(len(found.columns))]).createOrReplaceTempView(name)
        self._names.append(name)
        return f"SELECT * FROM {name} -- of {{batch}}"  # noqa: S608 - the name is ours

    def condition(self, built: Any, clause: Callable[[Any], Any], where: str) -> None:
        """See that the condition of an expectation is one expression that Spark can resolve.

        Args:
            built: the expectation as Great Expectations has it.
            clause: its engine's text for a condition of its own form.
            where: its place in the pipeline file.

        Raises:
            ConfigError: it isn't, or it runs code.
        """
        given = getattr(built, "row_condition", None)
        if not given:
            return
        from great_expectations.expectations.row_conditions import PassThroughCondition, deserialize_row_condition

        read = deserialize_row_condition(given)
        text = read.pass_through_filter if isinstance(read, PassThroughCondition) else read
        scalar(text if isinstance(text, str) else str(clause(text)), self._rows, f"{where}.kwargs.row_condition")

    def drop(self) -> None:
        """Drop the views, and the one that Great Expectations asks queries of."""
        session: SparkSession = self._rows.sparkSession
        for name in (*self._names, "tmp_view"):
            session.catalog.dropTempView(name)


def _refuse_quotes(column: str, where: str) -> None:
    if "`" in column:  # it writes names between backticks into expressions, and doubles none
        raise ConfigError(f"column {column!r} has a backtick in its name", where=where, remedy="rename the column")


def _refuse_references(schema: Any, where: str) -> None:
    """A schema's references to others are files and addresses that every executor would read."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            # Only a text is a reference: a property may be called so, and has a schema.
            if key in {"$ref", "$dynamicRef", "$recursiveRef"} and isinstance(value, str) and not value.startswith("#"):
                expected = "a reference within the schema: #/…"
                raise ConfigError(f"{key} leads to {value!r}, out of the schema", where=where, expected=expected)
            _refuse_references(value, where)
    elif isinstance(schema, (list, tuple)):
        for item in schema:
            _refuse_references(item, where)
