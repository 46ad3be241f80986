"""What no file can see for itself: names and assets of the files that are linted together (clashes.py: ids, tables)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from airflow_provider_etl.spec.diagnostics import Diagnostic, near_miss
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node
from airflow_provider_etl.spec.schedule import Assets

if TYPE_CHECKING:
    from airflow_provider_etl.spec.loaded import Loaded


def across(files: Sequence[Loaded], *, complete: bool) -> list[Diagnostic]:
    """Problems between files.

    Args:
        files: what was read, in the order of their paths.
        complete: whether they are all there are, so that an asset that none provides is missing.
    """
    found = [*_cases(files), *_cycles(files)]
    return [*found, *_assets(files)] if complete else found


def _at(file: Loaded, code: str, message: str, hint: str, *, asset: int | None = None) -> Diagnostic:
    """A warning at the top of a file, or at one of the assets that it waits for."""
    place = _asset(file.node, asset) if asset is not None else None
    return Diagnostic(
        path=file.path,
        line=place.line if place else 1,
        column=place.column if place else 1,
        code=code,
        severity="warning",
        key=place.path if place else "",
        message=message,
        hint=hint,
    )


def _asset(top: MapNode | None, number: int) -> Node | None:
    """Where an asset of the schedule stands; None where a base says it."""
    schedule = top.get("schedule") if top is not None else None
    names = schedule.get("assets") if isinstance(schedule, MapNode) else None
    return names.items[number] if isinstance(names, ListNode) else None


def _cases(files: Sequence[Loaded]) -> Iterator[Diagnostic]:
    """Ids that differ in letter case alone share a folder of logs, and of quarantine, on many disks."""
    first: dict[str, Loaded] = {}
    for file in files:
        other = first.setdefault(file.name.lower(), file)
        if other.name != file.name:
            message = f"DAG id {file.name!r} differs from {other.name!r} only in letter case"
            hint = f"rename one of the files: on disks that ignore case both write into one folder ({other.path})"
            yield _at(file, "dag-case", message, hint)


def _names(file: Loaded) -> set[str]:
    """The assets that a file provides."""
    return {f"{file.pipeline.id}.{load}" for load in file.pipeline.load} if file.pipeline else set()


def _wanted(file: Loaded) -> tuple[str, ...]:
    schedule = file.pipeline.schedule if file.pipeline else None
    return schedule.names if isinstance(schedule, Assets) else ()


def _assets(files: Sequence[Loaded]) -> Iterator[Diagnostic]:
    provided = {name for file in files for name in _names(file)}
    broken = {file.name for file in files if file.pipeline is None}
    for file in files:
        for place, name in enumerate(_wanted(file)):
            if name in provided or name.rpartition(".")[0] in broken:
                continue
            near = near_miss(name, provided)
            hint = f"did you mean {near!r}?" if near else "an asset is called PIPELINE.LOAD."
            message = f"no file of this folder provides asset {name!r}"
            yield _at(file, "unknown-asset", message, f"{hint} Another DAG may provide it", asset=place)


def _cycles(files: Sequence[Loaded]) -> Iterator[Diagnostic]:
    """Pipelines that start each other never come to an end."""
    owner = {name: file for file in files for name in _names(file)}
    for file in files:
        for place, name in enumerate(_wanted(file)):
            way = _way_back(owner.get(name), file, owner)
            if way:
                message = f"pipelines start each other in a circle: {' -> '.join([*way, file.name])}"
                hint = "each load starts the next one, for ever: give one of them a clock"
                yield _at(file, "asset-cycle", message, hint, asset=place)


def _way_back(start: Loaded | None, goal: Loaded, owner: dict[str, Loaded]) -> list[str]:
    """The pipelines from `goal`, through what it starts, to `start`; empty where no way leads there."""
    if start is None:
        return []
    ways, seen = [[start]], {start.name}
    while ways:
        way = ways.pop()
        if way[-1] is goal:
            return [file.name for file in reversed(way)]
        for name in _wanted(way[-1]):
            before = owner.get(name)
            if before is not None and before.name not in seen:
                seen.add(before.name)
                ways.append([*way, before])
    return []
