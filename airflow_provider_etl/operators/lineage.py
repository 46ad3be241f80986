"""Lineage for OpenLineage: which datasets a task read and wrote, and what its checks found.

Datasets are named as the OpenLineage specification says (*Naming conventions*, https://openlineage.io/docs/spec/naming):
a file `file` + path, an object `s3://bucket` + key, a table `postgres://host:port` + `database.schema.table`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from airflow_provider_etl.hooks.connections import connection_of
from spark_jobs.errors import ConfigError
from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

Place = tuple[str, str]
ReportJson = Mapping[str, Any]
_SEVERITY: Final = {"critical": "error", "warning": "warn", "info": "info"}
_GLOB: Final = "*?[{"
_DEFAULT_SCHEMA: Final = {"postgres": "public"}
_DEFAULT_PORT: Final = {"postgres": 5432, "mysql": 3306}


def lineage_of(plans: Sequence[Plan], reports: Sequence[ReportJson]) -> OperatorLineage:
    """What OpenLineage is told of a task, once it has ended, well or not.

    Rows of a source that were read, and what its checks found, are facets of the input; rows that were loaded, and what
    the checks of the dataset found that was loaded, are facets of the output. Where the task loads nothing, the tables
    that its checks guard are inputs. What was found in a dataset between them is told of all that came of it.

    Args:
        plans: those of the task's windows.
        reports: theirs, as far as the task came.
    """
    from airflow.providers.openlineage.extractors import OperatorLineage

    inputs: dict[Place, Any] = {}
    outputs: dict[Place, Any] = {}
    for plan, report in zip(plans, reports, strict=False):
        told = _Told(plan, report)
        for place, found in told.inputs():
            inputs[place] = _both(inputs.get(place), found)
        for place, found in told.outputs():
            outputs[place] = _both(outputs.get(place), found)
    return OperatorLineage(inputs=list(inputs.values()), outputs=list(outputs.values()))


class _Told:
    """What one window's plan and report say of datasets."""

    def __init__(self, plan: Plan, report: ReportJson) -> None:
        self.plan, self.report = plan, report
        self.checks = report["checks"] if {"check", "load"} & {*plan.verbs} else []

    def inputs(self) -> Iterator[tuple[Place, Any]]:
        from openlineage.client.event_v2 import InputDataset
        from openlineage.client.facet_v2 import data_quality_metrics_input_dataset as metrics

        for name, kind in self.plan.extract.items() if "extract" in self.plan.verbs else ():
            counts = self.report["datasets"].get(name)
            rows = metrics.DataQualityMetricsInputDatasetFacet(
                rowCount=counts["read"] if counts else None, columnMetrics={}
            )
            facets = _assertions(check for check in self.checks if check["dataset"] == name)
            for place in places_of(kind):
                own = facets | ({"dataQualityMetrics": rows} if counts else {})
                yield place, InputDataset(namespace=place[0], name=place[1], inputFacets=own)
        for load, place in self._loads() if "load" not in self.plan.verbs and "check" in self.plan.verbs else ():
            yield place, InputDataset(namespace=place[0], name=place[1], inputFacets=self._of(load))

    def outputs(self) -> Iterator[tuple[Place, Any]]:
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

        for load, place in self._loads() if "load" in self.plan.verbs else ():
            receipt = self.report["loads"].get(load)
            rows = (receipt or {}).get("rows_inserted", 0) + (receipt or {}).get("rows_updated", 0)
            own: dict[str, Any] = {}
            if receipt and receipt["state"] == "loaded":
                own["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows)
            facets = self._of(load)
            yield place, OutputDataset(namespace=place[0], name=place[1], facets=facets, outputFacets=own)

    def _loads(self) -> Iterator[tuple[str, Place]]:
        for load, (_, kind) in self.plan.load.items():
            yield from ((load, place) for place in places_of(kind))

    def _of(self, load: str) -> dict[str, Any]:
        """What was found in what a load publishes, and in datasets that are neither read nor loaded."""
        loaded = {dataset for dataset, _ in self.plan.load.values()}
        own = self.plan.load[load][0]
        theirs = {*self.plan.extract, *loaded} - {own}
        return _assertions(check for check in self.checks if check["dataset"] not in theirs)


def _assertions(checks: Iterator[Mapping[str, Any]]) -> dict[str, Any]:
    """The facet about checks; none where there are none. It holds counts and messages, no rows."""
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

    told = [
        quality.Assertion(
            assertion=check["kind"] or check["name"],
            success=check["success"],
            column=check["column"],
            severity="warn" if check["on_fail"] == "warn" else _SEVERITY[check["severity"]],
            name=check["name"],
            description=check["message"] or None,
            actual=None if check["observed"] is None else str(check["observed"]),
        )
        for check in checks
    ]
    return {"dataQualityAssertions": quality.DataQualityAssertionsDatasetFacet(assertions=told)} if told else {}


def _both(before: Any, found: Any) -> Any:
    """One dataset of two windows: what was counted is added, and what was found is told of both."""
    for name in ("facets", "inputFacets", "outputFacets") if before is not None else ():
        for key, facet in (getattr(before, name, None) or {}).items():
            own = getattr(found, name)
            if key not in own:
                own[key] = facet
            elif key == "dataQualityAssertions":
                own[key].assertions = [*facet.assertions, *own[key].assertions]
            else:
                own[key].rowCount += facet.rowCount
    return found


def places_of(kind: Any) -> list[Place]:
    """The datasets, as (namespace, name), of a source or a destination; none where OpenLineage has no name for it."""
    connection, table = getattr(kind, "connection", ""), str(getattr(kind, "table", "") or "")
    if connection and (table or getattr(kind, "query", "")):
        return _of_database(connection, [table] if table else list(_named_in(kind.query)))
    if getattr(kind, "catalog", "") and table:
        return [(f"iceberg://{kind.catalog}", table)]
    path = getattr(kind, "path", "")
    return [place_of_path(path)] if isinstance(path, str) and path else []


def place_of_path(path: str) -> Place:
    """A file's or a folder's place; of a pattern, the folder that holds all that it may match."""
    kept: list[str] = []
    for part in path.split("/"):
        if any(sign in part for sign in _GLOB):
            break
        kept.append(part)
    plain = "/".join(kept)
    parts = urlsplit(plain)
    if parts.scheme in ("", "file"):
        return "file", parts.path
    scheme = "s3" if parts.scheme in ("s3a", "s3n") else parts.scheme
    name = parts.path if scheme in ("hdfs", "webhdfs") else parts.path.strip("/")
    return f"{scheme}://{parts.netloc}", name or "/"


def _of_database(connection: str, tables: Sequence[str]) -> list[Place]:
    try:
        found = connection_of(connection, f"connection {connection!r}")
    except ConfigError:  # it was there a moment ago; its id is a name too
        return [(connection, table) for table in tables]
    kind = {"mariadb": "mysql", "postgresql": "postgres"}.get(found.conn_type, found.conn_type)
    if kind not in _DEFAULT_PORT:
        return [(f"{kind}://{connection}", table) for table in tables]  # its host is a URL, which may hold a secret
    namespace = f"{kind}://{found.host}:{found.port or _DEFAULT_PORT[kind]}"
    return [(namespace, ".".join(_qualified(table, kind, str(found.schema or "")))) for table in tables]


def _qualified(table: str, kind: str, database: str) -> list[str]:
    parts = [part.strip('"`') for part in table.split(".")]
    if len(parts) == 1 and kind in _DEFAULT_SCHEMA:
        parts = [_DEFAULT_SCHEMA[kind], *parts]
    whole = 3 if kind in _DEFAULT_SCHEMA else 2
    return [database, *parts] if database and len(parts) < whole else parts


def _named_in(query: str) -> Iterator[str]:
    """Tables that a query names, each once; none where it can't be read."""
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse_one(query)
    except sqlglot.errors.SqlglotError:
        return
    own = {cte.alias_or_name for cte in parsed.find_all(exp.CTE)}
    tables = {".".join(part.name for part in table.parts) for table in parsed.find_all(exp.Table)}
    yield from sorted(tables - own)
