"""Great Expectations' names for the checks, with their arguments; of its release 1.24."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from spark_jobs.check.gx_values import spark_type, strftime

Convert = Callable[[Any], Mapping[str, Any]]
"""An argument's value -> the options that it stands for; ValueError where it stands for none."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What an expectation is here.

    Args:
        kind: the check.
        arguments: its arguments -> the option of the same meaning, or what turns a value into options.
        always: options that it implies; an argument may say otherwise.
    """

    kind: str
    arguments: Mapping[str, str | Convert]
    always: Mapping[str, Any] = field(default_factory=dict)


_BOUNDS: Final = {"min_value": "min", "max_value": "max", "strict_min": "strict_min", "strict_max": "strict_max"}
_ONE: Final = {"column": "column"}
_EACH: Final = _ONE | {"mostly": "mostly"}
_IGNORED: Final = {
    "both_values_are_missing": "all",
    "either_value_is_missing": "any",
    "neither": "never",
    "all_values_are_missing": "all",
    "any_value_is_missing": "any",
    "never": "never",
}


def _columns(name: Any) -> Mapping[str, Any]:
    return {"columns": [name]}


def _exactly(value: Any) -> Mapping[str, Any]:
    return {"min": value, "max": value}


def _ignored(word: Any) -> Mapping[str, Any]:
    if not isinstance(word, str) or word not in _IGNORED:
        raise ValueError(f"{word!r} is none of {', '.join(_IGNORED)}")
    return {"ignore_nulls": _IGNORED[word]}


def _types(names: Any) -> Mapping[str, Any]:
    given = names if isinstance(names, list) else [names]
    return {"types": list(dict.fromkeys(kind for name in given for kind in spark_type(name)))}


def _ranges(value: Any) -> Mapping[str, Any]:
    try:
        shares, ranges = value["quantiles"], value["value_ranges"]
        pairs = [(str(share), low, high) for share, (low, high) in zip(shares, ranges, strict=True)]
    except (TypeError, KeyError, ValueError) as reason:
        raise ValueError("{quantiles: [0.5], value_ranges: [[1, 9]]} is wanted, as many of the one as the other") from (
            reason
        )
    bounds = [(share, {"min": low, "max": high}) for share, low, high in pairs]
    return {"ranges": {share: {key: item for key, item in pair.items() if item is not None} for share, pair in bounds}}


def _error(value: Any) -> Mapping[str, Any]:
    if value is True or (value is not False and not isinstance(value, (int, float))):
        raise ValueError("Spark needs false, or a number from 0 to 1")
    return {"relative_error": value or 0.0}


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 - as every Convert
    return value


def _format(pattern: Any) -> Mapping[str, Any]:
    if not isinstance(pattern, str):
        raise ValueError(f"{pattern!r} is no pattern such as '%Y-%m-%d'")  # noqa: TRY004 - as every Convert
    return {"format": strftime(pattern)}


def _rest(option: str) -> Convert:
    """A share of the values that are there, as one of those that aren't."""

    def turned(value: Any) -> Mapping[str, Any]:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"{value!r} is no share from 0 to 1")
        return {option: float(1 - Decimal(str(value)))}

    return turned


def _figure(kind: str) -> Expectation:
    return Expectation(kind=kind, arguments=_ONE | _BOUNDS)


EXPECTATIONS: Final[dict[str, Expectation]] = {
    "expect_column_mean_to_be_between": _figure("mean"),
    "expect_column_median_to_be_between": _figure("median"),
    "expect_column_pair_values_a_to_be_greater_than_b": Expectation(
        kind="compare",
        arguments={
            "column_A": "column",
            "column_B": "other",
            "or_equal": lambda value: {"is": "greater_or_equal" if _switch(value) else "greater"},
            "ignore_row_if": _ignored,
            "mostly": "mostly",
        },
        always={"is": "greater", "ignore_nulls": "all"},
    ),
    "expect_column_pair_values_to_be_equal": Expectation(
        kind="compare",
        arguments={"column_A": "column", "column_B": "other", "ignore_row_if": _ignored, "mostly": "mostly"},
        always={"is": "equal", "ignore_nulls": "all"},
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": Expectation(
        kind="null_share",
        arguments=_ONE
        | {
            "min_value": _rest("max"),
            "max_value": _rest("min"),
            "strict_min": "strict_max",
            "strict_max": "strict_min",
        },
    ),
    "expect_column_proportion_of_unique_values_to_be_between": _figure("distinct_share"),
    "expect_column_quantile_values_to_be_between": Expectation(
        kind="quantile", arguments=_ONE | {"quantile_ranges": _ranges, "allow_relative_error": _error}
    ),
    "expect_column_stdev_to_be_between": _figure("stddev"),
    "expect_column_sum_to_be_between": _figure("sum"),
    "expect_column_to_exist": Expectation(kind="columns", arguments={"column": _columns}, always={"others": True}),
    "expect_column_type_to_be": Expectation(kind="type", arguments=_ONE | {"type_": _types}),
    "expect_column_unique_value_count_to_be_between": _figure("distinct_count"),
    "expect_column_value_lengths_to_be_between": Expectation(kind="length", arguments=_EACH | _BOUNDS),
    "expect_column_value_lengths_to_equal": Expectation(kind="length", arguments=_EACH | {"value": _exactly}),
    "expect_column_values_to_be_between": Expectation(kind="in_range", arguments=_EACH | _BOUNDS),
    "expect_column_values_to_be_in_set": Expectation(kind="in_set", arguments=_EACH | {"value_set": "values"}),
    "expect_column_values_to_be_in_type_list": Expectation(kind="type", arguments=_ONE | {"type_list": _types}),
    "expect_column_values_to_be_of_type": Expectation(kind="type", arguments=_ONE | {"type_": _types}),
    "expect_column_values_to_be_unique": Expectation(kind="unique", arguments={"column": _columns, "mostly": "mostly"}),
    "expect_column_values_to_match_regex": Expectation(kind="matches", arguments=_EACH | {"regex": "regex"}),
    "expect_column_values_to_match_strftime_format": Expectation(
        kind="parseable_date", arguments=_EACH | {"strftime_format": _format}
    ),
    "expect_column_values_to_not_be_in_set": Expectation(kind="not_in_set", arguments=_EACH | {"value_set": "values"}),
    "expect_column_values_to_not_be_null": Expectation(
        kind="not_null", arguments={"column": _columns, "mostly": "mostly"}
    ),
    "expect_column_values_to_not_match_regex": Expectation(kind="not_matches", arguments=_EACH | {"regex": "regex"}),
    "expect_compound_columns_to_be_unique": Expectation(
        kind="unique",
        arguments={"column_list": "columns", "ignore_row_if": _ignored, "mostly": "mostly"},
        always={"ignore_nulls": "all"},
    ),
    "expect_multicolumn_sum_to_equal": Expectation(
        kind="sum_of_columns",
        arguments={"column_list": "columns", "sum_total": "equals", "ignore_row_if": _ignored, "mostly": "mostly"},
        always={"ignore_nulls": "all"},
    ),
    "expect_table_column_count_to_be_between": Expectation(
        kind="column_count", arguments={"min_value": "min", "max_value": "max"}
    ),
    "expect_table_column_count_to_equal": Expectation(kind="column_count", arguments={"value": _exactly}),
    "expect_table_columns_to_match_ordered_list": Expectation(
        kind="columns", arguments={"column_list": "columns"}, always={"ordered": True}
    ),
    "expect_table_columns_to_match_set": Expectation(
        kind="columns",
        arguments={"column_set": "columns", "exact_match": lambda value: {"others": not _switch(value)}},
    ),
    "expect_table_row_count_to_be_between": Expectation(kind="row_count", arguments=_BOUNDS),
    "expect_table_row_count_to_equal": Expectation(kind="row_count", arguments={"value": _exactly}),
    "expect_table_row_count_to_equal_other_table": Expectation(
        kind="row_count", arguments={"other_table_name": "same_as"}
    ),
}

# Great Expectations' others, which nobody can answer here: known, so that nobody looks for a typing error.
_ORDER: Final = "rows have no order here: write monotonic: {column: .., order_by: ..}"
_LIKE: Final = "Great Expectations itself has no LIKE on Spark: write a condition: name LIKE 'a%', or matches"
OTHERS: Final[dict[str, str]] = {
    "expect_column_values_to_be_increasing": _ORDER,
    "expect_column_values_to_be_decreasing": _ORDER.replace(", order_by", ", direction: decreasing, order_by"),
    "expect_column_values_to_be_dateutil_parseable": "Great Expectations itself hasn't got it on Spark: parseable_date",
    "expect_column_values_to_match_like_pattern": _LIKE,
    "expect_column_values_to_match_like_pattern_list": _LIKE,
    "expect_column_values_to_not_match_like_pattern": _LIKE,
    "expect_column_values_to_not_match_like_pattern_list": _LIKE,
    "expect_multicolumn_values_to_be_unique": "its name says too little: expect_compound_columns_to_be_unique, or"
    " expect_select_column_values_to_be_unique_within_record",
    "expect_query_results_to_match_comparison": "it asks another data source: load that too, and write references or"
    " row_count: {same_as: ..}",
}
