"""Two versions of a contract: does the new one break those who rely on the old one?

One question decides: could rows that the new contract allows be refused, or not be understood, by who holds them
against the old one? Then it breaks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from airflow_provider_etl.contracts.narrower import Side, normal, widened
from airflow_provider_etl.spec.contracts.checks import uniques
from airflow_provider_etl.spec.contracts.contract import Contract
from airflow_provider_etl.spec.contracts.language import ContractColumn
from spark_jobs.outline import family

Severity = Literal["breaking", "warning", "compatible"]
_WIDER: Final = ("tinyint", "smallint", "int", "bigint"), ("float", "double")
_ORDER: Final = ("breaking", "warning", "compatible")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference.

    Args:
        severity: breaking, warning or compatible.
        code: stable, other programs read it.
        path: of the schema's keys, such as `columns.amount.max`.
        message: what changed, and what it means to who relies on the old contract.
        place: `file:line:col` in the new contract; in the old one where the new one hasn't got it.
    """

    severity: Severity
    code: str
    path: str
    message: str
    place: str

    def to_json(self) -> dict[str, str]:
        """`{severity, code, path, message, place}`."""
        return {
            "severity": self.severity,
            "code": self.code,
            "path": self.path,
            "message": self.message,
            "place": self.place,
        }


def between(old: Mapping[str, Contract], new: Mapping[str, Contract]) -> list[Change]:
    """Every difference of two files, the worst first.

    Args:
        old: schema -> contract, of those that readers know; a file that is one contract has it under an empty name.
        new: likewise, of those that are to take their place.
    """
    found: list[Change] = []
    if len(old) == len(new) == 1:  # whatever the two are called: a form of our own has no name
        found += _Pair(old=next(iter(old.values())), new=next(iter(new.values()))).changes()
    else:
        for name, contract in old.items():
            if name in new:
                found += _Pair(old=contract, new=new[name], before=f"{name}.").changes()
            else:
                told = f"schema {name!r} is gone"
                found.append(
                    Change(severity="breaking", code="schema-removed", path=name, message=told, place=contract.at())
                )
        for name in [name for name in new if name not in old]:
            told = f"schema {name!r} is new"
            found.append(
                Change(severity="compatible", code="schema-added", path=name, message=told, place=new[name].at())
            )
    return sorted(found, key=lambda item: (_ORDER.index(item.severity), item.path))


def looser(reader: Contract, writer: Contract, *, typed: bool) -> list[Change]:
    """What a reader's contract says and the writer's doesn't promise.

    Args:
        reader: under which a table is read.
        writer: under which it is loaded.
        typed: whether the table's types arrive at the reader.
    """
    aside = {"column-added", *(() if typed else ("type-changed",))}  # new columns are what the reader's modes are for
    return [
        change
        for change in between({"": reader}, {"": writer})
        if change.severity == "breaking" and change.code not in aside
    ]


@dataclass(frozen=True, kw_only=True)
class _Pair:
    old: Contract
    new: Contract
    before: str = ""

    def changes(self) -> Iterator[Change]:
        """All differences."""
        for name, item in self.old.columns.items():
            if name in self.new.columns:
                yield from self._column(name, item, self.new.columns[name])
            else:
                yield from self._gone(name)
        for name in [name for name in self.new.columns if name not in self.old.columns]:
            yield self._added(name)
        yield from self._keys()
        yield from self._service()
        yield from self._modes()

    def _say(self, severity: Severity, code: str, path: tuple[str, ...], message: str) -> Change:
        there = path[0] != "columns" or path[1] in self.new.columns
        place = (self.new if there else self.old).at(*path)
        return Change(severity=severity, code=code, path=self.before + ".".join(path), message=message, place=place)

    def _gone(self, name: str) -> Iterator[Change]:
        near = next((item for item in self.new.columns if item.lower() == name.lower()), None)
        more = f"; {near!r} is another name: letter case counts" if near else ""
        yield self._say("breaking", "column-removed", ("columns", name), f"column {name!r} is gone{more}")

    def _added(self, name: str) -> Change:
        mode = self.old.file.modes.columns
        told = f"column {name!r} is new"
        if mode in ("freeze", "quarantine"):
            why = f"{told}, and who keeps the old contract stops or sets rows aside (columns: {mode})"
            return self._say("breaking", "column-added", ("columns", name), why)
        return self._say("compatible", "column-added", ("columns", name), told)

    def _column(self, name: str, old: ContractColumn, new: ContractColumn) -> Iterator[Change]:
        path = ("columns", name)
        left, right = (normal(item.type) for item in (old, new))
        if left != right:
            told = f"{name} was {old.type} and is {new.type}, {_direction(left, right)}: readers ask for the old type"
            yield self._say("breaking", "type-changed", (*path, "type"), told)
        yield from self._required(name)
        if old.unique and not _tells_apart(self.new, {name}):
            yield self._say("breaking", "unique-lost", (*path, "unique"), f"{name} is no longer unique")
        elif new.unique and not _tells_apart(self.old, {name}):
            yield self._say("compatible", "unique-gained", (*path, "unique"), f"{name} is unique now")
        yield from self._range(name, old, new)
        yield from self._values(name, old, new)
        if old.regex != new.regex:
            yield self._regex(name, old, new)
        if old.pii != new.pii:
            yield self._personal(name, old, new)

    def _personal(self, name: str, old: ContractColumn, new: ContractColumn) -> Change:
        told = f"{name} is no longer personal"
        if new.pii:
            told = f"{name} is personal now: who loads it must mask it"
        if old.pii and new.pii:
            told = f"{name} is personal of another class: {_class(old)}, now {_class(new)}"
        found: Severity = "warning" if new.pii and not old.pii else "compatible"
        return self._say(found, "pii-changed", ("columns", name, "pii"), told)

    def _required(self, name: str) -> Iterator[Change]:
        before, after = name in self.old.required, name in self.new.required
        if before and not after:
            told = f"{name} was required and may be without a value: readers count on one"
            yield self._say("breaking", "required-lost", ("columns", name, "required"), told)
        elif after and not before:
            yield self._say("compatible", "required-gained", ("columns", name, "required"), f"{name} is required now")

    def _range(self, name: str, old: ContractColumn, new: ContractColumn) -> Iterator[Change]:
        sides: tuple[Side, ...] = ("min", "max")
        for side in sides:
            before, after = getattr(old, side), getattr(new, side)
            if before == after:
                continue
            path = ("columns", name, side)
            wider = before is not None and widened(side, before, after, new.values, new.type)
            told = f"{side} of {name} was {_or_none(before)} and is {_or_none(after)}"
            if wider:
                yield self._say("breaking", "range-widened", path, f"{told}: values come that readers refuse")
            else:
                yield self._say("compatible", "range-narrowed", path, told)

    def _values(self, name: str, old: ContractColumn, new: ContractColumn) -> Iterator[Change]:
        path = ("columns", name, "values")
        added = [value for value in new.values if value not in old.values]
        removed = [value for value in old.values if value not in new.values]
        if old.values and not new.values:
            yield self._say("breaking", "values-added", path, f"{name} may have any value now: readers know a few")
        elif old.values and added:
            told = f"{name} may be {', '.join(map(repr, added))} now: readers don't know what that is"
            yield self._say("breaking", "values-added", path, told)
        elif new.values and not old.values:
            yield self._say("compatible", "values-removed", path, f"{name} has a closed list of values now")
        if old.values and new.values and removed:
            told = f"{name} is never {', '.join(map(repr, removed))} any more"
            yield self._say("compatible", "values-removed", path, told)

    def _regex(self, name: str, old: ContractColumn, new: ContractColumn) -> Change:
        path = ("columns", name, "regex")
        if old.regex is None:
            return self._say("compatible", "regex-changed", path, f"{name} matches {new.regex!r} now")
        if new.regex is None:
            told = f"{name} needn't match {old.regex!r} any more: values come that readers refuse"
            return self._say("breaking", "regex-changed", path, told)
        told = f"{name} matched {old.regex!r} and matches {new.regex!r}: whether readers refuse some, nobody can tell"
        return self._say("warning", "regex-changed", path, told)

    def _keys(self) -> Iterator[Change]:
        before, after = self.old.file.keys, self.new.file.keys
        if set(before) == set(after):
            return
        told = f"the key was {_listed(before)} and is {_listed(after)}"
        kept = not before or _tells_apart(self.new, set(before))
        why = "" if kept else ": rows that readers hold for one may be several"
        yield self._say("compatible" if kept else "breaking", "key-changed", ("keys",), f"{told}{why}")

    def _service(self) -> Iterator[Change]:
        before, after = self.old.freshness, self.new.freshness
        if before != after:
            looser = before is not None and (
                after is None or after.column != before.column or after.within > before.within
            )
            was, now = (f"{item.within} by {item.column}" if item else "nothing" for item in (before, after))
            told = f"freshness was {was} and is {now}"
            code = "freshness-loosened" if looser else "freshness-tightened"
            yield self._say("breaking" if looser else "compatible", code, ("freshness",), told)
        was_all, is_all = self.old.share_required, self.new.share_required
        if was_all != is_all and self.old.required and self.new.required:
            code = "completeness-loosened" if was_all > is_all else "completeness-tightened"
            told = f"of the required values {was_all:.4g} must come, and now {is_all:.4g}"
            yield self._say("breaking" if was_all > is_all else "compatible", code, ("completeness",), told)
        shares = [_shares(contract) for contract in (self.old, self.new)]
        for name in [name for name in self.old.columns if name in self.new.columns]:
            was_share, is_share = (found.get(name, 0.0) for found in shares)
            # What was or is required has been told as such.
            if was_share != is_share and name not in {*self.old.required, *self.new.required}:
                told = f"{name} was among columns of whose values {was_share:.4g} are there, and now {is_share:.4g}"
                if was_share > is_share:
                    yield self._say("breaking", "completeness-loosened", ("completeness",), told)
                else:
                    yield self._say("compatible", "completeness-tightened", ("completeness",), told)

    def _modes(self) -> Iterator[Change]:
        for level in ("columns", "types"):
            before, after = (getattr(contract.file.modes, level) for contract in (self.old, self.new))
            if before != after:
                told = f"modes.{level} was {_or_none(before)} and is {_or_none(after)}: what becomes of others changes"
                yield self._say("warning", "mode-changed", ("modes", level), told)


def _shares(contract: Contract) -> dict[str, float]:
    found = {name: share for share, names in contract.complete().items() for name in names}
    return found | dict.fromkeys(contract.required, 1.0)


def _tells_apart(contract: Contract, names: Collection[str]) -> bool:
    """Whether columns tell rows apart: what a part of them does, the whole of them does too."""
    return any(set(columns) <= set(names) for columns in uniques(contract))


def _direction(old: str, new: str) -> str:
    """What became of a type, in a word."""
    for ladder in _WIDER:
        if old in ladder and new in ladder:
            return "which is wider" if ladder.index(new) > ladder.index(old) else "which is narrower"
    if family(old) == family(new) == "decimal":
        return "other digits"
    return "another type"


def _class(column: ContractColumn) -> str:
    """Of which class its values are personal, in a word."""
    return "of none that is named" if column.pii is True else str(column.pii)


def _or_none(value: object) -> str:
    return "open" if value is None else str(value)


def _listed(names: tuple[str, ...]) -> str:
    return f"({', '.join(names)})" if names else "none"
