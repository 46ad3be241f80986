"""The contracts that a pipeline's sources and loads keep: from `contract:` to columns, steps and checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from airflow_provider_etl.spec.class_plan import plan_of
from airflow_provider_etl.spec.contracts import checks
from airflow_provider_etl.spec.contracts.contract import Contract, find
from airflow_provider_etl.spec.contracts.loads import Load
from airflow_provider_etl.spec.contracts.modes import Chosen, Side
from airflow_provider_etl.spec.contracts.opening import Opener
from airflow_provider_etl.spec.contracts.sources import map_at, rewritten
from airflow_provider_etl.spec.nodes import Entry, MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.rules import read_by, target_of
from airflow_provider_etl.spec.schedule import zone_problem
from airflow_provider_etl.spec.verbs import REGISTRIES, Placed, Verbs
from spark_jobs import kinds
from spark_jobs.check.conforms import Conforms
from spark_jobs.errors import ConfigError
from spark_jobs.transform.validate import Validate

KEY: Final = "contract"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A contract that a source or load keeps.

    Args:
        side: extract or load.
        name: the source or load.
        node: where the contract is named.
        contract: the contract.
        modes: those that hold here.
        typed: whether the source's own columns hold types and required values.
    """

    side: Side
    name: str
    node: Node
    contract: Contract
    modes: Chosen
    typed: bool = False


@dataclass
class Contracts:
    """What a pipeline's sources and loads say under `contract`.

    Args:
        opener: opens the files; None where the environment isn't known, and then none is opened.
        problems: where problems go.
    """

    opener: Opener | None
    problems: Problems
    kept: list[Kept] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # sources whose contract can't be read: nobody knows their columns

    def rewritten(self, verbs: Mapping[str, Node | None]) -> dict[str, Node | None]:
        """The verbs' nodes without `contract`, and with the columns that it stands for."""
        found = dict(verbs)
        for side in ("extract", "load"):
            node = verbs.get(side)
            if isinstance(node, MapNode) and any(_named(entry.value) for entry in node.entries.values()):
                found[side] = map_at(node, dict(self._rewritten(side, node)))
        return found

    def _rewritten(self, side: Any, node: MapNode) -> Iterator[tuple[str, Entry]]:
        for name, entry in node.entries.items():
            asked = _named(entry.value)
            if asked is None or not isinstance(entry.value, MapNode):
                yield name, entry
                continue
            options = entry.value
            kept = self._opened(side, name, options, asked)
            if kept is not None:
                self.kept.append(kept)
            elif side == "extract":
                self.lost.append(name)
            if kept is None or side == "load":
                yield name, Entry(entry.key, options.without(KEY))
            else:
                fields = _fields(options)
                changed = rewritten(options, fields, kept.contract, kept.modes.kept(), self.problems)
                yield name, Entry(entry.key, changed)

    def _opened(self, side: Side, name: str, options: MapNode, asked: Node) -> Kept | None:
        use = self.opener.use_of(asked) if self.opener else None
        contract = self.opener.open(use, asked) if self.opener and use else None
        if use is None or contract is None:
            return None
        fields = _fields(options) if side == "extract" else frozenset()
        modes = Chosen(side=side, here=use.modes, contract=contract.file.modes, options=fields)
        if side == "load" or fields:  # else there is no such kind, which is told where it is read
            self._refuse(modes, asked, contract)
        typed = side == "extract" and "columns" in fields
        return Kept(side=side, name=name, node=asked, contract=contract, modes=modes, typed=typed)

    def _refuse(self, modes: Chosen, asked: Node, contract: Contract) -> None:
        what = "source" if modes.side == "extract" else "load"
        for level, why, remedy in modes.refused():
            place = "" if modes.is_own(level) else f" ({contract.told} says so, {contract.at('modes', level)})"
            node = find(asked, "modes", level) if modes.is_own(level) else asked
            message = f"a {what} can't keep {level}: {modes.mode(level)}{place}: {why}"
            self.problems.add(node, "contract-mode", message, remedy)

    # -- what the verbs get ---------------------------------------------------------------------------------------

    def add_rules(self, verbs: Verbs, zone: str, *, notes: bool) -> None:
        """Put the rules of the contracts among the verbs' steps and checks, before those of the file.

        Args:
            verbs: what was read.
            zone: IANA name of the zone of timestamps without an offset.
            notes: whether what can't be kept is told.
        """
        for name in self.lost:
            verbs.extract[name] = replace(verbs.extract[name], kind=FAILED)
        zone = "UTC" if zone_problem(zone)[0] else zone  # told where it stands
        for kept in reversed(self.kept):
            self._add(kept, verbs, zone)
            if notes and kept.side == "extract":
                self._beside(kept, verbs)
                self._stopping(kept, verbs, zone)
            elif notes:
                self._unkept(kept, verbs)
        # What is wrong with what came is told before what became of it.
        first = [name for name in verbs.sources if name in verbs.check]
        verbs.check = {name: verbs.check[name] for name in dict.fromkeys([*first, *verbs.check])}

    def _add(self, kept: Kept, verbs: Verbs, zone: str) -> None:
        place = map_at(kept.node)
        dataset = kept.name if kept.side == "extract" else target_of(kept.name, verbs)
        if dataset is None:
            return  # told by the rules of the graph
        if kept.side == "extract":
            _limit(kept, verbs)
        found = self._of_source(kept, verbs, place, zone) if kept.side == "extract" else _load_of(kept, verbs).checks()
        placed = [Placed(group="check", name=name, kind=kind, node=place) for name, kind in found]
        if placed:
            verbs.check[dataset] = [*placed, *verbs.check.get(dataset, [])]

    def _of_source(self, kept: Kept, verbs: Verbs, place: MapNode, zone: str) -> Iterator[tuple[str, Any]]:
        """What is asked of a source: rows one by one as they come, and all of them together once they are staged."""
        contract, names = kept.contract, list(kept.contract.columns)
        stops = kept.modes.mode("types") == "freeze"
        starts = [name for name, origin in verbs.origins.items() if origin.text == kept.name]
        if not kept.typed:
            closed = kept.modes.mode("columns") == "freeze"
            yield "conforms", Conforms(columns=contract.types, closed=closed, name=f"{contract.told}: conforms")
        rules = checks.conditions(contract, zone)
        if stops or not starts or not kept.typed:
            asked = checks.of_rows(contract, names, "stop")
            # What a source requires it sees to itself.
            yield from ((name, kind) for name, kind in asked if not (kept.typed and name == "not_null"))
        elif rules:
            for dataset in starts:
                step = Placed(group="transform", name="validate", kind=Validate(rules=rules), node=place)
                verbs.transform[dataset].insert(0, step)
        yield from checks.of_tables(contract, names, "stop")

    def _beside(self, kept: Kept, verbs: Verbs) -> None:
        """Tell that what a step reads of a source beside its own rows has not met the rules."""
        steps = [placed for found in verbs.transform.values() for placed in found if placed.kind is not FAILED]
        sets_aside = any(placed.name == "validate" and placed.node.path == kept.node.path for placed in steps)
        for placed in steps if sets_aside else ():
            if placed.name != "validate" and kept.name in read_by(placed, verbs):
                message = f"the {placed.name} reads {kept.name!r} as it comes: rows that break {kept.contract.told} too"
                hint = f"make a dataset `from: {kept.name}`, and read that"
                self.problems.add(placed.node, "contract-note", message, hint, severity="warning")

    def _stopping(self, kept: Kept, verbs: Verbs, zone: str) -> None:
        """Tell that a source which steps only look into stops the run: no dataset begins with its rows."""
        asked = kept.typed and kept.modes.mode("types") == "quarantine" and checks.conditions(kept.contract, zone)
        if asked and not any(origin.text == kept.name for origin in verbs.origins.values()):
            message = f"rows of {kept.name!r} that break a rule of {kept.contract.told} stop the run: no dataset begins"
            hint = f"make a dataset `from: {kept.name}`, and look into that; or say types: freeze"
            self.problems.add(kept.node, "contract-note", f"{message} with them", hint, severity="warning")

    def _unkept(self, kept: Kept, verbs: Verbs) -> None:
        """Tell what a load can't be asked of its contract."""
        for part in _load_of(kept, verbs).unkept():
            message = f"before it is published nobody checks of {kept.contract.told} {part}"
            hint = "name other columns in the contract of the table, or check it by other means"
            self.problems.add(kept.node, "contract-note", message, hint, severity="warning")


def _load_of(kept: Kept, verbs: Verbs) -> Load:
    """A load as its contract sees it."""
    kind = verbs.load[kept.name].kind
    return Load(
        contract=kept.contract,
        kind=None if kind is FAILED else kind,
        closed=kept.modes.mode("columns") == "freeze",
        on_fail="quarantine" if kept.modes.mode("types") == "quarantine" else "stop",
    )


def _limit(kept: Kept, verbs: Verbs) -> None:
    """How many of the required values may be missing in the rows that a source sets aside for it."""
    share = kept.contract.share_required
    if share and kept.typed and getattr(verbs.extract[kept.name].kind, "bad_records", None) == "quarantine":
        verbs.complete[kept.name] = {"share": share, "columns": kept.contract.required}


def _named(node: Node) -> Node | None:
    return node.get(KEY) if isinstance(node, MapNode) else None


def _fields(options: MapNode) -> frozenset[str]:
    """The options of a source's kind; none where there is no such kind, which is told where it is read."""
    name = options.get("type")
    try:
        kind = kinds.find(REGISTRIES["extract"], name.text if isinstance(name, ScalarNode) else "", "extract")
    except (ConfigError, ImportError, AttributeError):
        return frozenset()
    return frozenset(plan_of(kind).fields)
