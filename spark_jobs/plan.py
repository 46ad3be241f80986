"""The plan: everything that Spark gets. Versioned JSON, no secrets, only connection ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from spark_jobs import kinds
from spark_jobs.check import CHECKS
from spark_jobs.errors import ConfigError
from spark_jobs.extract import SOURCES
from spark_jobs.load import DESTINATIONS
from spark_jobs.transform import STEPS
from spark_jobs.window import Window

PLAN_VERSION: Final = 3
VERBS: Final = ("extract", "transform", "check", "load")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Who is writing.

    Args:
        number: orders attempts: larger than every number the ledger held when the operator submitted (ledger.py).
        token: the same for every try of one generation of one task, so that an unknown result is found again.
        run: groups the staging of one run; safe in file names.
        since: the number of the attempt that read the sources, where that was another application: rows that somebody
            else has published after it are newer than these. Default: `number`.
        amends: the number of the attempt to whose rows this one adds its own, in place of replacing them: it commits
            only while the ledger names that. 0 for none.
    """

    number: int
    token: str
    run: str
    since: int = 0
    amends: int = 0

    def __post_init__(self) -> None:
        """Rows that this attempt reads itself are as old as it is."""
        object.__setattr__(self, "since", self.since or self.number)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        told = {"number": self.number, "token": self.token, "run": self.run, "since": self.since}
        return told | ({"amends": self.amends} if self.amends else {})


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A named dataset: where its rows come from and its steps, in order, each `(name, kind)`."""

    source: str
    steps: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One window of one pipeline, ready to run.

    Args:
        pipeline: the pipeline's name, the DAG's id.
        window: what is loaded.
        reach: with `lookback`: what sources with a window column read, from before the window to its end; None without.
        fingerprint: hex digest of extract, transform, check, load and the package's version.
        attempt: who is writing.
        verbs: what this application does, a run of VERBS in their order; all four is a fused run.
        extract: name -> source.
        transform: name -> dataset.
        check: dataset -> checks, each `(name of the kind, kind)`.
        load: name -> (dataset, destination).
        staging: folder (or URI) under which every attempt stages its files.
        quarantine: folder (or URI) that holds one quarantine table per pipeline.
        spark: engine settings: `master`, `memory`, `jars`, `conf`, `archive` (class data sharing).
        previous: the report of the verbs that ran before in other applications; None for the first.
        id: what the ledger, staging and quarantine know the pipeline by. Default: its name.
        allowed_python: modules from which the deployment allows python steps.
        catalogs: name -> catalog of Iceberg tables that the environment declares.
        results: whether what checks found is kept (results.py).
        set_aside: how much of a source or dataset may be: `share` (0 to 1), `rows`; and `complete`: source -> how large
            a `share` of the values of required `columns` must be there before; empty: all of it.
        data_docs: folder (or URI) under which pages about the checks are written; empty: none are.
        notes: dataset -> place of a check -> what its author notes beside it, for those pages.
    """

    pipeline: str
    window: Window
    fingerprint: str
    attempt: Attempt
    verbs: tuple[str, ...] = VERBS
    extract: Mapping[str, Any] = field(default_factory=dict)
    transform: Mapping[str, Dataset] = field(default_factory=dict)
    check: Mapping[str, tuple[tuple[str, Any], ...]] = field(default_factory=dict)
    load: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    staging: str
    quarantine: str
    spark: Mapping[str, Any] = field(default_factory=dict)
    previous: Mapping[str, Any] | None = None
    id: str = ""
    reach: Window | None = None
    allowed_python: tuple[str, ...] = ()
    catalogs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    results: bool = False
    set_aside: Mapping[str, Any] = field(default_factory=dict)
    data_docs: str = ""
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A pipeline without an id of its own goes by its name."""
        object.__setattr__(self, "id", self.id or self.pipeline)

    @property
    def reading(self) -> Window:
        """What sources with a window column read."""
        return self.reach or self.window

    @property
    def checks_alone(self) -> bool:
        """Whether nothing is loaded after the checks, by this application or by another."""
        return "check" in self.verbs and not self.load

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON: kinds as in the pipeline file, with every variable substituted."""
        return {
            "plan_version": PLAN_VERSION,
            "pipeline": self.pipeline,
            "id": self.id,
            "window": self.window.to_json() | {"key": self.window.key},
            "reach": self.reach.to_json() if self.reach else None,
            "fingerprint": self.fingerprint,
            "attempt": self.attempt.to_json(),
            "verbs": list(self.verbs),
            "extract": {name: _typed(source) for name, source in self.extract.items()},
            "transform": {
                name: {"from": dataset.source, "steps": [{step: kinds.dump(kind)} for step, kind in dataset.steps]}
                for name, dataset in self.transform.items()
            },
            "check": {
                name: [{check: kinds.dump(kind)} for check, kind in checks] for name, checks in self.check.items()
            },
            "load": {name: {"from": dataset} | _typed(kind) for name, (dataset, kind) in self.load.items()},
            "staging": self.staging,
            "quarantine": self.quarantine,
            "spark": dict(self.spark),
            "previous": self.previous,
            "allowed_python": list(self.allowed_python),
            **({"catalogs": {name: dict(found) for name, found in self.catalogs.items()}} if self.catalogs else {}),
            **({"results": True} if self.results else {}),
            **({"set_aside": dict(self.set_aside)} if self.set_aside else {}),
            **({"data_docs": self.data_docs} if self.data_docs else {}),
            **({"notes": {name: dict(found) for name, found in self.notes.items()}} if self.notes else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """The inverse of `to_json`.

        Raises:
            ConfigError: a plan of another version, or one that names something unknown or misses something.
        """
        if value.get("plan_version") != PLAN_VERSION:
            raise ConfigError(
                f"plan version {value.get('plan_version')!r}",
                where="plan",
                expected=f"version {PLAN_VERSION}",
                remedy="install the same release of airflow-provider-etl on Airflow and on Spark",
            )
        try:
            return cls._from_json(value)
        except KeyError as missing:
            raise ConfigError(f"key {missing} is missing", where="plan") from missing

    @classmethod
    def _from_json(cls, value: Mapping[str, Any]) -> Plan:
        return cls(
            pipeline=value["pipeline"],
            id=value["id"],
            window=Window.from_json(value["window"]),
            reach=Window.from_json(value["reach"]) if value["reach"] else None,
            fingerprint=value["fingerprint"],
            attempt=Attempt(**value["attempt"]),
            verbs=tuple(value["verbs"]),
            extract={name: _kind(SOURCES, item, "extract", name) for name, item in value["extract"].items()},
            transform={
                name: Dataset(source=item["from"], steps=_listed(STEPS, item["steps"], "transform", name))
                for name, item in value["transform"].items()
            },
            check={name: _listed(CHECKS, item, "check", name) for name, item in value["check"].items()},
            load={
                name: (item["from"], _kind(DESTINATIONS, _without(item, "from"), "load", name))
                for name, item in value["load"].items()
            },
            staging=value["staging"],
            quarantine=value["quarantine"],
            spark=value["spark"],
            previous=value["previous"],
            allowed_python=tuple(value["allowed_python"]),
            catalogs=value.get("catalogs", {}),
            results=value.get("results", False),
            set_aside=value.get("set_aside", {}),
            data_docs=value.get("data_docs", ""),
            notes=value.get("notes", {}),
        )


def _typed(kind: Any) -> dict[str, Any]:
    return {"type": kind.type, **kinds.dump(kind)}


def _without(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name != key}


def _kind(registry: Mapping[str, str], value: Mapping[str, Any], group: str, name: str) -> Any:
    kind = kinds.find(registry, value["type"], group)
    return kinds.build(kind, _without(value, "type"), f"{group}.{name}")


def _listed(
    registry: Mapping[str, str], items: list[Mapping[str, Any]], group: str, name: str
) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (key, kinds.build(kinds.find(registry, key, group), options, f"{group}.{name}[{place}].{key}"))
        for place, item in enumerate(items)
        for key, options in item.items()
    )
