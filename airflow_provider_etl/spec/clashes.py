"""What two pipeline files may not share: an id, and a table in which each would take the other's rows away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.loaded import Loaded
from airflow_provider_etl.spec.tables import APART, place_of, places
from spark_jobs.load.scope import disjoint


@dataclass(frozen=True, kw_only=True)
class _Load:
    """A load of a file read before."""

    file: str
    name: str
    kind: Any


@dataclass
class Clashes:
    """What the files read so far have taken; the first file keeps it, each later one is told."""

    _names: set[str] = field(default_factory=set)
    _ids: dict[str, str] = field(default_factory=dict)
    _tables: dict[tuple[str, str], list[_Load]] = field(default_factory=dict)
    _above: dict[str, _Load] = field(default_factory=dict)  # folder -> a load of a table somewhere below it

    def told(self, loaded: Loaded, *, tables: bool = True) -> list[Diagnostic]:
        """The clashes of a file with those before it; a DAG id that is taken is `duplicate_names`' business.

        Args:
            loaded: the file; one with errors takes nothing.
            tables: whether tables are compared too. A DAG processor leaves that to `lint` and to the run, which
                refuses: with the table's own ledger in sight, and harming no DAG that only reads alike.
        """
        if loaded.pipeline is None or loaded.name in self._names:
            return []
        self._names.add(loaded.name)
        ids = list(self._shared_id(loaded, loaded.pipeline.id))
        return [*ids, *self._shared_tables(loaded)] if tables else ids

    def _shared_id(self, loaded: Loaded, found: str) -> Iterator[Diagnostic]:
        other = self._ids.setdefault(found, loaded.path)
        if other != loaded.path:
            message = f"id {found!r} is taken by {other}: each would take the other's windows for its own"
            yield loaded.told(("id",), "duplicate-id", message, "give one of them another id")

    def _shared_tables(self, loaded: Loaded) -> Iterator[Diagnostic]:
        assert loaded.pipeline is not None  # noqa: S101 - `told` has seen to it
        project = loaded.pipeline.environment.project
        for name, (_, kind) in loaded.pipeline.load.items():
            for key, written in places(kind):
                place = kind.type, place_of(kind, written, project)
                others = self._tables.setdefault(place, [])
                clash = next((other for other in others if _clash(kind, other.kind)), None)
                if clash is not None and clash.file != loaded.path:
                    message = f"load {clash.name!r} of {clash.file} writes the same table, and nothing parts their rows"
                    hint = "give each load a `scope: {column: value}` of its own"
                    yield loaded.told(("load", name, key), "table-shared", message, hint)
                mine = _Load(file=loaded.path, name=name, kind=kind)
                yield from self._nested(loaded, place, ("load", name, key))
                others.append(mine)
                for folder in _folders(place[1]):
                    self._above.setdefault(folder, mine)

    def _nested(self, loaded: Loaded, place: tuple[str, str], keys: tuple[str, ...]) -> Iterator[Diagnostic]:
        """A table of another file in this one's folder, or the other way about: each sweeps its own folder."""
        around = (self._tables.get((place[0], folder), []) for folder in _folders(place[1]))
        outer = next((load for loads in around for load in loads), None)
        for what, other in (("it lies in the folder", outer), ("in it lies the table", self._above.get(place[1]))):
            if other is not None and other.file != loaded.path:
                message = f"{what} of load {other.name!r} of {other.file}, and each sweeps its own folder"
                yield loaded.told(keys, "table-nested", message, APART)


def _folders(path: str) -> Iterator[str]:
    """The folders above an absolute path or URI."""
    while (path := path.rpartition("/")[0]).strip("/") and not path.endswith(":/"):
        yield path


def _clash(one: Any, other: Any) -> bool:
    """Whether two loads of one table would take each other's rows away."""
    scopes = getattr(one, "scope", {}), getattr(other, "scope", {})
    carried = all(getattr(kind.write, "rows_carry_pipeline", False) for kind in (one, other))
    return not disjoint(*scopes, exact=getattr(one, "exact_scopes", True)) and not (carried and not any(scopes))
