"""A contract on a load: it speaks of the table, and is asked of the rows that the load is about to publish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from airflow_provider_etl.spec.contracts import checks
from airflow_provider_etl.spec.contracts.contract import Contract
from spark_jobs.check.conforms import Conforms
from spark_jobs.check.rule import OnFail
from spark_jobs.load.by_key import Cdc, Keyed, names

# In every row that one load publishes they are the same.
_ONE: Final = frozenset({"_pipeline", "_window_start", "_window_end"})


@dataclass(frozen=True, kw_only=True)
class Load:
    """A load under a contract.

    Args:
        contract: what its table promises.
        kind: the destination; None where it is none, which is told elsewhere.
        closed: whether the contract's columns are all that there may be.
        on_fail: what becomes of rows that break a rule.
    """

    contract: Contract
    kind: Any
    closed: bool
    on_fail: OnFail

    def checks(self) -> Iterator[tuple[str, Any]]:
        """(kind's name, check) of the dataset; the columns that the load itself adds aside."""
        contract, there = self.contract, self._there
        types = {name: text for name, text in contract.types.items() if name in there}
        if types:
            closed = self.closed and not self._envelopes
            others = tuple(name for name in (*contract.columns, *self._events) if name not in types) if closed else ()
            called = f"{contract.told}: conforms"
            yield "conforms", Conforms(columns=types, closed=closed, others=others, name=called)
        yield from checks.required(contract, self._required, self.on_fail)
        yield from checks.of_columns(contract, there, self.on_fail)
        for columns in self._uniques():
            yield checks.unique(contract, columns, self.on_fail)
        yield from checks.complete(contract, () if self._deletes else there, aside=self.on_fail == "quarantine")
        yield from checks.fresh(contract, there)

    def unkept(self) -> Iterator[str]:
        """What of the contract can't be asked of the rows before they are in the table."""
        there = self._there
        if self._envelopes:
            yield "the columns of its records, which stand in envelopes until they are published"
            return
        for columns in checks.uniques(self.contract):
            others = [name for name in columns if name not in there and not self._is_one(name)]
            if not self._by_keys(columns) and (others or not any(name in there for name in columns)):
                why = f"the load itself adds {others[0]}" if others else "the load itself says all of it"
                yield f"that ({', '.join(columns)}) tells rows apart: {why}"
        for columns in self._uniques() if isinstance(self._write, Keyed) else ():
            keys = ", ".join(self._write.keys)
            yield (
                f"that ({', '.join(columns)}) tells rows apart in the table: the check compares rows of one window,"
                f" and {self._write.strategy} makes ({keys}) unique, no other column"
            )
        fresh = self.contract.freshness
        if fresh is not None and fresh.column not in there:
            yield f"freshness: the load itself adds {fresh.column}"
        if self._deletes:
            yield from self._without_values()

    def _without_values(self) -> Iterator[str]:
        """What isn't asked of the rows because some of them delete others."""
        lost = [name for name in self.contract.required if name in self._there and name not in self._write.keys]
        if lost:
            yield f"that {', '.join(lost)} have a value: rows that delete a key may be without one"
        said = self.contract.file.completeness is not None and self.on_fail == "quarantine"
        wanted = [*self.contract.complete().values(), *([self.contract.required] if said else [])]
        if any(name in self._there for columns in wanted for name in columns):
            yield "completeness: rows that delete a key may be without values"

    @property
    def _write(self) -> Any:
        return getattr(self.kind, "write", None)

    @cached_property
    def _added(self) -> frozenset[str]:
        """The columns that the load adds, in lower case."""
        found = {*getattr(self.kind, "scope", {}), *(getattr(self._write, "adds", None) or {})}
        return frozenset(name.lower() for name in found)

    def _is_one(self, name: str) -> bool:
        """Whether a column has one value in all rows that the load publishes."""
        scope = {column.lower() for column in getattr(self.kind, "scope", {})}
        return name.lower() in scope or (name in _ONE and name in self._added)

    @property
    def _envelopes(self) -> bool:
        return isinstance(self._write, Cdc) and self._write.after is not None

    @property
    def _events(self) -> tuple[str, ...]:
        """Columns of a change stream that its table hasn't got."""
        write = self._write
        return tuple(filter(None, (write.operation, write.before, write.after))) if isinstance(write, Cdc) else ()

    @cached_property
    def _there(self) -> tuple[str, ...]:
        """The contract's columns that are the dataset's."""
        found = tuple(name for name in self.contract.columns if name.lower() not in self._added)
        if not self._envelopes:
            return found
        beside = {*names(self._write.sequence), self._write.valid_from}
        return tuple(name for name in found if name in beside)

    @property
    def _deletes(self) -> bool:
        """Whether some rows delete others, and needn't have more than a key."""
        return isinstance(self._write, Cdc) or getattr(self._write, "delete_when", None) is not None

    @property
    def _required(self) -> tuple[str, ...]:
        """The columns that each row has; a change stream's strategy asks for its keys itself: truncates have none."""
        found = tuple(name for name in self.contract.required if name in self._there)
        if isinstance(self._write, Cdc):
            return ()
        return tuple(name for name in found if name in self._write.keys) if self._deletes else found

    def _by_keys(self, columns: tuple[str, ...]) -> bool:
        """Whether the write's own keys are among some columns: then the strategy makes them unique, or a history."""
        return isinstance(self._write, Keyed) and set(self._write.keys) <= set(columns)

    def _uniques(self) -> Iterator[tuple[str, ...]]:
        """The columns that tell rows apart within the load: those that are one there say nothing."""
        for columns in checks.uniques(self.contract):
            left = tuple(name for name in columns if not (self._is_one(name) and name not in self._there))
            if left and set(left) <= set(self._there) and not self._by_keys(columns):
                yield left
