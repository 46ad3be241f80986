"""Strategies by key: what a table holds of a key is a function of all its events, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Literal

from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, family

WINDOW_END: Final = "_window_end"
"""What orders rows that have no sequence: the end of the window that brought them."""
DELETED: Final = "_deleted"
UPSERTS: Final = ("c", "create", "r", "read", "i", "insert", "u", "update")
DELETES: Final = ("d", "delete")
TRUNCATES: Final = ("t", "truncate")
OPERATIONS: Final = (*UPSERTS, *DELETES, *TRUNCATES)


def names(option: str | Sequence[str]) -> tuple[str, ...]:
    """Column names of an option that takes one or several."""
    return (option,) if isinstance(option, str) else tuple(option)


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Entities: one row per key, that of the highest sequence; deletes leave a tombstone, so no order matters."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = "{strategy: merge, keys: [id], sequence: updated_at, delete_when: \"status = 'gone'\"}"
    promise: ClassVar[str] = "per key the row of the highest sequence wins, whichever window brings it, and when"
    ordered_by_window: ClassVar[bool] = True
    numbered_by_window: ClassVar[bool] = False
    rows_carry_pipeline: ClassVar[bool] = False
    by_key: ClassVar[bool] = True

    strategy: Literal["merge"]
    """How rows reach the table."""
    keys: tuple[str, ...] = field(metadata={"column": True, "distinct": True})
    """Columns that name an entity; a row without one of them is refused."""
    sequence: str | tuple[str, ...] = field(default=(), metadata={"column": True})
    """The column, or columns, that order the rows of a key. Equal ones are decided by the rows' content, a delete
    before all. Left out, the window's end orders them, and a window may bring one row per key."""
    delete_when: str | None = field(default=None, metadata={"expression": True})
    """The condition of rows that delete their key; null counts as false."""
    update: Literal["all"] | tuple[str, ...] = field(default="all", metadata={"column": True})
    """Which columns a newer row changes; others keep what the key's first row brought."""
    soft_delete: bool = False
    """Whether deleted keys stay, with `_deleted` true and what the deleting row says."""
    outside: Literal["fail", "quarantine"] = "fail"
    """Rows without a key or a sequence, or outside the scope: stop the run, or set them aside and load the rest."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = _conflicts(self.keys, names(self.sequence))
        if self.update != "all":
            fixed = [name for name in self.update if name in {*self.keys, *names(self.sequence)}]
            if not self.update or fixed:
                found["update"] = f"{fixed[0]} is a key or the sequence" if fixed else "it names no column"
        return found

    @property
    def adds(self) -> dict[str, str]:
        """The columns that a table gets beside the dataset's."""
        kinds = {} if self.sequence else {WINDOW_END: "timestamp"}
        return kinds | ({DELETED: "boolean"} if self.soft_delete else {})

    def misfits(self, rows: Outline) -> Iterator[Misfit]:
        """Keys and sequences that can't be compared."""
        yield from _uncomparable("write.keys", self.keys, rows)
        yield from _uncomparable("write.sequence", names(self.sequence), rows)


@dataclass(frozen=True, kw_only=True)
class Scd2:
    """Histories: the versions of a key are a function of the set of its events; a late one splits a version."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = "{strategy: scd2, keys: [id], valid_from: changed_at, track: [status, city]}"
    promise: ClassVar[str] = "the history of a key is a function of the set of its events: a late one splits it"
    numbered_by_window: ClassVar[bool] = False
    rows_carry_pipeline: ClassVar[bool] = False
    by_key: ClassVar[bool] = True
    adds: ClassVar[Mapping[str, str | None]] = {"valid_from": None, "valid_to": None, "is_current": "boolean"}

    strategy: Literal["scd2"]
    """How rows reach the table."""
    keys: tuple[str, ...] = field(metadata={"column": True, "distinct": True})
    """Columns that name an entity; a row without one of them is refused."""
    valid_from: str = field(metadata={"column": True})
    """The date or timestamp of an event: from then on its row is valid."""
    track: Literal["all"] | tuple[str, ...] = field(default="all", metadata={"column": True})
    """Columns whose change begins a version; others keep what the event that began it says."""
    delete_when: str | None = field(default=None, metadata={"expression": True})
    """The condition of rows that end their key's version without beginning one; null counts as false."""
    sequence: str | tuple[str, ...] = field(default=(), metadata={"column": True})
    """The column, or columns, that order events of a key at one instant; without it, two that differ are an error."""
    outside: Literal["fail", "quarantine"] = "fail"
    """Rows without a key or an instant, or outside the scope: stop the run, or set them aside and load the rest."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = _conflicts(self.keys, names(self.sequence))
        if self.valid_from in self.keys:
            found["valid_from"] = "it is a key: every event would be an entity of its own"
        if self.track != "all" and (not self.track or {*self.track} & {*self.keys, self.valid_from}):
            found["track"] = "it names no column, a key or valid_from"
        return found

    def misfits(self, rows: Outline) -> Iterator[Misfit]:
        """Keys that can't be compared; an instant that is none; columns of the dataset with names of the table's."""
        yield from _uncomparable("write.keys", self.keys, rows)
        yield from _uncomparable("write.sequence", names(self.sequence), rows)
        kind = rows.columns.get(rows.spelled(self.valid_from) or "")
        if family(kind) not in {None, *INSTANTS}:
            message = f"column {self.valid_from!r} is {kind}: it can't say when a version begins"
            yield Misfit(option="write.valid_from", message=message, hint="a date or a timestamp does")
        for name in self.adds:
            there = rows.spelled(name)
            if there is not None and there != self.valid_from:
                message = f"the table's own column {name!r} would collide with the dataset's"
                yield Misfit(option="write", message=message, hint=f"rename {there}", code="column-collision")


@dataclass(frozen=True, kw_only=True)
class Cdc:
    """Change streams: as `merge`, or as `scd2`, by the operations that a source has logged."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = "{strategy: cdc, keys: [id], sequence: lsn, operation: op, before: before, after: after}"
    promise: ClassVar[str] = "per key the operation of the highest sequence wins, whichever window brings it, and when"
    numbered_by_window: ClassVar[bool] = False
    rows_carry_pipeline: ClassVar[bool] = False
    by_key: ClassVar[bool] = True

    strategy: Literal["cdc"]
    """How rows reach the table."""
    keys: tuple[str, ...]
    """Columns that name an entity, of the record; an event without one of them is refused, but a truncate."""
    sequence: str | tuple[str, ...] = field(metadata={"column": True})
    """The column, or columns, of the event that order all events; the table keeps them."""
    operation: str = field(metadata={"column": True})
    """The column with the operation: c (create, i, insert), r (read), u (update), d (delete), t (truncate), letter case
    aside; any other is refused."""
    before: str | None = field(default=None, metadata={"column": True})
    """The column with the record before the change, where events are envelopes: an update whose key has changed
    deletes the key that it had."""
    after: str | None = field(default=None, metadata={"column": True})
    """The column with the record after the change, where events are envelopes; the table has its columns."""
    history: Literal["scd2"] | bool = False
    """Whether the table holds the entities, or (`scd2`) their history by `valid_from`."""
    valid_from: str | None = field(default=None, metadata={"column": True})
    """With `history: scd2`: the date or timestamp of the event."""
    outside: Literal["fail", "quarantine"] = "fail"
    """Events without a key or a sequence, or of an unknown operation: stop the run, or set them aside."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = _conflicts(self.keys, names(self.sequence))
        if not names(self.sequence):
            found["sequence"] = "events need one that orders them"
        if (self.before is None) != (self.after is None):
            found["before" if self.after is None else "after"] = "before and after go together"
        if self.history is True:
            found["history"] = "it is false or scd2"
        if (self.history == "scd2") != (self.valid_from is not None):
            found["valid_from"] = "history: scd2 needs it, and nothing else has it"
        return found

    @property
    def adds(self) -> dict[str, str | None]:
        """The columns that a table gets beside the record's."""
        return dict(Scd2.adds) if self.history else {}

    def recorded(self, rows: Outline) -> Outline:
        """The columns of the records that events hold: without the operation; of envelopes nobody knows them here."""
        if self.after is None:
            return rows.without([rows.spelled(self.operation) or self.operation])
        beside = [*names(self.sequence), *filter(None, [self.valid_from])]
        return replace(rows.select(beside), rest="any")

    def misfits(self, rows: Outline) -> Iterator[Misfit]:
        """A sequence that can't be compared, keys that a flat event hasn't got, envelopes that are none."""
        yield from _uncomparable("write.sequence", names(self.sequence), rows)
        if self.after is None:
            yield from _uncomparable("write.keys", self.keys, rows)
        for option in ("before", "after"):
            name = getattr(self, option)
            kind = rows.columns.get(rows.spelled(name) or "") if name else None
            if kind is not None and not kind.startswith("struct"):
                message = f"column {name!r} is {kind}, no record"
                yield Misfit(option=f"write.{option}", message=message, hint="a struct is expected")


def _conflicts(keys: Sequence[str], sequence: Sequence[str]) -> dict[str, str]:
    if not keys:
        return {"keys": "there is no key"}
    both = [name for name in sequence if name in keys]
    return {"sequence": f"{both[0]} is a key too: it can't order the rows of a key"} if both else {}


def _uncomparable(option: str, columns: Sequence[str], rows: Outline) -> Iterator[Misfit]:
    for name in columns:
        kind = rows.columns.get(rows.spelled(name) or "")
        if family(kind) in {"nested", "interval"}:
            yield Misfit(option=option, message=f"column {name!r} is {kind}, which can't be compared", hint="")


Keyed = Merge | Scd2 | Cdc
