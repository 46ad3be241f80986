"""Great Expectations itself, on Spark: all expectations of a dataset in one run of one suite.

Nothing of it is written anywhere, and nobody is told that it runs: its context lives in memory.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from numbers import Integral, Number
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.check.expectation import Expectation
from spark_jobs.check.gx_guard import guarded
from spark_jobs.columns import listed, nearest
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError
from spark_jobs.failures import classify, first_line
from spark_jobs.flow import Context
from spark_jobs.hiding import cut
from spark_jobs.privacy import Privacy
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

REMEDY: Final = "pip install 'airflow-provider-etl[gx]' where Spark's driver runs"
_SILENT: Final = {"result_format": "BASIC", "partial_unexpected_count": 0}  # counts; no values, which are data
_SPARK: Final = ("org.apache.spark", "py4j", "java.lang")
_ASKED_WRONG: Final = ("AnalysisException", "ParseException", "INVALID_PARAMETER_VALUE")
_PLACE: Final = "place"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An expectation, and where it stands.

    Args:
        rule: the check.
        where: its place in the pipeline file.
    """

    rule: Expectation
    where: str


def ask(asked: Sequence[Asked], rows: DataFrame, context: Context) -> list[CheckResult]:
    """Great Expectations' answers, in the order of what is asked; nothing is imported where nothing is.

    Args:
        asked: what is asked of the dataset.
        rows: the staged dataset.
        context: names the dataset and its plan.

    Raises:
        ConfigError: it isn't installed; an expectation that it doesn't know, or with arguments that it refuses; SQL
            that Spark refuses, or that runs code.
        EtlError: it couldn't find an answer.
    """
    if not asked:
        return []
    with _quiet():
        found = _validated(asked, rows, context)
    forbidden = Privacy(context.plan).forbids(context.dataset)
    return [_result(item, told, context, silent=forbidden) for item, told in zip(asked, found, strict=True)]


def demand(where: str) -> None:
    """See that Great Expectations is installed, before anything is read.

    Raises:
        ConfigError: it isn't.
    """
    from importlib.util import find_spec

    if find_spec("great_expectations") is None:
        raise ConfigError("it needs Great Expectations, which isn't installed", where=where, remedy=REMEDY)


def _demand_columns(item: Asked, rows: DataFrame) -> None:
    """See that the columns are there: Great Expectations would say so late, and neither which there are.

    Raises:
        ConfigError: one isn't.
    """
    rule, there = item.rule, {name.lower() for name in rows.columns}
    for key, names in rule.columns.items() if rule.type != "expect_column_to_exist" else ():
        for name in names:
            if name.lower() not in there:
                near = nearest(name, rows.columns)
                raise ConfigError(
                    f"{rule.type}: there is no column {name!r}",
                    where=f"{item.where}.kwargs.{key}",
                    expected=f"columns are {listed(rows.columns)}",
                    remedy=near or "name one of them",
                )


def _validated(asked: Sequence[Asked], rows: DataFrame, context: Context) -> list[Mapping[str, Any]]:
    """Its results as JSON, in the order of what is asked."""
    demand(asked[0].where)
    # Read when it is imported.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.core.expectation_suite import ExpectationSuite
    from great_expectations.data_context.types.base import ProgressBarsConfig

    place = gx.get_context(mode="ephemeral")
    place.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    source = place.data_sources.add_spark("spark", persist=False)
    # Queries are asked in the session of the rows: a run has one of its own, which isn't the first that there was.
    engine: Any = source.get_execution_engine()
    engine.spark = rows.sparkSession
    asset = source.add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    with guarded(rows) as views:
        expectations = []
        for number, item in enumerate(asked):
            kwargs = views.kwargs(item.rule, item.where, context)
            _demand_columns(item, rows)
            expectations.append(_built(item, number, kwargs))
            views.condition(expectations[-1], engine.condition_to_filter_clause, item.where)
        suite = ExpectationSuite(name="all", expectations=expectations)
        whole: Any = batch.validate(suite, result_format=_SILENT)
    return sorted(map(_told, whole.results), key=_place)


def _told(result: Any) -> Mapping[str, Any]:
    """A result as JSON, but for what was observed: JSON doesn't tell a date from a text."""
    told: dict[str, Any] = result.to_json_dict()
    found = told.get("result") or {}
    if "observed_value" in found:
        found = {**found, "observed_value": _observed(result.result["observed_value"])}
    return {**told, "result": found}


def _observed(value: Any) -> Any:
    """What of an observed value may be told: a figure; of values, which are data, how many they are (`Values`)."""
    if value is None or isinstance(value, (bool, Number)):
        return _json(value)
    if isinstance(value, date):
        return value.isoformat()
    return Values(len(value)) if isinstance(value, (list, tuple, set, frozenset, Mapping)) else Values(1)


@dataclass(frozen=True)
class Values:
    """Values that were observed and aren't told.

    Args:
        number: how many there are.
    """

    number: int


def _built(item: Asked, number: int, kwargs: dict[str, Any]) -> Any:
    """The expectation as Great Expectations builds it of its name.

    Raises:
        ConfigError: it doesn't know it, or refuses the arguments.
    """
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    rule = item.rule
    severity = FailureSeverity(rule.severity)
    configuration = ExpectationConfiguration(type=rule.type, kwargs=kwargs, meta={_PLACE: number}, severity=severity)
    try:
        return configuration.to_domain_obj()
    except Exception as error:  # its own, pydantic's, or whatever its validators raise
        text = cut(" ".join(str(error).split()), 300)
        raise ConfigError(f"Great Expectations refuses {rule.type}: {text}", where=item.where) from error


def _place(result: Mapping[str, Any]) -> int:
    return int(result["expectation_config"]["meta"][_PLACE])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without its lines in the task's log, which would show the arguments of every failure a second time."""
    log = logging.getLogger("great_expectations")
    before = log.level
    log.setLevel(logging.CRITICAL)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            log.setLevel(before)


def _result(item: Asked, told: Mapping[str, Any], context: Context, *, silent: bool) -> CheckResult:
    failure = _failure(told["exception_info"])
    if failure is not None:
        raise _error(item, *failure, silent=silent)
    rule, found = item.rule, told["result"]
    observed = None if silent or isinstance(found.get("observed_value"), Values) else found.get("observed_value")
    columns = [name for names in rule.columns.values() for name in names]
    total, failing = found.get("element_count"), int(found.get("unexpected_count") or 0)
    missing = found.get("missing_count") if total is not None else None
    success = bool(told["success"])
    return CheckResult(
        name=rule.name or "expectation",
        kind="expectation",
        dataset=context.dataset,
        column=", ".join(columns) or None,
        success=success,
        observed=observed if total is None else total - (missing or 0),
        observed_value=observed,
        unexpected_count=failing,
        unexpected_percent=float(found.get("unexpected_percent") or 0.0),
        on_fail=rule.on_fail,
        severity=rule.severity,
        answered_by="great_expectations",
        message="" if success else _message(found, failing, silent=silent),
        element_count=total,
        missing_count=missing,
        unexpected_percent_total=found.get("unexpected_percent_total", found.get("unexpected_percent")),
        unexpected_percent_nonmissing=found.get("unexpected_percent_nonmissing", found.get("unexpected_percent")),
    )


def _message(found: Mapping[str, Any], failing: int, *, silent: bool) -> str:
    """Why it failed, in words."""
    if "element_count" in found:
        seen = found["element_count"] - (found.get("missing_count") or 0)
        return f"{failing} of {seen} values ({found.get('unexpected_percent') or 0:.3g} %) are not as expected"
    if silent:
        return "not as expected (the value is not shown: it is personal or masked)"
    if found.get("observed_value") is None:
        return f"not as expected: {failing} values" if failing else "not as expected"
    if isinstance(found["observed_value"], Values):
        number = found["observed_value"].number
        return (
            f"not as expected: {number} value{'s were' if number != 1 else ' was'} observed, not shown: they are data"
        )
    return f"not as expected: {found['observed_value']} was observed"


def _failure(told: Mapping[str, Any]) -> tuple[str, str] | None:
    """Message and trace where it couldn't answer; it tells of one failure, or of one for each thing it computes."""
    each = [told] if "raised_exception" in told else [item for item in told.values() if isinstance(item, Mapping)]
    for item in each:
        if item.get("raised_exception"):
            return str(item.get("exception_message") or ""), str(item.get("exception_traceback") or "")
    return None


def _error(item: Asked, message: str, trace: str, *, silent: bool) -> EtlError:
    """Why it couldn't answer: by what Spark says, if it was Spark; otherwise it is what was asked that is wrong."""
    known = classify(RuntimeError(message), item.where)
    text = "the reason is not shown: it may hold values that are personal or masked" if silent else first_line(message)
    what = f"Great Expectations can't answer {item.rule.type}: {text}"
    if type(known) is not InfrastructureError:
        return type(known)(what, where=item.where, remedy=known.remedy)
    spark = any(mark in trace for mark in _SPARK) and not any(mark in trace for mark in _ASKED_WRONG)
    kind = InfrastructureError if spark else ConfigError
    return kind(what, where=item.where)


def _json(value: Any) -> Any:
    """A number as JSON has it."""
    if value is None or isinstance(value, (bool, int)):
        return value
    return int(value) if isinstance(value, Integral) else float(value) if math.isfinite(value) else str(value)
