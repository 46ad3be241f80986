"""The report: what one run did, as one JSON document, however it was started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from spark_jobs.load.growing import Growth
    from spark_jobs.plan import Plan

REPORT_VERSION: Final = 1


@dataclass(kw_only=True)
class DatasetCounts:
    """Where the rows of one dataset went; balances as read = rows + filtered + deduplicated + quarantined.

    Args:
        read: rows that came in: records of a source, or rows of the dataset that this one starts from.
        filtered: rows left out on purpose: outside the window, or by a filter step.
        deduplicated: rows dropped as repeats.
        quarantined: rows set aside with a reason, at any stage.
        rows: rows that came out; what was staged.
        reshaped: steps that change what a row is: `{"step", "rows_in", "rows_out"}`; their difference takes part in
            the balance.
    """

    read: int = 0
    filtered: int = 0
    deduplicated: int = 0
    quarantined: int = 0
    rows: int = 0
    reshaped: list[dict[str, Any]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Rows unaccounted for; 0 where the counts balance."""
        grown = sum(int(step["rows_out"]) - int(step["rows_in"]) for step in self.reshaped)
        return self.read + grown - self.filtered - self.deduplicated - self.quarantined - self.rows


@dataclass(kw_only=True)
class CheckResult:
    """One check of one column (Great Expectations' words).

    Args:
        name: the check's own name, or its kind.
        dataset: the dataset it was asked of.
        column: the column, or columns joined by a comma; None where the check is about the table.
        success: whether it passed, `mostly` considered.
        observed: what was seen: a value, or the number of rows looked at.
        unexpected_count: rows that failed.
        unexpected_percent: of the rows that have a value, 0 to 100; 0 where none has.
        on_fail: stop, quarantine, ask or warn.
        answered_by: how it was answered: `schema` (no row was read), `statistics` (what the staged files know of their
            rows; none was read), `aggregate` (one pass over all of a dataset's rows answers all its checks), `rows`
            (rows were compared with others: keys counted, another dataset looked up, an order followed), `history`
            (the number of rows was compared with that of earlier windows; none was read), `function` (a Python
            function said so), `great_expectations` (it was asked itself).
        message: why it failed, in words; empty where it passed.
        kind: the check's kind.
        severity: critical, warning or info.
        element_count: rows that were looked at; None where the check isn't about rows.
        missing_count: those that have no value and so don't count; None where every row counts.
        unexpected_percent_total: as `unexpected_percent`, but of all rows; None where there is none.
        unexpected_percent_nonmissing: as `unexpected_percent`; None where no row has a value.
        observed_value: of a check that asks no single row, what was seen.
        partial_unexpected_list: up to 20 values that failed, where they were asked for; they are data.
        figure: of a check that looks back, what its observed value is: rows, null_share or mean.
    """

    name: str
    dataset: str
    column: str | None
    success: bool
    observed: Any
    unexpected_count: int = 0
    unexpected_percent: float = 0.0
    on_fail: str = "stop"
    answered_by: Literal["schema", "statistics", "aggregate", "rows", "history", "function", "great_expectations"] = (
        "aggregate"
    )
    message: str = ""
    kind: str = ""
    severity: str = "critical"
    element_count: int | None = None
    missing_count: int | None = None
    unexpected_percent_total: float | None = None
    unexpected_percent_nonmissing: float | None = None
    observed_value: Any = None
    partial_unexpected_list: list[Any] | None = None
    figure: str | None = None

    @property
    def stops(self) -> bool:
        """Whether it fails the run, with nobody asked."""
        return not self.success and self.on_fail not in ("ask", "warn")

    @property
    def asks(self) -> bool:
        """Whether a person has to say what becomes of it."""
        return not self.success and self.on_fail == "ask"


@dataclass(kw_only=True)
class LoadReceipt:
    """What a destination did.

    Args:
        strategy: replace_window, append, snapshot.
        state: loaded, already_done (this attempt's own commit was found again) or superseded (the ledger holds a
            larger number: nothing was changed).
        table: path or name of the destination.
        rows_inserted, rows_updated, rows_deleted: as the table's log says.
        version: the table's version after the commit; None where its format counts none.
        attempts: commits tried, conflicts with other windows included.
        columns_added: `name type` of the columns that the table got; a field of a struct by its path.
        columns_missing: the table's columns that the rows hadn't got: null in them, or the column's default.
    """

    strategy: str
    state: Literal["loaded", "already_done", "superseded"]
    table: str
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    version: int | None = None
    attempts: int = 1
    columns_added: list[str] = field(default_factory=list)
    columns_missing: list[str] = field(default_factory=list)

    @property
    def changes(self) -> str:
        """What became of the table's columns, to stand behind the rest; empty where they are those of the rows."""
        added = f"; new columns: {', '.join(self.columns_added)}" if self.columns_added else ""
        return added + (f"; null for want of them: {', '.join(self.columns_missing)}" if self.columns_missing else "")

    def grown(self, growth: Growth) -> Self:
        """Itself, with what became of the table's columns, where rows were loaded."""
        if self.state == "loaded":
            self.columns_added, self.columns_missing = list(growth.added), list(growth.missing)
        return self


@dataclass(kw_only=True)
class Report:
    """One run.

    Args:
        pipeline, id, window, fingerprint, attempt: as in the plan.
        verbs: the verbs that have run so far, in order.
        state: loaded, skipped or failed; "running" between two applications of a staged run.
        datasets: name -> counts.
        checks: results in the order of the file.
        sources: name -> what it was when it was read: the version of a table, the number of files.
        loads: name -> receipt.
        approval: where a failed check asks a person: {"state": asked or approved, "checks": their names, "by": {"id",
            "name"} where it is known, "at"}; None where none does.
        breakers: connection -> {"state", "failures", "until"}, where its sources have a circuit breaker.
        quarantined: {"rule: message": rows}, the reasons, largest first.
        seconds: step -> wall-clock seconds; `start` is the start of Spark, `total` the application.
        staged: dataset -> {"path", "rows"}: references for the next application, never rows.
        error: {"kind", "message", "where"} where the state is failed.
        results: {"state": "kept" or "lost", "table", "message"} where the results of checks are kept; a loss changes
            nothing else.
        usage: `run` for a whole run, else verb -> what its application needed (usage.py), and `advice`: what the last
            windows' say of the engine's sizes, in words.
        data_docs: {"state", "pages", "message"} of the pages about the checks; None where none were asked for.
    """

    pipeline: str
    window: Mapping[str, str]
    fingerprint: str
    attempt: Mapping[str, Any]
    verbs: list[str] = field(default_factory=list)
    state: Literal["running", "loaded", "skipped", "failed"] = "running"
    datasets: dict[str, DatasetCounts] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    loads: dict[str, LoadReceipt] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    staged: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: dict[str, str] | None = None
    id: str = ""
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, str] | None = None
    data_docs: dict[str, Any] | None = None
    breakers: dict[str, dict[str, Any]] = field(default_factory=dict)
    approval: dict[str, Any] | None = None
    usage: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A pipeline without an id of its own goes by its name."""
        self.id = self.id or self.pipeline

    @classmethod
    def begun(cls, plan: Plan) -> Report:
        """The report of a plan of which nothing has run yet."""
        return cls(
            pipeline=plan.pipeline,
            id=plan.id,
            window=plan.window.to_json() | {"key": plan.window.key},
            fingerprint=plan.fingerprint,
            attempt=plan.attempt.to_json(),
        )

    def to_json(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"report_version": REPORT_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Report:
        """The inverse of `to_json`.

        Raises:
            ConfigError: a report of another version.
        """
        if value.get("report_version") != REPORT_VERSION:
            raise ConfigError(
                f"report version {value.get('report_version')!r}", where="report", expected=f"version {REPORT_VERSION}"
            )
        known = {item.name for item in fields(cls)}
        report = cls(**{key: item for key, item in value.items() if key in known})
        report.datasets = {name: DatasetCounts(**item) for name, item in value["datasets"].items()}
        report.checks = [CheckResult(**item) for item in value["checks"]]
        report.loads = {name: LoadReceipt(**item) for name, item in value["loads"].items()}
        return report
