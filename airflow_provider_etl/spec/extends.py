"""`extends: base.yaml`: a file takes another one as its base, so that five hundred alike files stay short.

Mappings merge, lists and scalars replace, and every part keeps its place: what is wrong in the base is told there. A
base that is no pipeline of its own is called `_something.yaml`, which the factory leaves alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, described, merged
from airflow_provider_etl.spec.once import absent, read_once, real_path
from airflow_provider_etl.spec.problems import Problems

KEY: Final = "extends"
_DEEPEST: Final = 10  # bases of bases


def extended(node: MapNode, folder: Path, within: Path, problems: Problems) -> MapNode:
    """A file's keys over those of its base, of the base's base, and so on.

    Args:
        node: the file's keys.
        folder: the file's folder, from which the base's path counts.
        within: the folder that a base must lie in: pipeline files may not read the rest of the machine.
        problems: where a base that is missing, unreadable or its own is told.
    """
    if KEY not in node.entries:
        return node
    seen = [os.path.realpath(node.source.path)]
    whole = node
    while (asked := whole.get(KEY)) is not None:
        found = _base(asked, folder, within, seen, problems)
        whole = over(whole.without(KEY), found) if found else whole.without(KEY)
        if found is None:
            break
        # What the base itself extends has come with it, and counts from its own folder.
        folder = Path(found.source.path).absolute().parent
    return whole


def over(node: MapNode, base: MapNode) -> MapNode:
    """A file's keys over a base's; a schedule is one thing, whatever form it has."""
    whole = merged(base.without("schedule") if "schedule" in node.entries else base, node)
    return whole if isinstance(whole, MapNode) else node


def _base(asked: Node, folder: Path, within: Path, seen: list[str], problems: Problems) -> MapNode | None:
    if not isinstance(asked, ScalarNode) or not asked.text.strip():
        problems.add(asked, "wrong-type", f"{described(asked)} stands where a file's path is wanted", "extends: a.yaml")
        return None
    path = os.path.normpath(folder / asked.text)
    real, why = real_path(path)
    missing = f"there can be no file {shown(asked.text, 120)}: {why}"
    complaint = ("extends-missing", missing, "correct the path") if why else _complaint(asked.text, real, within, seen)
    if complaint:
        problems.add(asked, *complaint)
        return None
    seen.append(real)
    base, said = read_once(path)
    for diagnostic in said:
        problems.put(diagnostic)
    if base is not None and not isinstance(base, MapNode):
        problems.add(base, "not-a-mapping", f"{described(base)} stands where the keys of a pipeline are wanted")
    return base if isinstance(base, MapNode) else None


def _complaint(text: str, real: str, within: Path, seen: list[str]) -> tuple[str, str, str] | None:
    """Code, message and hint where a file can't be the base."""
    if real in seen:
        circle = " <- ".join(Path(path).name for path in [*seen[seen.index(real) :], real])
        return "extends-cycle", f"files extend each other in a circle: {circle}", "take one of the extends: away"
    if not Path(real).is_relative_to(os.path.realpath(within)):
        return "extends-outside", f"{shown(text, 120)} leads to {real}, outside {within}", "keep it in the project"
    missing = absent(text, real)
    if missing:
        return "extends-missing", *missing
    if len(seen) > _DEEPEST:
        return "extends-too-deep", f"more than {_DEEPEST} files extend each other", "merge some of them"
    return None
