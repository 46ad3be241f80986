"""The sensors to write by hand: one for each condition, with its options as arguments.

All take `deferrable`, `mode`, `on_timeout`, `poke_interval` and `timeout` (`EtlSensor`), and `timezone`. Beside Jinja,
`${window.start}`, `${window.end}` and `${window.key}` stand for the run's window: what its form says, its asset events,
else its data interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_etl.compat import Context
from airflow_provider_etl.operators.source import checked, find
from airflow_provider_etl.sensors.asking import Ask
from airflow_provider_etl.sensors.base import EtlSensor
from airflow_provider_etl.sensors.by_hand import filled, windows_of_run
from airflow_provider_etl.sensors.file import File
from airflow_provider_etl.sensors.http import Expect, Http
from airflow_provider_etl.sensors.pipeline import Lookback, OtherPipeline
from airflow_provider_etl.sensors.s3 import S3Key
from airflow_provider_etl.sensors.sql import Sql
from airflow_provider_etl.sensors.table import Table
from airflow_provider_etl.spec import load_file
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


class ConditionSensor(EtlSensor):
    """A sensor whose condition stands in its arguments.

    Args:
        timezone: IANA name of the zone on whose clock the window is formatted.
    """

    kind: ClassVar[str]

    def __init__(self, *, timezone: str = "UTC", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.timezone = timezone

    def condition(self) -> Any:
        """The condition, as the arguments say."""
        raise NotImplementedError

    def prepared(self, condition: Any, window: Window | None) -> Any:  # noqa: ARG002 - most need nothing
        """What has to be found out on the worker, as JSON."""
        return None

    def asks(self, context: Context) -> Sequence[Ask]:
        """One a window of the run; one without a window where it has none."""
        condition = self.condition()
        windows: list[Window | None] = [*windows_of_run(context, self.timezone)]
        return [
            Ask(
                kind=self.kind,
                condition=filled(condition, window, self.task_id),
                window=window,
                prepared=self.prepared(condition, window),
            )
            for window in windows or [None]
        ]


class WaitForFileSensor(ConditionSensor):
    """Wait until files are there, and whole.

    Args:
        path: a file, a folder (all files below it), or a pattern with * ? [..]; absolute, or a URI.
        stable: how long size and time of change must have stayed as they are.
        success: a marker that the producer writes last into the folder, such as _SUCCESS.
        manifest: a file of the folder that lists what makes the delivery whole.
        connection: Airflow connection id of a URI's store.
    """

    kind: ClassVar[str] = "file"
    template_fields: Sequence[str] = ("path", "success", "manifest", "connection")

    def __init__(
        self,
        *,
        path: str,
        stable: timedelta | None = None,
        success: str | None = None,
        manifest: str | None = None,
        connection: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.stable = stable
        self.success = success
        self.manifest = manifest
        self.connection = connection

    def condition(self) -> File:
        """See `ConditionSensor`."""
        return File(
            path=self.path,
            stable=self.stable,
            success=self.success,
            manifest=self.manifest,
            connection=self.connection,
        )


class WaitForPipelineSensor(ConditionSensor):
    """Wait until another pipeline has loaded what this run's window needs.

    Args:
        pipeline: path of the other's file, searched from the DAG's file upwards; with `by="airflow"` and
            `window="same"` the id of any DAG will do.
        window: `covering`: its windows that cover this one together; `same`: the very same one.
        lookback: how far before this window they must reach.
        by: `ledger`: what its tables hold; `airflow`: whether the runs of its schedule have succeeded.
        load: one of its loads; by default all of them.
        environment: name or path of an environment; by default `[etl] environment`.
    """

    kind: ClassVar[str] = "pipeline"
    template_fields: Sequence[str] = ("pipeline", "load", "environment")

    def __init__(  # noqa: PLR0913 - one for each option
        self,
        *,
        pipeline: str,
        window: Literal["same", "covering"] = "covering",
        lookback: timedelta | None = None,
        by: Literal["ledger", "airflow"] = "ledger",
        load: str | None = None,
        environment: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.window = window
        self.lookback = lookback
        self.by = by
        self.load = load
        self.environment = environment

    def condition(self) -> OtherPipeline:
        """See `ConditionSensor`."""
        other = self._other()
        return OtherPipeline(
            name=other.name if other else self.pipeline,
            window=Lookback(lookback=self.lookback) if self.lookback else self.window,
            by=self.by,
            load=self.load,
        )

    def prepared(self, condition: OtherPipeline, window: Window | None) -> Any:
        """See `ConditionSensor`."""
        if window is None:
            raise ConfigError("the run has no window", where=self.task_id, expected="a data interval")
        return condition.prepare(window, self._other())

    def _other(self) -> Pipeline | None:
        try:
            path = find(self.pipeline, Path(self.dag.fileloc).resolve().parent)
        except ConfigError:
            if self.by == "airflow" and self.window == "same" and not self.lookback:
                return None
            raise
        return checked(load_file(path, environment=self.environment or None), self.pipeline)


class WaitForTableSensor(ConditionSensor):
    """Wait until a table is fresh enough.

    Args:
        path: the table's folder or URI; absolute.
        newer_than: `window.start`, `window.end`, or a length of time before now.
        column: a date or timestamp column whose largest value counts; by default the last commit that changed rows.
    """

    kind: ClassVar[str] = "table"
    template_fields: Sequence[str] = ("path", "column")

    def __init__(
        self,
        *,
        path: str,
        newer_than: Literal["window.start", "window.end"] | timedelta = "window.end",
        column: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.newer_than = newer_than
        self.column = column

    def condition(self) -> Table:
        """See `ConditionSensor`."""
        return Table(path=self.path, newer_than=self.newer_than, column=self.column)


class WaitForHttpSensor(ConditionSensor):
    """Wait until a server answers as it should.

    Args:
        url: the whole address, where it needs no secret; or:
        connection: Airflow connection id of type http, with:
        path: the rest of the address.
        method: GET or HEAD.
        status: HTTP statuses that are right.
        json: keys and values that the answer's JSON must have, at any depth.
        contains: a text that the answer must hold.
    """

    kind: ClassVar[str] = "http"
    template_fields: Sequence[str] = ("url", "connection", "path", "json", "contains")

    def __init__(  # noqa: PLR0913 - one for each option
        self,
        *,
        url: str | None = None,
        connection: str | None = None,
        path: str = "",
        method: Literal["GET", "HEAD"] = "GET",
        status: int | tuple[int, ...] = 200,
        json: dict[str, Any] | None = None,
        contains: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.url = url
        self.connection = connection
        self.path = path
        self.method = method
        self.status = status
        self.json = json
        self.contains = contains

    def condition(self) -> Http:
        """See `ConditionSensor`."""
        expect = Expect(status=self.status, json=self.json, contains=self.contains)
        return Http(url=self.url, connection=self.connection, path=self.path, method=self.method, expect=expect)


class WaitForS3Sensor(ConditionSensor):
    """Wait until an object is in S3, or in a store that speaks its protocol.

    Args:
        key: s3://bucket/key; the key may be a pattern with * ? [..].
        connection: Airflow connection id; None for the machine's own credentials.
        min_size: bytes that the object (of a pattern: all of them together) must have at least.
    """

    kind: ClassVar[str] = "s3"
    template_fields: Sequence[str] = ("key", "connection")

    def __init__(self, *, key: str, connection: str | None = "aws_default", min_size: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key = key
        self.connection = connection
        self.min_size = min_size

    def condition(self) -> S3Key:
        """See `ConditionSensor`."""
        return S3Key(key=self.key, connection=self.connection, min_size=self.min_size)


class WaitForSqlSensor(ConditionSensor):
    """Wait until a query's first value is true.

    Args:
        connection: Airflow connection id of the database.
        query: one SELECT; the values of `${window…}` are bound.
    """

    kind: ClassVar[str] = "sql"
    template_fields: Sequence[str] = ("connection", "query")
    template_ext: Sequence[str] = (".sql",)

    def __init__(self, *, connection: str, query: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection
        self.query = query

    def condition(self) -> Sql:
        """See `ConditionSensor`."""
        return Sql(connection=self.connection, query=self.query)
