"""The keys of a test file: `flights.test.yaml` beside `flights.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from airflow_provider_etl.spec.nodes import Node
from spark_jobs.kinds import PYDANTIC

Row = dict[str, Node]
_POSITIVE = {"ge": 1}
_COUNT = {"ge": 0}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a source finds: one of `rows`, `text` and `file`. A list of rows is short for `{rows: [..]}`."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    rows: tuple[Row, ...] | None = None
    """Rows, column -> value; columns of the contract that a row leaves out are null."""
    text: str | None = None
    """The text of the file, as the supplier would send it: for dirt that rows can't express."""
    file: str | None = None
    """A sample file, relative to the folder of the test file and inside it."""
    columns: dict[str, str] = field(default_factory=dict)
    """Column -> Spark SQL type, where the source has no contract and the values don't say it."""


@dataclass(frozen=True, kw_only=True)
class ExpectedRows:
    """The rows of a dataset or table, in any order: one of `rows` and `csv`."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    rows: tuple[Row, ...] | None = None
    """Rows, column -> value; columns that a row leaves out aren't compared."""
    csv: str | None = None
    """The same as CSV text with a header; an empty field is null."""
    exact: bool = False
    """Whether every column must be named, so that a new one is noticed."""
    tolerance: float = field(default=0.0, metadata=_COUNT)
    """How far a number may be away; by default floating-point noise alone (a billionth of the value)."""


@dataclass(frozen=True, kw_only=True)
class ExpectedRefusal:
    """A row that is set aside; what is left out isn't compared."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    dataset: str | None = None
    """The source or dataset it was refused in."""
    stage: Literal["extract", "transform", "check", "load"] | None = None
    """The verb that refused it."""
    rule: str | None = None
    """One of its rules, such as `type dep_time` or the name of a check."""
    message: str | None = None
    """A part of the message."""
    raw: str | None = None
    """A part of the raw record."""
    line: int | None = field(default=None, metadata=_POSITIVE)
    """Its line in the sample file."""
    rows: int = field(default=1, metadata=_POSITIVE)
    """How many rows are refused like this."""


@dataclass(frozen=True, kw_only=True)
class ExpectedCounts:
    """Where the rows of a source or dataset went; what is left out isn't compared."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    read: int | None = field(default=None, metadata=_COUNT)
    """Rows that came in."""
    filtered: int | None = field(default=None, metadata=_COUNT)
    """Rows left out on purpose."""
    deduplicated: int | None = field(default=None, metadata=_COUNT)
    """Rows dropped as repeats."""
    quarantined: int | None = field(default=None, metadata=_COUNT)
    """Rows set aside."""
    rows: int | None = field(default=None, metadata=_COUNT)
    """Rows that came out."""


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What must be there afterwards."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    datasets: dict[str, ExpectedRows | tuple[Row, ...]] = field(default_factory=dict)
    """Source or dataset -> its rows after the checks. A list is short for `{rows: [..]}`."""
    tables: dict[str, ExpectedRows | tuple[Row, ...]] = field(default_factory=dict)
    """Load -> all rows of its table."""
    quarantine: Literal["any"] | tuple[ExpectedRefusal, ...] = ()
    """The rows set aside; by default there must be none. `any`: don't look."""
    counts: dict[str, ExpectedCounts] = field(default_factory=dict)
    """Source or dataset -> where its rows went."""
    checks: dict[str, Literal["pass", "fail"]] = field(default_factory=dict)
    """Check (by its name, else its kind) -> how it ends; one that only warns can fail here."""
    error: str | None = None
    """The run must fail, and this be a part of the message; nothing is published then."""


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A window that is loaded before the one that the case is about, into the same tables."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    window: Node
    """As the case's."""
    sources: dict[str, Sample | tuple[Row, ...]] = field(default_factory=dict)
    """Source -> what it finds in this window; a source left out finds what the case says."""


@dataclass(frozen=True, kw_only=True)
class CaseOption:
    """One case: given these sources, when this window runs, then this is there."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    name: str = field(metadata={"min_length": 1})
    """What the case shows, in words."""
    window: Node | None = None
    """START/END, or START of one of the schedule's windows; default: the schedule's first window."""
    params: dict[str, Node] = field(default_factory=dict)
    """Parameter -> its value in every window of the case; default: the parameter's own."""
    before: tuple[Earlier, ...] = ()
    """Windows that are loaded before, in this order."""
    sources: dict[str, Sample | tuple[Row, ...]] = field(default_factory=dict)
    """Source -> what it finds. Every source needs a sample, here or in the file's own `sources`."""
    expect: Expect
    """What must be there afterwards."""


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """The test file of one pipeline; `airflow-etl test` runs its cases with local Spark, in a scratch folder."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    sources: dict[str, Sample | tuple[Row, ...]] = field(default_factory=dict)
    """Source -> what it finds in every case that doesn't say otherwise."""
    cases: tuple[CaseOption, ...] = field(metadata={"min_length": 1})
    """The cases; each begins with empty tables."""
