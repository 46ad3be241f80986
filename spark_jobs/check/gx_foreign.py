"""Expectations that Great Expectations answers itself: they have no equal among the checks; of its release 1.24."""

from __future__ import annotations

from typing import Final

CONDITION: Final = ("row_condition", "condition_parser")
_BOUNDS: Final = ("min_value", "max_value", "strict_min", "strict_max")
_MAP: Final = ("mostly", *CONDITION)
_PAIR: Final = ("column_A", "column_B", "ignore_row_if", *_MAP)
_LIST: Final = ("column_list", "ignore_row_if", *_MAP)

FOREIGN: Final[dict[str, tuple[str, ...]]] = {
    "expect_column_distinct_values_to_be_in_set": ("column", "value_set", *CONDITION),
    "expect_column_distinct_values_to_contain_set": ("column", "value_set", *CONDITION),
    "expect_column_distinct_values_to_equal_set": ("column", "value_set", *CONDITION),
    "expect_column_kl_divergence_to_be_less_than": (
        "column",
        "partition_object",
        "threshold",
        "internal_weight_holdout",
        "tail_weight_holdout",
        "bucketize_data",
        "min_value",
        "max_value",
        *CONDITION,
    ),
    "expect_column_max_to_be_between": ("column", *_BOUNDS, *CONDITION),
    "expect_column_min_to_be_between": ("column", *_BOUNDS, *CONDITION),
    "expect_column_most_common_value_to_be_in_set": ("column", "value_set", "ties_okay", *CONDITION),
    "expect_column_pair_values_to_be_in_set": ("value_pairs_set", *_PAIR),
    "expect_column_value_z_scores_to_be_less_than": ("column", "threshold", "double_sided", *_MAP),
    "expect_column_values_to_be_json_parseable": ("column", *_MAP),
    "expect_column_values_to_be_null": ("column", *_MAP),
    "expect_column_values_to_match_json_schema": ("column", "json_schema", *_MAP),
    "expect_column_values_to_match_regex_list": ("column", "regex_list", "match_on", *_MAP),
    "expect_column_values_to_not_be_outliers": ("column", "method", "multiplier", *_MAP),
    "expect_column_values_to_not_match_regex_list": ("column", "regex_list", *_MAP),
    "expect_multicolumn_values_to_be_equal": _LIST,
    "expect_select_column_values_to_be_unique_within_record": _LIST,
    "unexpected_rows_expectation": ("unexpected_rows_query",),
}
"""Name -> its arguments."""

REQUIRED: Final[frozenset[str]] = frozenset(
    {
        "column",
        "column_A",
        "column_B",
        "column_list",
        "column_set",
        "double_sided",
        "json_schema",
        "other_table_name",
        "quantile_ranges",
        "regex",
        "regex_list",
        "strftime_format",
        "sum_total",
        "threshold",
        "type_",
        "type_list",
        "unexpected_rows_query",
        "value",
        "value_pairs_set",
        "value_set",
    }
)
"""Arguments that no expectation which has them can do without."""

_EVERYWHERE_BUT: Final = frozenset(
    {
        "expect_column_to_exist",
        "expect_column_type_to_be",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_table_columns_to_match_set",
        "expect_table_row_count_to_equal_other_table",
    }
)
_MORE: Final[dict[str, tuple[str, ...]]] = {
    "expect_column_to_exist": ("column_index",),
    "expect_column_values_to_be_of_type": ("mostly",),
    "expect_column_values_to_be_in_type_list": ("mostly",),
}
IGNORED: Final = ("batch_id", "library_metadata", "result_format", "catch_exceptions", "include_config")
"""Arguments that say nothing of rows: which batch it is the run knows, and so it does how much is told of a result."""


def beyond(name: str) -> tuple[str, ...]:
    """The arguments of an expectation that its equal among the checks hasn't got: with one of them it isn't its equal.

    Args:
        name: an expectation that has one.
    """
    return (*(() if name in _EVERYWHERE_BUT else CONDITION), *_MORE.get(name, ()))
