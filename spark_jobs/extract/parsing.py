"""Which parser reads which format."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from spark_jobs.extract import columnar, delimited, excel, json_document, json_lines, logs, plain, xml
from spark_jobs.extract.cells import Reading
from spark_jobs.extract.header import Dialect
from spark_jobs.extract.records import Parsed

if TYPE_CHECKING:
    from spark_jobs.extract.files import Files

Parser = Callable[[bool], list[Parsed]]


def parser(files: Files, reading: Reading) -> Parser:
    """Gives the records of files; its argument says whether lines are to be numbered.

    Raises:
        ConfigError: something that the format needs isn't installed.
        DataError: a file can't be read, or breaks the contract as a whole.
    """
    match files.format:
        case "csv" | "tsv":
            return delimited.parser(reading, dialect(files))
        case "parquet" | "orc" | "avro":
            return columnar.parser(reading, files.format, merge=files.merge_schema)
        case "excel":
            return excel.parser(reading, files.sheet, files.header)
        case _:
            return _by_record(files, reading)


def dialect(files: Files) -> Dialect:
    """How `csv` and `tsv` tell fields and records apart."""
    separator = "\t" if files.format == "tsv" else files.separator
    return Dialect(separator=separator, quote=files.quote, multiline=files.multiline)


def _by_record(files: Files, reading: Reading) -> Parser:
    match files.format:
        case "json":
            return json_lines.parser(reading)
        case "json_document":
            return json_document.parser(reading, files.records)
        case "xml":
            return xml.parser(reading, files.row_tag or "")
        case "fixed":
            return plain.fixed(reading, files.fields, pad=files.short_lines == "pad")
        case "logs":
            return logs.parser(reading, files.pattern or "")
        case _:
            return plain.text(reading)
