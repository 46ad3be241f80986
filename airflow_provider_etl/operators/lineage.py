"""Lineage for OpenLineage: which datasets a task read and wrote, and what its checks found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.operators.datasets import Place, places_of, server_of
from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

ReportJson = Mapping[str, Any]
_SEVERITY: Final = {"critical": "error", "warning": "warn", "info": "info"}
_COLUMN: Final = re.compile(r"[\w.$-]+")


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
    places = partial(places_of, server=cache(server_of))
    for plan, report in zip(plans, reports, strict=False):
        told = _Told(plan, report, places)
        for place, found in told.inputs():
            inputs[place] = _both(inputs.get(place), found)
        for place, found in told.outputs():
            outputs[place] = _both(outputs.get(place), found)
    return OperatorLineage(inputs=list(inputs.values()), outputs=list(outputs.values()))


class _Told:
    """What one window's plan and report say of datasets."""

    def __init__(self, plan: Plan, report: ReportJson, places: Callable[[Any], list[Place]]) -> None:
        self.plan, self.report, self.places = plan, report, places
        self.checks = report["checks"] if {"check", "load"} & {*plan.verbs} else []

    def inputs(self) -> Iterator[tuple[Place, Any]]:
        from openlineage.client.event_v2 import InputDataset

        for name, kind in self.plan.extract.items() if {"extract", "check"} & {*self.plan.verbs} else ():
            places = self.places(kind)
            for place in places:
                own = _assertions(check for check in self.checks if check["dataset"] == name)
                if len(places) == 1:  # rows of a join are nobody's
                    own |= self._read(name)
                if own or "extract" in self.plan.verbs:
                    yield place, InputDataset(namespace=place[0], name=place[1], inputFacets=own)
        for load, place in self._loads() if "load" not in self.plan.verbs and "check" in self.plan.verbs else ():
            yield place, InputDataset(namespace=place[0], name=place[1], inputFacets=self._of(load))

    def _read(self, source: str) -> dict[str, Any]:
        from openlineage.client.facet_v2 import data_quality_metrics_input_dataset as metrics

        counts = self.report["datasets"].get(source)
        if counts is None or "extract" not in self.plan.verbs:
            return {}
        return {
            "dataQualityMetrics": metrics.DataQualityMetricsInputDatasetFacet(rowCount=counts["read"], columnMetrics={})
        }

    def outputs(self) -> Iterator[tuple[Place, Any]]:
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

        for load, place in self._loads() if "load" in self.plan.verbs else ():
            receipt = self.report["loads"].get(load)
            own: dict[str, Any] = {}
            if receipt and receipt["state"] == "loaded":
                rows = receipt["rows_inserted"] + receipt["rows_updated"]
                own["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows)
            facets = self._of(load)
            yield place, OutputDataset(namespace=place[0], name=place[1], facets=facets, outputFacets=own)

    def _loads(self) -> Iterator[tuple[str, Place]]:
        for load, (_, kind) in self.plan.load.items():
            yield from ((load, place) for place in self.places(kind))

    def _of(self, load: str) -> dict[str, Any]:
        """What was found in what a load publishes, and in datasets that are neither read nor loaded."""
        loaded = {dataset for dataset, _ in self.plan.load.values()}
        own = self.plan.load[load][0]
        theirs = {*self.plan.extract, *loaded} - {own}
        return _assertions(check for check in self.checks if check["dataset"] not in theirs)


def _assertions(checks: Iterator[Mapping[str, Any]]) -> dict[str, Any]:
    """The facet about checks; none where there are none. It holds counts and messages, no rows."""
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

    known = set(quality.Assertion.__annotations__)  # older clients know only the first three
    told = [
        quality.Assertion(**{name: value for name, value in _assertion(check).items() if name in known})
        for check in checks
    ]
    return {"dataQualityAssertions": quality.DataQualityAssertionsDatasetFacet(assertions=told)} if told else {}


def _assertion(check: Mapping[str, Any]) -> dict[str, Any]:
    column = check["column"]
    return {
        "assertion": check["kind"] or check["name"],
        "success": check["success"],
        "column": column if column and _COLUMN.fullmatch(column) else None,  # of a condition it is the condition
        "severity": "warn" if check["on_fail"] == "warn" else _SEVERITY[check["severity"]],
        "name": check["name"],
        "description": check["message"] or None,
        "actual": None if check["observed"] is None else str(check["observed"]),
    }


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
