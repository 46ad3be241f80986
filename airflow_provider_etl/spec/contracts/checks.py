"""A contract's rules as checks of a dataset, and as conditions of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, Final

from airflow_provider_etl.spec.contracts.contract import Contract
from airflow_provider_etl.spec.contracts.language import ContractColumn
from airflow_provider_etl.spec.variables import quoted
from spark_jobs.check.completeness import Completeness
from spark_jobs.check.freshness import Freshness
from spark_jobs.check.in_range import InRange
from spark_jobs.check.in_set import InSet
from spark_jobs.check.matches import Matches
from spark_jobs.check.not_null import NotNull
from spark_jobs.check.rule import OnFail
from spark_jobs.check.unique import Unique
from spark_jobs.columns import quote
from spark_jobs.outline import family, plain_type

_DIGITS: Final = 38  # of Spark's largest decimal


def of_rows(contract: Contract, names: Collection[str], on_fail: OnFail) -> Iterator[tuple[str, Any]]:
    """(kind's name, check) of what each row must meet by itself.

    Args:
        contract: the contract.
        names: the columns that are asked about.
        on_fail: what becomes of rows that don't.
    """
    yield from required(contract, names, on_fail)
    yield from of_columns(contract, names, on_fail)


def required(contract: Contract, names: Collection[str], on_fail: OnFail) -> Iterator[tuple[str, Any]]:
    """That each row has the values which the contract requires; arguments as above."""
    found = tuple(name for name in contract.required if name in names)
    if found:
        yield "not_null", NotNull(columns=found, on_fail=on_fail, name=f"{contract.told}: not_null")


def of_columns(contract: Contract, names: Collection[str], on_fail: OnFail) -> Iterator[tuple[str, Any]]:
    """That values are among those which the contract allows; arguments as above."""
    for name, item in contract.columns.items():
        if name in names:
            yield from _of_column(contract.told, name, item, on_fail)


def _of_column(told: str, name: str, item: ContractColumn, on_fail: OnFail) -> Iterator[tuple[str, Any]]:
    if item.min is not None or item.max is not None:
        called = f"{told}: in_range"
        yield "in_range", InRange(column=name, min=item.min, max=item.max, on_fail=on_fail, name=called)
    if item.values:
        yield "in_set", InSet(column=name, values=item.values, on_fail=on_fail, name=f"{told}: in_set")
    if item.regex is not None:
        yield "matches", Matches(column=name, regex=item.regex, on_fail=on_fail, name=f"{told}: matches")


def of_tables(contract: Contract, names: Collection[str], on_fail: OnFail) -> Iterator[tuple[str, Any]]:
    """(kind's name, check) of what only all rows together tell; arguments as above."""
    yield from (unique(contract, columns, on_fail) for columns in uniques(contract) if set(columns) <= set(names))
    yield from complete(contract, names, aside=False)  # a source that sets rows aside counts what they lack itself
    yield from fresh(contract, names)


def uniques(contract: Contract) -> list[tuple[str, ...]]:
    """The sets of columns that tell rows apart, each once."""
    single = [(name,) for name, item in contract.columns.items() if item.unique and (name,) != contract.file.keys]
    return [*filter(None, (contract.file.keys,)), *single]


def unique(contract: Contract, columns: tuple[str, ...], on_fail: OnFail) -> tuple[str, Any]:
    """That columns tell rows apart."""
    return "unique", Unique(columns=columns, on_fail=on_fail, name=f"{contract.told}: unique")


def complete(contract: Contract, names: Collection[str], *, aside: bool) -> Iterator[tuple[str, Any]]:
    """That enough of the values of some columns together are there.

    Args:
        contract: as above.
        names: as above.
        aside: whether rows without a required value are set aside: where they stop the run, none may lack any.
    """
    wanted = contract.complete() | ({contract.share_required: contract.required} if aside else {})
    for share, columns in wanted.items():
        asked = tuple(name for name in columns if name in names)
        if asked and share:
            called = f"{contract.told}: completeness"
            yield "completeness", Completeness(columns=asked, share=share, name=called)


def fresh(contract: Contract, names: Collection[str]) -> Iterator[tuple[str, Any]]:
    """That the newest row is new enough; arguments as above."""
    found = contract.freshness
    if found is not None and found.column in names:
        called = f"{contract.told}: freshness"
        yield "freshness", Freshness(column=found.column, within=found.within, name=called)


def conditions(contract: Contract, zone: str) -> dict[str, str]:
    """Name of a rule -> the Spark SQL that a row meets, a missing value included: what is required is said elsewhere.

    Args:
        contract: the contract.
        zone: IANA name of the zone of timestamps without an offset.
    """
    found = {}
    for name, item in contract.columns.items():
        for rule, text in _conditions(quote(name), item, zone):
            found[f"{contract.told}: {name} {rule}"] = f"{quote(name)} is null or {text}"
    return found


def _conditions(column: str, item: ContractColumn, zone: str) -> Iterator[tuple[str, str]]:
    kind = family(item.type) or ""
    bounds = [(sign, bound) for sign, bound in ((">=", item.min), ("<=", item.max)) if bound is not None]
    if bounds:
        parts = [f"{column} {sign} {_literal(bound, item.type, zone)}" for sign, bound in bounds]
        # To Spark NaN is the largest number: without a max it would pass.
        parts += [f"not isnan({column})"] if kind == "float" else []
        yield "in_range", f"({' and '.join(parts)})"
    if item.values:
        yield "in_set", f"{column} in ({', '.join(_literal(value, item.type, zone) for value in item.values)})"
    if item.regex is not None:
        yield "matches", f"{column} rlike {quoted(item.regex)}"


def _literal(value: float | bool | str, type_: str | None, zone: str) -> str:
    kind = family(type_) or ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and len(str(abs(value))) > _DIGITS:
        return f"{float(value)!r}D"  # no decimal holds it; the reader takes none that a double doesn't
    if not isinstance(value, str):
        # A column of floats holds the float that is nearest to 0.1, which is no double and no decimal.
        return f"cast({value!r} as float)" if type_ is not None and plain_type(type_) == "float" else repr(value)
    if kind == "date":
        return f"DATE {quoted(date.fromisoformat(value).isoformat())}"  # ISO's other forms are none to Spark
    if kind in ("timestamp", "timestamp_ntz"):
        return _instant(value, kind, zone)
    return quoted(value)


def _instant(text: str, kind: str, zone: str) -> str:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    moment = datetime.fromisoformat(text)
    if kind == "timestamp_ntz":
        return f"TIMESTAMP_NTZ {quoted(moment.isoformat(sep=' '))}"
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone))
    return f"TIMESTAMP {quoted(aware.isoformat(sep=' '))}"
