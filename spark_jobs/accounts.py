"""Where every row went: the run's books, which must balance before anything is published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.flow import Flow
from spark_jobs.privacy import Privacy
from spark_jobs.quarantine import lacking, reasons
from spark_jobs.report import DatasetCounts, Report
from spark_jobs.staging import Staged, Staging

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_REFUSED: Final = "_refused"
_FILES: Final = "_files"
_TOLD: Final = 5  # reasons in an error


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The books of one application: what was staged, counted and set aside, kept in the report.

    Args:
        report: where the books are kept.
        staging: where datasets and refused rows are staged.
        say: takes one line of progress.
        ahead: writes a dataset where its load will want it, and tells where; None where it must be staged.
        limits: how much of a source or dataset may be set aside, as a plan has it; empty: all of it.
    """

    report: Report
    staging: Staging
    say: Callable[[str], None]
    ahead: Callable[[str, DataFrame], Staged | None] = lambda _name, _rows: None
    limits: Mapping[str, Any] = field(default_factory=dict)

    def write(self, verb: str, name: str, rows: DataFrame) -> None:
        """Compute a dataset that is checked or loaded, and keep where it is."""
        self.keep(name, self.ahead(name, rows) or self.staging.write(rows, verb, name))

    def datasets(self) -> list[str]:
        """Names of the staged datasets."""
        return [name for name in self.report.staged if not name.startswith((_REFUSED, _FILES))]

    def refused(self, of: Collection[str] | None = None) -> list[Staged]:
        """References to the rows set aside so far.

        Args:
            of: the sources and datasets that refused them; None for all.
        """
        mine = {name: item for name, item in self.report.staged.items() if name.startswith(_REFUSED)}
        return [Staged(**item) for name, item in mine.items() if of is None or name.split("/", 2)[2] in of]

    def keep_files(self, source: str, files: DataFrame) -> None:
        """Stage which files a source has read: a load keeps that."""
        self.keep(f"{_FILES}/{source}", self.staging.write(files.coalesce(1), "extract", f"{_FILES}-{source}"))

    def files(self) -> dict[str, DataFrame]:
        """Source -> the files that it has read, of those for which a load has to keep that."""
        kept = {name: item for name, item in self.report.staged.items() if name.startswith(_FILES)}
        return {
            name.removeprefix(f"{_FILES}/"): self.staging.read(Staged(**item), "extract") for name, item in kept.items()
        }

    def staged(self, name: str) -> Staged:
        """The reference to a staged dataset.

        Raises:
            DataError: no verb staged it.
        """
        if name not in self.report.staged:
            raise DataError(f"dataset {name!r} was not staged", expected="a verb before this one that stages it")
        return Staged(**self.report.staged[name])

    def keep(self, name: str, staged: Staged) -> None:
        """Note where a dataset is staged."""
        self.report.staged[name] = {"path": staged.path, "rows": staged.rows}

    def settle(self, verb: str, name: str, flow: Flow) -> None:
        """Ask a dataset that was computed where its rows went; set the refused ones aside; balance."""
        counts = flow.counts()
        if name in self.report.staged:
            counts = replace(counts, rows=self.staged(name).rows)
        self.report.datasets[name] = counts
        refused = flow.refused() if counts.quarantined else None
        if refused is not None:
            self.set_aside(verb, name, refused, counts.quarantined)
        self.balance(name)
        self.say(f"{verb} {name}: {told(counts)}")
        self._limit(verb, name)
        if refused is not None and verb == "extract":
            self._complete(name)

    def split(self, verb: str, name: str, kept: DataFrame, refused: DataFrame, *, apart: bool = False) -> None:
        """Stage the rows of a staged dataset that stay and those that go, and see that none is missing.

        Args:
            verb: the one that tells them apart.
            name: the dataset.
            kept: rows that stay.
            refused: rows that go.
            apart: whether they are in files of their own already.
        """
        before, counts = self.staged(name), self.report.datasets[name]
        parts = self.staging.part(before) if apart else None
        if parts is None:
            self.write(verb, name, kept)
        else:
            self.keep(name, parts[0])
        rows = self.staged(name).rows
        gone = before.rows - rows
        self.set_aside(verb, name, refused, gone)
        self.staging.drop(parts[1] if parts else before)
        self.report.datasets[name] = replace(counts, rows=rows, quarantined=counts.quarantined + gone)
        self.balance(name)
        self.say(f"{verb} {name}: {gone} rows set aside")
        self._limit(verb, name)

    def set_aside(self, verb: str, name: str, refused: DataFrame, expected: int) -> None:
        """Stage refused rows for the quarantine; of those that a mask hides, only where they are.

        Raises:
            DataError: reading them again gave another number of rows: the source changed meanwhile.
        """
        if verb != "transform":  # a step's rows are as open as the rows that go into it (transform/flow.py)
            refused = Privacy(self.staging.plan).kept(refused, name)
        staged = self.staging.write(refused.coalesce(1), verb, f"{_REFUSED}-{name}")
        if staged.rows != expected:
            raise DataError(
                f"{expected} rows were refused, but {staged.rows} when they were read again",
                where=f"{verb}.{name}",
                expected="a source that doesn't change while it is read",
                remedy="run the window again",
            )
        self.keep(f"{_REFUSED}/{verb}/{name}", staged)
        # They are one file: grouped by one task, they need no shuffle.
        for reason, rows in reasons(self.staging.read(staged, verb).coalesce(1)).items():
            self.report.quarantined[reason] = self.report.quarantined.get(reason, 0) + rows

    def _limit(self, verb: str, name: str) -> None:
        """See that no more of a dataset is set aside than may be.

        Raises:
            DataError: it is.
        """
        counts = self.report.datasets[name]
        gone = counts.quarantined
        # Steps such as `aggregate` leave fewer rows than came in, `explode` makes more of them.
        came = max(counts.read, counts.rows + counts.filtered + counts.deduplicated + gone)
        share, most = self.limits.get("share", 1), self.limits.get("rows", gone)
        too_many = gone > round(share * came, 6)  # 0.29 * 100 is less than 29
        if not too_many and gone <= most:
            return
        mine = [(reason, rows) for reason, rows in self.report.quarantined.items() if reason.startswith(f"{name}.")]
        why = ", ".join(f"{reason} ({rows:,})" for reason, rows in sorted(mine, key=lambda item: -item[1])[:_TOLD])
        allowed = [f"{share:.4g} of them"] if too_many else []
        allowed += [f"{most:,} rows"] if gone > most else []
        raise DataError(
            f"{gone:,} of {came:,} rows would be set aside: {why}",
            where=f"{verb}.{name}",
            expected=f"at most {' and '.join(allowed)}",
            remedy="nothing was published; mend the source or the rules, or raise quarantine.max_share or max_rows",
        )

    def _complete(self, name: str) -> None:
        """See that the rows set aside of a source don't lack more of the required values than its contract lets them.

        Raises:
            DataError: they do.
        """
        asked = self.limits.get("complete", {}).get(name)
        if asked is None:
            return
        (staged,) = self.refused([name])
        missing = lacking(self.staging.read(staged, "extract"), asked["columns"])
        counts = self.report.datasets[name]
        wanted = max(counts.read, counts.rows + counts.quarantined) * len(asked["columns"])
        gone = sum(missing.values())
        if gone <= round((1 - asked["share"]) * wanted, 6):
            return
        why = ", ".join(f"{column} ({rows:,})" for column, rows in missing.items())
        raise DataError(
            f"{gone:,} of {wanted:,} required values are missing: {why}",
            where=f"extract.{name}",
            expected=f"at least {100 * asked['share']:.4g} % of them (completeness of its contract)",
            remedy="nothing was published; mend the source, or say another `completeness` in the contract",
        )

    def balance(self, name: str) -> None:
        """See that no row of a dataset is unaccounted for.

        Raises:
            InfrastructureError: some are.
        """
        counts = self.report.datasets[name]
        if counts.missing:
            raise InfrastructureError(
                f"counts don't balance, {counts.missing} rows are unaccounted for: {told(counts)}",
                where=name,
                expected="read = rows + filtered + deduplicated + quarantined",
                remedy="run the window again; nothing was published",
            )


def told(counts: DatasetCounts) -> str:
    """Counts in words."""
    parts: list[tuple[str, Any]] = [("read", counts.read), ("kept", counts.rows)]
    rest = ("filtered", "deduplicated", "quarantined")
    parts += [(word, getattr(counts, word)) for word in rest if getattr(counts, word)]
    return ", ".join(f"{number} {word}" for word, number in parts)
