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
    """

    side: Side
    here: Modes
    contract: Modes

    def mode(self, level: str) -> Mode | None:
        """The mode of a level; None where nothing is said."""
        found: Mode | None = getattr(self.here, level) or getattr(self.contract, level)
        return found

    def refused(self) -> list[tuple[str, str, str]]:
        """(level, why, remedy) of the modes that can't be kept here."""
        found = []
        for level in ("table", "columns", "types"):
            why = _REFUSED.get((self.side, level, str(self.mode(level))))
            if why is not None:
                found.append((level, *why))
        return found

    def kept(self) -> Chosen:
        """The same without the modes that can't be kept."""
        no = {level: None for level, _, _ in self.refused()}
        return replace(self, here=replace(self.here, **no), contract=replace(self.contract, **no))

    def is_own(self, level: str) -> bool:
        """Whether the mode is said where the contract is named."""
        return getattr(self.here, level) is not None
