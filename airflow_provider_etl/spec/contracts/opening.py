"""A contract's file, found and read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from airflow_provider_etl.spec import ignores, shape
from airflow_provider_etl.spec.contracts import sound
from airflow_provider_etl.spec.contracts.contract import Contract, find
from airflow_provider_etl.spec.contracts.language import ContractFile, ContractUse, share_of
from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.extends import KEY, extended
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.once import absent, read_once, real_path
from airflow_provider_etl.spec.paths import is_uri, under
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED, Mode, Reading

_WHERE = "the project folder or a root of the environment"


@dataclass(frozen=True, kw_only=True)
class Opener:
    """Opens the contracts that a pipeline names.

    Args:
        project: the folder that their paths start from.
        roots: absolute folders and URIs that they may lie under beside it.
        reading: where problems go.
        notes: whether what can't be kept of a contract is told too: `lint` alone has the time.
    """

    project: Path
    roots: Sequence[str]
    reading: Reading
    notes: bool

    def use_of(self, node: Node) -> ContractUse | None:
        """What a source or load says under `contract`; None, with the reason told, where that means nothing."""
        found = shape.converter(str | ContractUse)(node, self.reading, None)
        use = None if found is FAILED else ContractUse(file=found) if isinstance(found, str) else found
        if use is not None and use.completeness is not None and share_of(use.completeness) is None:
            self.reading.problems.add(find(node, "completeness"), "out-of-range", *sound.no_share(use.completeness))
            return None
        return use

    def open(self, use: ContractUse, node: Node) -> Contract | None:
        """The contract; None, with the reasons told, where there is none or something in it is wrong."""
        place = (node.get("file") or node) if isinstance(node, MapNode) else node
        path = os.path.normpath(self.project / use.file)
        complaint = self._complaint(use.file, path)
        if complaint:
            self.reading.problems.add(place, *complaint)
            return None
        # One name for one file, however it is written: names of checks are part of the fingerprint.
        inside = Path(path).is_relative_to(self.project)
        named = os.path.relpath(path, self.project) if inside else os.path.normpath(use.file)
        use = replace(use, file=named)
        return contract_of(use, path, within=self.project, reading=self.reading, place=node, notes=self.notes)

    def _complaint(self, text: str, path: str) -> tuple[str, str, str] | None:
        """Code, message and hint where a path leads to no contract."""
        if is_uri(text) or not text.strip():
            return "contract-missing", f"{shown(text, 120)} is no file of the project", "name one, relative to it"
        real, why = real_path(path)
        if why:
            return "contract-missing", f"there can be no file {shown(text, 120)}: {why}", "correct the path"
        inside = Path(real).is_relative_to(os.path.realpath(self.project))
        if not inside and not under(path, self.roots):
            message = f"{shown(text, 120)} leads to {real}, outside {_WHERE}"
            return "contract-outside", message, f"the project folder is {self.project}"
        missing = absent(text, real)
        return ("contract-missing", *missing) if missing else None


def contract_of(  # noqa: PLR0913 - what reading one needs
    use: ContractUse, path: str, *, within: Path, reading: Reading, place: Node | None = None, notes: bool = True
) -> Contract | None:
    """Read a contract's file.

    Args:
        use: which one: the file as it is named, and its schema.
        path: the file.
        within: the folder that the files which it extends must lie in.
        reading: where problems go.
        place: where it is named; None where a person names it.
        notes: whether what can't be kept of it is told.
    """
    own = Problems()
    found = _contract(use, path, within, Reading(problems=own, substitute=reading.substitute), place, notes=notes)
    ignored = ignores.ignores_of(found.node.source) if found is not None and notes else ()
    for diagnostic in ignores.kept(own.sorted(), ignored):
        reading.problems.put(diagnostic)
    return None if own.failed else found


def _contract(  # noqa: PLR0913 - as above
    use: ContractUse, path: str, within: Path, reading: Reading, place: Node | None, *, notes: bool
) -> Contract | None:
    """The contract; what is wrong is among the problems of its own reading."""
    problems = reading.problems
    node, said = read_once(path)
    for diagnostic in said:
        problems.put(diagnostic)
    if node is not None and not isinstance(node, MapNode):
        problems.add(node, "not-a-mapping", f"{described(node)} stands where the keys of a contract are wanted")
    keys = _own(node, use, place, problems, notes=notes, within=within) if isinstance(node, MapNode) else None
    file = FAILED if keys is None else shape.build(ContractFile, keys, reading)
    if keys is None or not isinstance(file, ContractFile) or problems.failed:
        return None
    if use.completeness is not None:
        file = replace(file, completeness=use.completeness)
    sound.check(file, keys, problems)
    told = f"{use.file}#{use.schema}" if use.schema else use.file
    return Contract(told=told, path=os.path.realpath(path), file=file, node=keys)


def _own(  # noqa: PLR0913 - as above
    node: MapNode, use: ContractUse, place: Node | None, problems: Problems, *, notes: bool, within: Path
) -> MapNode | None:
    """A contract's keys in our own form; a standard's are turned into them."""
    from airflow_provider_etl.spec.contracts import odcs

    if odcs.speaks(node):
        return odcs.converted(node, use.schema, place or node, problems if notes else Problems(), problems)
    if use.schema is not None:
        asked = (place.get("schema") if isinstance(place, MapNode) else None) or place or node
        problems.add(asked, "unknown-value", f"{use.file} is one contract, without schemas", "take schema: away")
        return None
    folder = Path(node.source.path).absolute().parent
    return extended(node, folder, within, problems).without(KEY)


def as_it_is(node: ScalarNode, _mode: Mode) -> str:
    """Nothing is substituted in a contract that is read by itself."""
    return node.text
