"""A contract's modes, as what sources and loads can do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from airflow_provider_etl.spec.contracts.language import Mode, Modes

Side = Literal["extract", "load"]
_TABLE: Final = "a pipeline file names its tables and no data adds one, so there is none to leave out or set aside"
_KEPT: Final = "rows never vanish without a reason"
# (side, level, mode) -> why it can't be kept, and what can.
_REFUSED: Final = {
    ("extract", "table", "discard"): (_TABLE, "say evolve or freeze"),
    ("extract", "table", "quarantine"): (_TABLE, "say evolve or freeze"),
    ("load", "table", "discard"): (_TABLE, "say evolve or freeze"),
    ("load", "table", "quarantine"): (_TABLE, "say evolve or freeze"),
    ("load", "columns", "discard"): ("a load publishes the columns that its steps give", "leave them out by a select"),
    ("load", "columns", "quarantine"): (
        "every row of a dataset has its new columns: all of them would be set aside",
        "say freeze, or leave them out by a select",
    ),
    ("extract", "types", "evolve"): (
        "the steps are checked against the types that the contract names",
        "say quarantine or freeze, or promise a wider type",
    ),
    ("load", "types", "evolve"): ("a table's columns keep their types", "say freeze or quarantine"),
    ("extract", "types", "discard"): (_KEPT, "say quarantine: it keeps them, with the reason"),
    ("load", "types", "discard"): (_KEPT, "say quarantine: it keeps them, with the reason"),
}


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The modes that hold for a source or load: what it says itself wins over the contract.

    Args:
        side: extract or load.
        here: what is said where the contract is named.
        contract: what the contract says.
        options: those that the source's kind has: what becomes of others is its own to say.
    """

    side: Side
    here: Modes
    contract: Modes
    options: frozenset[str] = frozenset()

    def mode(self, level: str) -> Mode | None:
        """The mode of a level; None where nothing is said."""
        found: Mode | None = getattr(self.here, level) or getattr(self.contract, level)
        return found

    def refused(self) -> list[tuple[str, str, str]]:
        """(level, why, remedy) of the modes that can't be kept here."""
        found = []
        for level in ("table", "columns", "types"):
            why = _REFUSED.get((self.side, level, str(self.mode(level)))) or self._beyond(level)
            if why is not None:
                found.append((level, *why))
        return found

    def _beyond(self, level: str) -> tuple[str, str] | None:
        """Why a source of this kind can't keep a mode that others can, and what it can."""
        mode, option = self.mode(level), {"columns": "new_columns", "types": "bad_records"}.get(level)
        if self.side == "load" or option is None or option in self.options or mode not in ("discard", "quarantine"):
            return None
        if level == "types":
            return "a source of this kind sets no row aside", "say freeze: the run stops"
        if mode == "discard":
            # One that has columns reads these alone.
            return (
                None if "columns" in self.options else ("a source of this kind gives all", "leave them out by a select")
            )
        return "a source of this kind sees no column that isn't named, or gives all", "say freeze"

    def kept(self) -> Chosen:
        """The same without the modes that can't be kept."""
        no = {level: None for level, _, _ in self.refused()}
        return replace(self, here=replace(self.here, **no), contract=replace(self.contract, **no))

    def is_own(self, level: str) -> bool:
        """Whether the mode is said where the contract is named."""
        return getattr(self.here, level) is not None
