"""What each format of destination `files` is told, and which types and values it gives back as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from spark_jobs.columns import column

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType, StructType

Name = Literal["parquet", "orc", "csv", "json"]
_PLAIN: Final = frozenset(
    {
        *("boolean", "byte", "short", "integer", "long", "float", "double", "decimal"),
        *("string", "char", "varchar", "date", "timestamp", "timestamp_ntz"),
    }
)
_NESTED: Final = frozenset({"array", "struct", "map", "binary"})
_IN_FOLDERS: Final = frozenset({"boolean", "byte", "short", "integer", "long", "string", "date"})
_REMEDIES: Final = {
    "binary": "write base64(…) in a derive step",
    "array": "write to_json(…) in a derive step, or use format: json or parquet",
    "map": "write to_json(…) in a derive step, or use format: json or parquet",
    "struct": "flatten it, write to_json(…) in a derive step, or use format: json or parquet",
    "void": "cast it: a column that is always null has no type",
}
_TIMES: Final = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "dateFormat": "yyyy-MM-dd",
    "timeZone": "UTC",
    "encoding": "UTF-8",
    "lineSep": "\n",
}
# Spark takes texts that equal its `nullValue` for null, the empty one in quotes too: so it is one that nobody writes.
_NOTHING: Final = "\u0000etl:nothing\u0000"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A format with its options.

    Args:
        name: Spark's name of it.
        compression: Spark's name of the codec; None for the format's usual one.
        separator, quote, header, null_text: of CSV.
    """

    name: Name
    compression: str | None = None
    separator: str = ","
    quote: str = '"'
    header: bool = True
    null_text: str = ""

    @property
    def reading(self) -> dict[str, str]:
        """Spark's options that read the files as they were written."""
        if self.name == "json":
            return _TIMES | {"mode": "FAILFAST"}
        if self.name != "csv":
            return {}
        # What stands in quotes may go over several lines, so a file is read by one task.
        more = {"multiLine": "true", "mode": "FAILFAST", "emptyValue": "", "maxCharsPerColumn": "-1"}
        return self._csv | more | {"nullValue": self.null_text or _NOTHING}

    @property
    def writing(self) -> dict[str, str]:
        """Spark's options that write them."""
        found = {"compression": self.compression} if self.compression else {}
        if self.name == "json":
            return found | _TIMES | {"ignoreNullFields": "false"}
        # Null is nothing at all, the empty text a pair of quotes.
        return found | self._csv | {"emptyValue": self.quote * 2} if self.name == "csv" else found

    @property
    def _csv(self) -> dict[str, str]:
        return _TIMES | {
            "header": str(self.header).lower(),
            "sep": self.separator,
            "quote": self.quote,
            "escape": self.quote,  # doubled, as RFC 4180 has it
            "nullValue": self.null_text,
            "ignoreLeadingWhiteSpace": "false",
            "ignoreTrailingWhiteSpace": "false",
        }

    def refusals(self, schema: StructType, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(what is wrong, remedy) of columns that the files can't hold.

        Args:
            schema: of the rows.
            folders: columns that the names of folders hold.
        """
        for item in schema:
            place = item.dataType if item.name not in folders else None
            bad = _unkept(self.name, place) if place is not None else _unkept_in_folder(item.dataType)
            if bad is not None:
                where = f"{self.name} files" if place is not None else "names of folders"
                told = f"column {item.name!r} is {item.dataType.simpleString()}, which {where} can't give back"
                yield told, _REMEDIES.get(bad, "cast it to a type that they can hold")

    def risks(self, schema: StructType, folders: Sequence[str]) -> dict[str, tuple[Column, str]]:
        """Values that would come back as others: column -> (whether a row has one, what it is)."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        found: dict[str, tuple[Column, str]] = {}
        inside = [item.name for item in schema if item.name not in folders]
        if self.name == "csv" and len(inside) == 1 and not self.null_text:
            told = "null, alone in its line: an empty line is no row; say `null_text`"
            found[inside[0]] = column(inside[0]).isNull(), told
        for item in schema:
            if item.dataType.typeName() not in {"string", "char", "varchar"}:
                continue
            if item.name in folders:
                odd = column(item.name).isin("", "__HIVE_DEFAULT_PARTITION__") | column(item.name).contains("\0")
                found[item.name] = odd, "the empty text or a NUL: the name of a folder can't hold it"
            elif self.name == "csv" and self.null_text:
                same = column(item.name) == F.lit(self.null_text)
                found[item.name] = same, f"the text {self.null_text!r}, which stands for null"
        return found


def _unkept(form: Name, kind: DataType) -> str | None:
    """The type, in a column's type, that a format can't give back as it was; None where there is none."""
    name = kind.typeName()
    if name in _PLAIN:
        return None
    if name not in _NESTED or form == "csv":
        return name
    if name == "map" and form == "json" and kind.keyType.typeName() != "string":  # type: ignore[attr-defined]
        return "map"
    return next((bad for inner in _inner(kind) if (bad := _unkept(form, inner))), None)


def _unkept_in_folder(kind: DataType) -> str | None:
    return None if kind.typeName() in _IN_FOLDERS else kind.typeName()


def _inner(kind: Any) -> list[DataType]:
    found = {"array": ("elementType",), "map": ("keyType", "valueType")}.get(kind.typeName(), ())
    return [getattr(kind, name) for name in found] or [item.dataType for item in getattr(kind, "fields", ())]
