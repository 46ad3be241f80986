"""One attempt at a unit of a table: whether it may commit, and whether the commit that is there is its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spark_jobs.flow import Context
from spark_jobs.ledger import Commit, LoadUnit
from spark_jobs.load import owners
from spark_jobs.load.keeping import consumed
from spark_jobs.load.lake import Lake, LakeLedger


class Newer(Exception):  # noqa: N818 - no error: the attempt is superseded
    """Rows of the same unit that were read later have come since the attempt looked for them."""


@dataclass(frozen=True, kw_only=True)
class Attempting:
    """An attempt.

    Args:
        lake: the table.
        unit: what is written.
        claim: what the load owns of the table.
        context: session and plan.
    """

    lake: Lake
    unit: LoadUnit
    claim: owners.Claim
    context: Context

    @property
    def ledger(self) -> LakeLedger:
        """The table's."""
        return self.lake.ledger

    @property
    def number(self) -> int:
        """What the attempt's commit carries."""
        return self.unit.commit_number(self.context.plan.attempt.number)

    def found(self) -> Commit | None:
        """The commit that an earlier try of this same attempt made, whose result got lost."""
        ledger = self.ledger
        if ledger.version() is None or ledger.number(self.unit) is None:
            return None
        commit = ledger.find(self.unit)
        mine = commit is not None and commit.by(self.context.plan.attempt.token)
        return commit if mine else None

    def superseded(self) -> bool:
        """Whether the ledger holds a later attempt, or another run's that read its sources after this one did.

        An attempt that adds to another one is, too, where the ledger doesn't name that one.
        """
        ledger, attempt = self.ledger, self.context.plan.attempt
        held = ledger.number(self.unit) if ledger.version() is not None else None
        if attempt.amends:
            return held != attempt.amends
        if held is None or held < self.unit.commit_number(attempt.since):
            return False
        if held >= self.number:
            return True
        commit = ledger.find(self.unit)
        # A refresh numbers many windows in one commit, which names none: what is found then is older than its rows.
        known = commit is not None and commit.entry.get("number") == held
        return commit is None or not known or not commit.of_run(attempt.run)

    def see_none_newer(self, held: Mapping[str, int]) -> None:
        """Look again, for a commit that is about to be made: what comes after the state that it builds on conflicts.

        Args:
            held: key -> number of the units that this state holds.

        Raises:
            Newer: another run's rows, read later, are there by now.
        """
        since = self.unit.commit_number(self.context.plan.attempt.since)
        if held.get(self.unit.key, -1) >= since and self.superseded():
            raise Newer

    def staged_before(self) -> int | None:
        """The rows that were staged for the attempt that this one adds to; None where that isn't known any more."""
        commit = self.ledger.find(self.unit)
        known = commit is not None and commit.entry.get("number") == self.context.plan.attempt.amends
        return int(commit.entry["staged"]) if commit and known and "staged" in commit.entry else None

    def refuse_others(self) -> None:
        """See that no other pipeline's rows are touched; before anything of this one's stands beside the table.

        Raises:
            ConfigError: another pipeline loads the table, and no scope parts their rows.
        """
        ledger, claim = self.ledger, self.claim
        if ledger.version() is not None:
            owners.refuse_others(claim, owners.claims_of(ledger.properties()), ledger.pipelines(), self.lake.name)

    def commit(self, write: Callable[[], None]) -> Commit | None:
        """Say whose rows these are, and commit.

        Args:
            write: makes the commit; may raise `Newer`.

        Returns:
            The commit; None where somebody newer came in between.

        Raises:
            ConfigError: another pipeline loads the table, and no scope parts their rows.
        """
        ledger = self.ledger
        self.refuse_others()
        self.lake.claim(self.claim)
        try:
            write()
        except Newer:
            return None
        commit = ledger.find(self.unit)
        # A write whose number isn't larger is dropped without a word.
        is_mine = commit is not None and commit.by(self.context.plan.attempt.token)
        return commit if commit is not None and is_mine and commit.entry.get("number") == self.number else None

    def entry(self, staged: int) -> dict[str, Any]:
        """What the commit says of itself."""
        plan = self.context.plan
        return {
            "unit": self.unit.key,
            "number": self.number,
            "attempt": plan.attempt.number,
            "token": plan.attempt.token,
            "run": plan.attempt.run,
            "staged": staged,
            **({"fingerprint": plan.fingerprint} if plan.fingerprint else {}),
            "pipeline": plan.id,
            "window": plan.window.to_json(),
            **({"scope": dict(self.claim.scope)} if self.claim.scope else {}),
            **consumed(self),
        }
