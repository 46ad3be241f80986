"""Connections: what Spark's side knows of Airflow's, and how they reach it.

A plan names connections by id. Whoever submits it hands the connections themselves over beside it: in a file that only
its user may read and that is gone once it was read, or over a private socket.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.hiding import Hiding, secrets_of

if TYPE_CHECKING:
    from spark_jobs.plan import Plan

HANDED: Final = "ETL_CONNECTIONS"  # the variable with the file's path
REMEDY: Final = "add it to Airflow's connections"
_ID: Final = re.compile(r"[\w#!()\-.]{1,250}")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """What Spark's side knows of an Airflow connection.

    Args:
        id: its id.
        kind: Airflow's `conn_type`: postgres, mysql, jdbc, …
        host, port, schema, login, password, extra: as Airflow has them; `schema` is the database.
    """

    id: str
    kind: str = ""
    host: str = ""
    port: int | None = None
    schema: str = ""
    login: str = ""
    password: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Connections(Mapping[str, Connection]):
    """The connections of a run by id.

    Args:
        known: connections.
    """

    def __init__(self, *known: Connection) -> None:
        self._known = {item.id: item for item in known}

    def __getitem__(self, name: str) -> Connection:
        """A connection.

        Raises:
            ConfigError: it wasn't handed over.
        """
        if name not in self._known:
            known = ", ".join(sorted(self._known)) or "none"
            raise ConfigError(
                f"there is no connection {name!r}; known here: {known}", where="connections", remedy=REMEDY
            )
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is one of this id."""
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        """The ids."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._known)

    def __repr__(self) -> str:
        """The ids alone."""
        return f"Connections({', '.join(self._known)})"

    @cached_property
    def hiding(self) -> Hiding:
        """Takes their passwords, and what their `extra` has under keys that smell of secrets, out of texts."""
        return Hiding(text for item in self._known.values() for text in (item.password, *secrets_of(item.extra)))

    def to_json(self) -> list[dict[str, Any]]:
        """As JSON, secrets and all."""
        return [asdict(item) for item in self._known.values()]

    @classmethod
    def from_json(cls, value: list[dict[str, Any]]) -> Connections:
        """The inverse of `to_json`."""
        return cls(*(Connection(**item) for item in value))


def named(kinds: Mapping[str, Any]) -> dict[str, str]:
    """The connections that kinds name: id -> the first place that does.

    Args:
        kinds: place in the pipeline file -> kind.
    """
    found: dict[str, str] = {}
    for where, kind in kinds.items():
        for item in dataclasses.fields(kind):
            value, place = getattr(kind, item.name), f"{where}.{item.metadata.get('alias', item.name)}"
            if item.metadata.get("connection"):
                found |= {value: place} if value and value not in found else {}
            elif dataclasses.is_dataclass(value):
                found = named({place: value}) | found
    return found


def kinds_of(plan: Any) -> dict[str, dict[str, Any]]:
    """Verb -> place in the pipeline file -> kind, of a plan or of a pipeline, whose verbs are of one form."""
    return {
        "extract": {f"extract.{name}": source for name, source in plan.extract.items()},
        "transform": {
            f"transform.{name}[{place}].{step}": kind
            for name, dataset in plan.transform.items()
            for place, (step, kind) in enumerate(dataset.steps)
        },
        "check": {
            f"check.{name}[{place}].{check}": kind
            for name, checks in plan.check.items()
            for place, (check, kind) in enumerate(checks)
        },
        "load": {f"load.{name}": kind for name, (_, kind) in plan.load.items()},
    }


def named_by(plan: Plan) -> dict[str, str]:
    """The connections that a plan's verbs, its stores and its cluster need: id -> the place that names it."""
    kinds = kinds_of(plan)
    stores = {
        store["connection"]: f"stores.{bucket}.connection"
        for bucket, store in (plan.spark.get("s3") or {}).items()
        if store.get("connection")
    }
    wanted = {where: kind for verb in plan.verbs for where, kind in kinds[verb].items()}
    cluster = (plan.spark.get("submit") or {}).get("connection")
    engine = {cluster: "engine.connection"} if cluster else {}
    return stores | engine | named(wanted) | _of_catalogs(plan, wanted)


def _of_catalogs(plan: Plan, kinds: Mapping[str, Any]) -> dict[str, str]:
    """The connections of the catalogs that kinds name: id -> the first place that does."""
    found: dict[str, str] = {}
    for where, kind in kinds.items():
        connection = plan.catalogs.get(getattr(kind, "catalog", ""), {}).get("connection")
        if connection:
            found.setdefault(connection, f"{where}.catalog")
    return found


def misnamed(name: str) -> str | None:
    """Why a text is no connection's id; None where it can be one."""
    return None if _ID.fullmatch(name) else "it is the id of an Airflow connection: letters, digits and _-.!#()"


def hand_over(connections: Connections, path: Path) -> None:
    """Write connections to a new file that only this user may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(connections.to_json(), file)


def received() -> Connections:
    """The connections that were handed over to this process, once: the file is gone afterwards, the variable too.

    Raises:
        ConfigError: the file can't be read.
    """
    path = os.environ.pop(HANDED, "")
    if not path:
        return Connections()
    try:
        told = Path(path).read_text(encoding="utf-8")
        Path(path).unlink()
        return Connections.from_json(json.loads(told))
    except (OSError, ValueError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it isn't what an engine writes"
        raise ConfigError(f"the connections can't be read: {why}", where=HANDED) from None
