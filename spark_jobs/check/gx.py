"""Results as Great Expectations 1.x has them in JSON (`ExpectationValidationResult`); it isn't needed for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby, takewhile
from typing import Any, Final

from spark_jobs import kinds
from spark_jobs.check.gx_values import CLASSES, spark_class, strftime_of
from spark_jobs.errors import ConfigError
from spark_jobs.outline import plain_type
from spark_jobs.report import CheckResult

Kwargs = Mapping[str, Any]
_BOUNDS: Final = {"min": "min_value", "max": "max_value", "strict_min": "strict_min", "strict_max": "strict_max"}
_PAIR: Final = {"all": "both_values_are_missing", "any": "either_value_is_missing", "never": "neither"}
_MANY: Final = {"all": "all_values_are_missing", "any": "any_value_is_missing", "never": "never"}
# Checks with a result for each column, and those that may have seen nothing, which then isn't a row's answer.
_EACH_COLUMN: Final = frozenset(
    {"in_range", "in_set", "length", "matches", "not_in_set", "not_matches", "not_null", "parseable_date", "type"}
)
_FIGURES: Final = frozenset({"sum", "mean", "median", "stddev", "quantile", "freshness"})
# There missing values are what fails or passes, and nothing beside.
_MISSING_FAIL: Final = frozenset({"not_null", "expectation"})
_SAME: Final = "a report of these very checks"
_BACKWARDS: Final = {"less": "greater", "less_or_equal": "greater_or_equal"}


def validation_result(check: Any, result: CheckResult, note: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One result as JSON.

    Args:
        check: the check that it answers.
        result: its answer for one column.
        note: what its author notes beside it.

    Returns:
        `success`, `expectation_config` (its type is the kind's own name where no expectation is its equal), `result`,
        `meta` and `exception_info`.
    """
    kind, kwargs = expectation(result.kind, check, result.column)
    told = {name: getattr(result, name) for name in ("name", "dataset", "kind", "answered_by", "on_fail")}
    meta = {**(note or {}), **told}
    return {
        "success": result.success,
        "expectation_config": {"type": kind, "kwargs": dict(kwargs), "meta": meta, "severity": result.severity},
        "result": dict(_details(result)),
        "meta": {},
        "exception_info": {"raised_exception": False, "exception_traceback": None, "exception_message": None},
    }


def validation_results(
    checks: Sequence[tuple[str, Any]], results: Sequence[CheckResult], notes: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """All results of a dataset as JSON.

    Args:
        checks: `(name of the kind, kind)`, in the order of the file.
        results: in the same order, one for each column of a check.
        notes: place of a check -> what its author notes beside it.

    Raises:
        ConfigError: the results aren't those of the checks, or it can't be told which is whose.
    """
    known, rest, told = notes or {}, list(results), []
    for key, group in groupby(enumerate(checks), key=lambda item: _key(*item[1])):
        mine = list(takewhile(lambda item, key=key: (item.kind, item.name) == key, rest))  # type: ignore[misc]
        rest = rest[len(mine) :]
        for place, check, result in _paired([(place, *item) for place, item in group], mine):
            told.append(validation_result(check, result, known.get(str(place))))
    if rest:
        name = rest[0].name
        raise ConfigError(
            f"{len(rest)} results, first one called {name!r}, are of no check", where="check", expected=_SAME
        )
    return told


def _key(kind: str, check: Any) -> tuple[str, str]:
    """What a check's results are known by."""
    return kind, check.name or kind


def _paired(
    group: Sequence[tuple[int, str, Any]], results: Sequence[CheckResult]
) -> Iterator[tuple[int, Any, CheckResult]]:
    """Place, check and result, of checks that are called alike."""
    if len(group) == 1:
        place, _, check = group[0]
        yield from ((place, check, result) for result in results)
        return
    owners = [(place, check) for place, kind, check in group for _ in range(_results(kind, check))]
    if len(owners) != len(results):
        _, name = _key(*group[0][1:])
        message = f"{len(group)} checks called {name!r} have {len(results)} results: it can't be told which is whose"
        raise ConfigError(message, where="check", remedy="give each of them a `name`")
    yield from ((place, check, result) for (place, check), result in zip(owners, results, strict=True))


def expectation(kind: str, check: Any, column: str | None) -> tuple[str, Kwargs]:
    """The expectation that a check is, and its arguments.

    Args:
        kind: the check's kind.
        check: the check.
        column: which of its columns; None where it has none.
    """
    told = _TOLD.get(kind)
    found = told(check, column) if told is not None else None
    if found is None:
        return kind, kinds.dump(check)
    name, kwargs = found
    return name, {key: value for key, value in kwargs.items() if value is not None} | _mostly(check)


def _mostly(check: Any) -> dict[str, float]:
    """What passes here where rows are set aside passes there where none must: whatever share of them failed."""
    if getattr(check, "mostly", None) is not None:
        return {"mostly": check.mostly}
    return {"mostly": 0.0} if check.on_fail == "quarantine" and hasattr(check, "mostly") else {}


def _results(kind: str, check: Any) -> int:
    """How many results a check has."""
    return len(check.columns) or 1 if kind in _EACH_COLUMN else 1


# -- the check as an expectation ----------------------------------------------------------------------------------

Told = Callable[[Any, str | None], tuple[str, Kwargs] | None]


def _bounds(check: Any) -> dict[str, Any]:
    given = {theirs: getattr(check, ours, None) for ours, theirs in _BOUNDS.items()}
    return {key: value for key, value in given.items() if value is not None and value is not False}


def _bounded(name: str) -> Told:
    return lambda check, column: (f"expect_column_{name}_to_be_between", {"column": column} | _bounds(check))


def _each(name: str, **options: str) -> Told:
    return lambda check, column: (
        f"expect_column_values_to_{name}",
        {"column": column} | {theirs: _plain(getattr(check, ours)) for theirs, ours in options.items()},
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _unique(check: Any, _column: str | None) -> tuple[str, Kwargs] | None:
    if check.approximate is not None:
        return None
    if len(check.columns) == 1:
        return "expect_column_values_to_be_unique", {"column": check.columns[0]}
    kwargs = {"column_list": list(check.columns), "ignore_row_if": _MANY[check.ignore_nulls]}
    return "expect_compound_columns_to_be_unique", kwargs


def _compare(check: Any, _column: str | None) -> tuple[str, Kwargs] | None:
    relation, pair = check.relation, (check.column, check.other)
    if relation in _BACKWARDS:
        relation, pair = _BACKWARDS[relation], pair[::-1]
    kwargs = {"column_A": pair[0], "column_B": pair[1], "ignore_row_if": _PAIR[check.ignore_nulls]}
    if relation == "equal":
        return "expect_column_pair_values_to_be_equal", kwargs
    if relation == "not_equal":
        return None
    or_equal = {"or_equal": True} if relation == "greater_or_equal" else {}
    return "expect_column_pair_values_a_to_be_greater_than_b", kwargs | or_equal


def _sum(check: Any, _column: str | None) -> tuple[str, Kwargs] | None:
    if check.tolerance:
        return None
    kwargs = {"sum_total": check.equals, "ignore_row_if": _MANY[check.ignore_nulls]}
    return "expect_multicolumn_sum_to_equal", {"column_list": list(check.columns)} | kwargs


def _parseable(check: Any, column: str | None) -> tuple[str, Kwargs] | None:
    pattern = strftime_of(check.format)
    kwargs = {"column": column, "strftime_format": pattern}
    return None if pattern is None else ("expect_column_values_to_match_strftime_format", kwargs)


def _type(check: Any, column: str | None) -> tuple[str, Kwargs] | None:
    kinds_of = [plain_type(kind) for kind in check.types]
    if any(kind not in CLASSES.values() for kind in kinds_of):
        return None  # a class says nothing of digits, lengths and elements
    kwargs = {"type_list": [spark_class(kind) for kind in kinds_of]}
    return "expect_column_values_to_be_in_type_list", {"column": column} | kwargs


def _table_columns(check: Any, _column: str | None) -> tuple[str, Kwargs]:
    if check.ordered:
        return "expect_table_columns_to_match_ordered_list", {"column_list": list(check.columns)}
    return "expect_table_columns_to_match_set", {"column_set": list(check.columns), "exact_match": not check.others}


def _row_count(check: Any, _column: str | None) -> tuple[str, Kwargs] | None:
    if check.tolerance:  # of another dataset's rows, or of earlier windows'
        return None
    if check.same_as is None:
        return "expect_table_row_count_to_be_between", _bounds(check)
    return "expect_table_row_count_to_equal_other_table", {"other_table_name": check.same_as}


def _quantile(check: Any, column: str | None) -> tuple[str, Kwargs]:
    ranges = [[bounds.min, bounds.max] for bounds in check.ranges.values()]
    kwargs = {"quantile_ranges": {"quantiles": [float(share) for share in check.ranges], "value_ranges": ranges}}
    error = {"allow_relative_error": check.relative_error} if check.relative_error else {}
    return "expect_column_quantile_values_to_be_between", {"column": column} | kwargs | error


def _null_share(check: Any, column: str | None) -> tuple[str, Kwargs]:
    low, high = (None if share is None else float(1 - Decimal(str(share))) for share in (check.max, check.min))
    strict = {"strict_min": check.strict_max or None, "strict_max": check.strict_min or None}
    kwargs = {"column": column, "min_value": low, "max_value": high} | strict
    return "expect_column_proportion_of_non_null_values_to_be_between", kwargs


_TOLD: Final[dict[str, Told]] = {
    "column_count": lambda check, _: ("expect_table_column_count_to_be_between", _bounds(check)),
    "columns": _table_columns,
    "compare": _compare,
    "distinct_count": _bounded("unique_value_count"),
    "distinct_share": _bounded("proportion_of_unique_values"),
    "expectation": lambda check, _: (check.type, check.kwargs),
    "in_range": lambda check, column: (
        "expect_column_values_to_be_between",
        {"column": column} | _bounds(check),
    ),
    "in_set": _each("be_in_set", value_set="values"),
    "length": lambda check, column: (
        "expect_column_value_lengths_to_be_between",
        {"column": column} | _bounds(check),
    ),
    "matches": _each("match_regex", regex="regex"),
    "mean": _bounded("mean"),
    "median": _bounded("median"),
    "not_in_set": _each("not_be_in_set", value_set="values"),
    "not_matches": _each("not_match_regex", regex="regex"),
    "not_null": _each("not_be_null"),
    "null_share": _null_share,
    "parseable_date": _parseable,
    "quantile": _quantile,
    "row_count": _row_count,
    "stddev": _bounded("stdev"),
    "sum": _bounded("sum"),
    "sum_of_columns": _sum,
    "type": _type,
    "unique": _unique,
}


# -- its answer ---------------------------------------------------------------------------------------------------


def _details(result: CheckResult) -> Iterator[tuple[str, Any]]:
    counted = result.element_count is not None if result.kind == "expectation" else result.observed_value is None
    if counted and result.kind not in _FIGURES:
        yield from _counts(result)
    else:
        yield "observed_value", _observed(result)


def _counts(result: CheckResult) -> Iterator[tuple[str, Any]]:
    total, missing = result.element_count or 0, result.missing_count
    if missing is None and result.kind not in _MISSING_FAIL:
        missing = 0
    shares = result.unexpected_percent_total, result.unexpected_percent_nonmissing
    yield "element_count", total
    yield "unexpected_count", result.unexpected_count
    yield "unexpected_percent", shares[1]
    if result.partial_unexpected_list is not None:
        yield "partial_unexpected_list", result.partial_unexpected_list
    if missing is not None:
        yield "missing_count", missing
        yield "missing_percent", missing / total * 100 if total else None
        yield "unexpected_percent_total", shares[0]
        yield "unexpected_percent_nonmissing", shares[1]


def _observed(result: CheckResult) -> Any:
    value, total = result.observed_value, result.element_count or 0
    if result.kind == "null_share":
        return (total - round(value * total)) / total if total else 0
    return spark_class(value) if result.kind == "type" else value
