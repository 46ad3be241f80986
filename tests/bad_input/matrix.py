"""The bad inputs B01 to B54: what comes, what happens, where it is seen; and the tests beside this folder that show it.

`docs/bad-input.md` is made of it: `python -m tests.bad_input.matrix`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/bad-input.md"


@dataclass(frozen=True, kw_only=True)
class Input:
    """One bad input.

    Args:
        comes: what comes in.
        happens: what becomes of it.
        see: where it is seen, or what decides.
        elsewhere: tests outside of this folder, as `file::test`.
    """

    comes: str
    happens: str
    see: str
    elsewhere: tuple[str, ...] = ()


CSV: Final = "tests/spark_jobs/extract/test_csv.py::"
PARQUET: Final = "tests/spark_jobs/extract/test_parquet.py::"
FOLDERS: Final = "tests/spark_jobs/extract/test_folders.py::"
JDBC: Final = "tests/spark_jobs/extract/test_jdbc.py::"
TOTALS: Final = "tests/spark_jobs/extract/test_totals.py::"
READER: Final = "tests/spec/test_reader.py::"
PATHS: Final = "tests/spec/test_variables_and_paths.py::"
PARAMS: Final = "tests/spec/test_params.py::"
ASIDE: Final = "set aside with its line"

CHAPTERS: Final = {
    "Files": ("B01", "B13"),
    "Values": ("B14", "B23"),
    "Columns, folders and names": ("B24", "B32"),
    "Whole files": ("B33", "B37"),
    "Keys, forms and shares": ("B38", "B41"),
    "Pipeline files": ("B42", "B53"),
    "How much is too much": ("B54", "B54"),
}

INPUTS: Final[dict[str, Input]] = {
    "B01": Input(
        comes="a byte order mark before a CSV",
        happens="it belongs to no column",
        see="nothing to see",
        elsewhere=(f"{CSV}test_a_byte_order_mark_belongs_to_no_column",),
    ),
    "B02": Input(
        comes="UTF-16",
        happens="the run stops",
        see="the error names the file and how to convert it (`iconv`)",
    ),
    "B03": Input(
        comes="bytes that are no UTF-8, such as Latin-1",
        happens="a line is set aside, rule `utf8`; a header stops the run",
        see="the message names the byte and its place; `mostly: 0.99` of the source stops the run where more lines are so",
        elsewhere=(f"{CSV}test_bytes_that_are_no_utf8_are_a_bad_record_and_none_of_them_is_lost",),
    ),
    "B04": Input(
        comes="a gzip, bzip2 or Zstandard file that was cut off",
        happens="the run stops; no row of it is loaded",
        see="the error names the file; there is no option to go on",
        elsewhere=(
            f"{CSV}test_a_truncated_gzip_is_an_error_that_names_the_file_and_never_a_partial_read",
            "tests/spark_jobs/extract/test_compression.py::test_every_cut_of_a_zstandard_file_is_seen",
        ),
    ),
    "B05": Input(
        comes="no file; an empty file; a header alone",
        happens="no file stops the run, unless `empty: allow`; a file without rows is an empty window",
        see="the error names path and window; check `row_count: {min: 1}` where a window must have rows",
    ),
    "B06": Input(
        comes="too few or too many fields", happens=f"{ASIDE}, rule `ragged`", see="`airflow-etl quarantine show`"
    ),
    "B07": Input(
        comes="a text or a fraction where an integer is promised",
        happens=f"{ASIDE}, rule `type COLUMN`; no value: `required COLUMN`",
        see="the message names column, value and type",
        elsewhere=(f"{CSV}test_every_type_takes_exactly_what_was_written_or_nothing",),
    ),
    "B08": Input(
        comes="`mode: DROPMALFORMED`, `ignoreCorruptFiles`",
        happens="no such option: an error of the file",
        see="`airflow-etl lint`",
    ),
    "B09": Input(
        comes="columns in another order than in the contract",
        happens="names decide, in each file",
        see="nothing to see",
    ),
    "B10": Input(comes="a column twice", happens="the run stops", see="the error names file and column"),
    "B11": Input(
        comes="columns that differ by case alone, in one file or between files",
        happens="the run stops",
        see="the error names both, and the files",
        elsewhere=(f"{CSV}test_new_columns_that_differ_only_by_case_between_files_stop",),
    ),
    "B12": Input(
        comes="a line break in quotes",
        happens=f"{ASIDE}, rule `quotes`; read with `multiline: true`",
        see="the message names the option; `trailer` or `manifest` hold the number of records against what was sent",
        elsewhere=(f"{CSV}test_quotes_that_never_close_are_seen_in_every_short_record",),
    ),
    "B13": Input(
        comes="a record of more than 16 MiB",
        happens="set aside, its beginning kept, rule `too_long`",
        see="the message names its place",
        elsewhere=(
            "tests/spark_jobs/extract/test_columnar.py::test_a_field_that_is_too_long_is_refused",
            "tests/spark_jobs/extract/test_plain.py::test_a_record_that_is_too_long_is_refused_and_told_by_its_place",
        ),
    ),
    "B14": Input(
        comes="NaN, infinity, 1e400 for a `double`",
        happens="1e400 is no double: set aside. NaN and infinity are doubles: they are loaded",
        see="`in_range` (or step `validate`) with both bounds sets them aside; a table that can't hold them refuses the row, rule `not_finite`",
        elsewhere=("tests/spark_jobs/check/test_kinds.py::test_in_range_compares_in_the_columns_own_type",),
    ),
    "B15": Input(
        comes="`NaN` or `Infinity` as a JSON number",
        happens=f'{ASIDE}, rule `json`: JSON has no such number. The text `"NaN"` is as B14',
        see="`airflow-etl quarantine show`",
    ),
    "B16": Input(
        comes="a broken JSON line, an array, two objects, a key twice",
        happens=f"{ASIDE}, rule `json`",
        see="`airflow-etl quarantine show`",
        elsewhere=(
            "tests/spark_jobs/extract/test_json_lines.py::test_lines_that_are_no_single_object_are_set_aside_with_their_text",
        ),
    ),
    "B17": Input(
        comes="a number in one record, an object in another",
        happens=f"what isn't the contract's type is {ASIDE}, rule `type COLUMN`",
        see="with type `string` the object is kept as JSON text",
    ),
    "B18": Input(
        comes="more than a type holds; a division by zero",
        happens="in a file: set aside. In an expression: the run stops, the value never becomes null or another",
        see="the error names the operation; `try_divide`, `try_add`, `try_cast` say that null is meant",
    ),
    "B19": Input(
        comes="whole numbers beyond 2^53",
        happens="exact as `bigint`, `decimal` or `string`, in JSON too",
        see="a `double` rounds, as doubles do: give ids one of those types",
    ),
    "B20": Input(
        comes="a NUL in a text",
        happens=f"a line of CSV is {ASIDE}, rule `nul`; from JSON and other sources it is kept where the table can hold it, and PostgreSQL can't: rule `nul_character`",
        see='step `validate: {text: "instr(v, chr(0)) = 0"}` sets such rows aside for every table',
        elsewhere=("tests/spark_jobs/load/databases/test_unheld.py::test_postgresql",),
    ),
    "B21": Input(
        comes="a local time in the hour that the clock skips",
        happens="moved an hour forward",
        see="`timezone` of the source; write offsets to be sure",
        elsewhere=(f"{CSV}test_timestamps_without_an_offset_are_in_the_sources_zone",),
    ),
    "B22": Input(
        comes="a local time in the hour that the clock repeats; days of 23 and 25 hours",
        happens="the first of the two; windows are cut in the pipeline's zone and held in UTC",
        see="`airflow-etl explain FILE --window A/B`",
        elsewhere=("tests/spark_jobs/extract/test_table.py::test_days_of_a_clock_change_are_local_days",),
    ),
    "B23": Input(
        comes="dates of the years 1, 9999 and beyond",
        happens="read exactly, 10000 and later set aside as no date; tables of databases refuse what they can't hold, rule `out_of_range`",
        see="`in_range`, or `validate`, says what is plausible",
        elsewhere=("tests/spark_jobs/load/databases/test_unheld.py::test_postgresql",),
    ),
    "B24": Input(
        comes="a Parquet, ORC or Avro file that was cut off",
        happens="the run stops",
        see="the error names the file; Avro cut between two blocks needs a `manifest`",
        elsewhere=("tests/spark_jobs/extract/test_columnar.py::test_a_file_that_is_not_whole_stops_and_is_named",),
    ),
    "B25": Input(
        comes="Parquet files that disagree about a type",
        happens="the run stops before a row is read",
        see="the error names column, types and both files",
        elsewhere=(f"{PARQUET}test_a_type_that_can_never_become_the_contracts_stops_and_names_the_column",),
    ),
    "B26": Input(
        comes="a new column in a later file",
        happens="`new_columns`: kept (`evolve`), an error (`freeze`), left out (`discard`), or rows that use it set aside",
        see="the report names columns that a load adds",
        elsewhere=(
            f"{PARQUET}test_columns_evolve_with_their_types_over_several_files",
            f"{CSV}test_new_columns_may_stop_be_left_out_or_refuse_the_rows_that_use_them",
        ),
    ),
    "B27": Input(
        comes="a folder `m=01`",
        happens="the value is `01`, or 1 where `columns` says `int`",
        see="`partitions` and `columns`; a folder that isn't named is a warning",
        elsewhere=(f"{FOLDERS}test_folders_become_typed_columns_in_every_kind_of_format",),
    ),
    "B28": Input(
        comes="an empty text where folders are named by it",
        happens="a source's folder `city=` stops the run; a row for a table laid out by `city` is refused, rule `empty_partition`",
        see="the error names file or column; `outside: quarantine` sets the rows aside",
        elsewhere=(
            "tests/spark_jobs/load/test_files.py::test_what_files_cannot_give_back_is_refused_and_leaves_nothing",
        ),
    ),
    "B29": Input(
        comes="file names that start with `_` or `.`",
        happens="left out",
        see="a warning in the task's log lists them",
        elsewhere=(f"{CSV}test_names_that_start_with_an_underscore_or_a_dot_are_left_out_and_told",),
    ),
    "B30": Input(
        comes="letters of globs in names: `q[1].csv`",
        happens="a name that is there is that file",
        see="nothing to see",
        elsewhere=(f"{CSV}test_names_with_the_letters_of_globs_are_just_names",),
    ),
    "B31": Input(
        comes="é of one character and of two, ß, İ in keys",
        happens="texts are equal where their characters are",
        see="step `clean: {normal_form: NFC}` (or `NFKC`) before keys are compared; ß and ss stay two keys",
        elsewhere=("tests/spark_jobs/transform/test_clean.py::test_texts_come_into_one_form_of_unicode",),
    ),
    "B32": Input(
        comes="cells that a spreadsheet runs as a formula",
        happens="tables keep them; the CSV of `airflow-etl quarantine export` has an apostrophe before them",
        see="destination `files` writes what it got, so that it is read back alike",
        elsewhere=("tests/cli/test_quarantine.py::test_an_export_has_the_records_whole",),
    ),
    "B33": Input(
        comes="another number of records, size or checksum than was promised",
        happens="the run stops before anything is published",
        see="`trailer`, `manifest`; the error says both numbers",
        elsewhere=(
            f"{TOTALS}test_a_file_that_is_not_as_its_trailer_says_stops",
            f"{TOTALS}test_a_manifest_beside_a_file_is_held_against_it",
        ),
    ),
    "B34": Input(
        comes="the same file under two names in one window",
        happens="`repeated_files`: read both (default), the first alone (`skip`), or stop (`fail`)",
        see="a warning names those left out. In another window a file is known by its rows: with `merge` each has its key once",
        elsewhere=(
            "tests/spark_jobs/extract/test_modified.py::test_a_file_that_was_left_out_as_a_repeat_is_no_late_one",
        ),
    ),
    "B35": Input(
        comes="a zip archive, a bomb, an archive in an archive",
        happens="the run stops; nothing is unpacked to a disk, so no member's name can lead anywhere",
        see="documents and workbooks are read up to a size, in any compression; lines up to 16 MiB each",
    ),
    "B36": Input(
        comes="XML with entities, external ones too",
        happens="the run stops at the declaration; nothing is fetched or expanded",
        see="the error names the entity",
        elsewhere=("tests/spark_jobs/extract/test_xml.py::test_a_document_that_is_not_whole_or_not_safe_is_an_error",),
    ),
    "B37": Input(
        comes="10,000 columns; one row; no row",
        happens="read and published",
        see="JSON with more than 5,000 keys outside the contract stops: they look like data",
        elsewhere=(
            "tests/spark_jobs/extract/test_plain.py::test_thousands_of_columns_are_read",
            "tests/spark_jobs/load/test_delta.py::test_an_empty_first_window_makes_an_empty_table",
        ),
    ),
    "B38": Input(
        comes="rows without a key, or several of one key",
        happens="`merge`, `scd2` and `cdc` refuse rows without a key; of several the highest `sequence` wins, without one two rows of a key are an error",
        see="`outside: quarantine` sets rows without a key aside",
        elsewhere=(
            "tests/spark_jobs/load/test_merge.py::test_rows_without_a_key_or_a_sequence_are_told_apart_before_the_merge",
            "tests/spark_jobs/load/test_merge.py::test_without_a_sequence_the_later_window_wins_and_two_rows_of_a_key_are_refused",
        ),
    ),
    "B39": Input(
        comes="a key that nine of ten rows have",
        happens="joined and deduplicated within the memory",
        see="nothing to see",
    ),
    "B40": Input(
        comes="decimal commas, currencies, words for true and false",
        happens=f"{ASIDE}, rule `type COLUMN`",
        see="read them as `string` and say in `derive` how they are parsed; `validate` sets aside what isn't so",
    ),
    "B41": Input(
        comes="`03/04/2026`; seconds and milliseconds since 1970 beside dates",
        happens=f"what isn't `timestamp_format` (default ISO 8601) is {ASIDE}",
        see="`timestamp_format`; `in_range` or `validate` for what is plausible",
        elsewhere=("tests/spark_jobs/check/test_more_kinds.py::test_dates_are_parsed_by_their_pattern_and_must_exist",),
    ),
    "B42": Input(
        comes="`NO`, `1.10`, `12:30:45`, `012` for a text",
        happens="an error of the file",
        see="`quote-needed` with the text in quotes",
        elsewhere=(
            "tests/spec/test_language.py::test_a_scalar_that_yaml_reads_as_something_else_is_no_text_until_it_is_quoted",
        ),
    ),
    "B43": Input(
        comes="a key twice", happens="an error of the file", see="`duplicate-key`, with the line of the first"
    ),
    "B44": Input(
        comes="aliases of aliases of aliases",
        happens="an error of the file, before anything is built",
        see="`yaml-too-many-values`",
        elsewhere=(f"{READER}test_an_alias_bomb_is_counted_before_it_is_built",),
    ),
    "B45": Input(
        comes="thousands of levels; an alias of itself",
        happens="an error of the file",
        see="`yaml-too-deep`, `yaml-alias`",
        elsewhere=(f"{READER}test_deep_nesting_is_an_error_at_level_51_and_takes_no_time",),
    ),
    "B46": Input(
        comes="tags such as `!!python/object`", happens="an error of the file; nothing runs", see="`yaml-tag`"
    ),
    "B47": Input(
        comes="`..`, absolute paths and links out of the roots",
        happens="an error of the file; looked at again when the plan is made",
        see="`path-outside-roots`, with the roots",
        elsewhere=(
            f"{PATHS}test_a_path_that_leaves_its_root_is_told_at_the_value",
            f"{PATHS}test_a_link_that_appears_after_lint_is_refused_when_the_plan_is_made",
            f"{PARAMS}test_a_value_can_not_lead_out_of_the_roots",
        ),
    ),
    "B48": Input(
        comes="SQL in names, expressions and values",
        happens="names are quoted, values are literals, an expression is one expression",
        see="`expression-many`, `expression-statement`, `expression-code`, `variable-quoted`",
        elsewhere=(
            f"{JDBC}test_a_table_s_name_is_only_a_name",
            f"{JDBC}test_a_query_gets_its_values_as_literals_of_the_database",
            f"{PATHS}test_in_sql_variables_become_literals",
            f"{PARAMS}test_a_value_can_not_leave_its_literal",
        ),
    ),
    "B49": Input(
        comes="Jinja that reaches into Python",
        happens="text as any other: nothing renders a pipeline file",
        see="nothing to see",
    ),
    "B50": Input(comes="Jinja that never ends", happens="as B49", see="nothing to see"),
    "B51": Input(
        comes="settings of Spark, options of `spark-submit`",
        happens="a pipeline file has no place for them; `conf` is the environment's, which the deployment owns",
        see="`unknown-key`, `invalid-value`",
    ),
    "B52": Input(
        comes="a JDBC URL, or properties such as `socketFactory`",
        happens="URLs are made of the connection's parts; properties that aren't on the list are refused",
        see="`unknown-key`; the error names the property",
        elsewhere=(f"{JDBC}test_a_connection_is_made_of_parts_that_are_allowed",),
    ),
    "B53": Input(
        comes="file names that no DAG can have, or two that are one DAG",
        happens="an error of the file; other DAGs stay",
        see="`invalid-name`, `duplicate-dag`, `duplicate-id`, `dag-case`",
        elsewhere=(
            "tests/spec/test_files.py::test_the_second_file_of_a_dag_id_is_the_one_that_is_told",
            "tests/airflow/test_bad_input.py::test_a_file_s_name_gets_a_clear_verdict",
        ),
    ),
    "B54": Input(
        comes="records that break the contract: one of ten thousand, or half of them",
        happens="set aside, and the rest is loaded; with fewer good ones than `mostly` of the source says the run stops",
        see="`mostly: 0.999` of a source of files; `mostly` of a check. The error shows the first records",
        elsewhere=(
            "tests/spark_jobs/check/test_flow.py::test_mostly_is_the_share_of_rows_with_a_value_that_must_pass",
        ),
    ),
}

LATER: Final = {
    "kafka": ("B13", "B15", "B16", "B17", "B19", "B20", "B34", "B54"),
    "rest": ("B03", "B15", "B16", "B17", "B19", "B21", "B37", "B54"),
    "sftp": ("B04", "B29", "B33", "B34", "B35"),
}
"""Kind of source that isn't there yet -> ids to be shown for it too, once it is."""

TOP: Final = """\
# Bad input

What comes in, what becomes of it, and how one sees it. Nothing is dropped silently: a row that is in no table is in the [quarantine](quarantine.md) with its
record, its file and line and the rules that it broke, or the run has stopped with an error that names place, value and remedy. Each line is shown by a test.

"set aside" is what sources do by default; `bad_records: fail` stops at the first such record, and `mostly: 0.99` where fewer than 99 % are good.
"""


def page() -> str:
    """The text of docs/bad-input.md."""
    parts = [TOP]
    for title, (first, last) in CHAPTERS.items():
        rows = [
            f"| {name} | {of.comes} | {of.happens} | {of.see} |" for name, of in INPUTS.items() if first <= name <= last
        ]
        parts.append(
            "\n".join([f"## {title}", "| | comes | happens | how to see it |", "|---|---|---|---|", *rows, ""])
        )
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
