"""The keys of a pipeline file and of an environment file, beside the four verbs' kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal

from airflow_provider_etl.spec.nodes import Node
from spark_jobs.kinds import PYDANTIC

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often a failed task is tried again; only what a retry can mend is."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    attempts: int = field(default=2, metadata={"ge": 0, "le": 100})
    """Tries after the first one."""
    delay: timedelta = timedelta(minutes=1)
    """Wait before the first of them."""
    backoff: Literal["exponential", "fixed"] = "exponential"
    """Whether the wait doubles from try to try."""
    max_delay: timedelta = timedelta(minutes=30)
    """The longest wait."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a run needs."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    size: Literal["small", "large"]
    """`small` tunes Spark for windows of up to some 100,000 rows, `large` for more."""


@dataclass(frozen=True, kw_only=True)
class EveryOption:
    """Windows of equal length."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    every: timedelta = field(metadata={"ge": _SECOND})
    """The length of a window, such as 15m; counted in real time from `start`."""


@dataclass(frozen=True, kw_only=True)
class AssetsOption:
    """A run when assets have changed."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    assets: tuple[str, ...] = field(metadata={"min_length": 1})
    """Names of the assets."""


@dataclass(frozen=True, kw_only=True)
class PipelineFile:
    """One YAML file is one pipeline, one DAG; the DAG's id is the file's stem."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    description: str = ""
    """What the pipeline is for; one line that the UI shows."""
    owner: str = "airflow"
    """Who answers for it."""
    tags: tuple[str, ...] = ()
    """Words to find it by in the UI."""
    schedule: str | EveryOption | AssetsOption
    """A cron expression, a preset such as "@daily", `{every: 15m}`, `{assets: [..]}`, or `manual`."""
    start: date | datetime | None = None
    """First instant of the first window, absolute; local where it carries no offset."""
    end: date | datetime | None = None
    """First instant after the last window."""
    timezone: str = "UTC"
    """IANA name of the zone in which windows are cut."""
    catchup: bool = False
    """Whether the windows between `start` and now are run when the pipeline is switched on."""
    max_active_windows: int = field(default=4, metadata={"ge": 1, "le": 1000})
    """How many windows run at the same time."""
    retries: Retries = field(default_factory=Retries)
    """How often a failed task is tried again."""
    timeout: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """How long a task may run."""
    freshness: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """The load is expected this long after the window closes (a backfilled window: after it was queued)."""
    execution: Literal["staged", "fused"] = "staged"
    """`staged`: a task per verb; `fused`: one Spark application."""
    engine: str = "local"
    """Where Spark runs: a name from the environment file."""
    resources: Resources | None = None
    """What a run needs."""
    deterministic: bool = True
    """False allows `now()` and the like in expressions: such a window can't be repeated."""
    extract: Node
    """Name -> source."""
    transform: Node | None = None
    """The steps of the dataset `result`, or name -> {from, steps}."""
    check: Node | None = None
    """Checks of the dataset, or name -> checks."""
    load: Node
    """Name -> destination."""


@dataclass(frozen=True, kw_only=True)
class EngineFile:
    """Where Spark runs, and how it is set up."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    kind: Literal["local", "local_warm", "spark_submit"]
    """`local`: a process of its own beside the task; `local_warm`: one that stays for the next tasks."""
    connection: str | None = None
    """Airflow connection id, where the kind needs one."""
    cores: int = field(default=2, metadata={"ge": 1, "le": 1024})
    """Threads of a local Spark."""
    memory: str = field(default="2g", metadata={"pattern": "^[1-9][0-9]*[mg]$"})
    """Memory of the driver, such as 2g or 512m."""
    jars: str = "jars"
    """Folder with the jars, relative to the project folder."""
    small: bool = False
    """Tune Spark for windows of up to some 100,000 rows; a pipeline's `resources.size` wins."""
    archive: str | None = None
    """Class data sharing archive that shortens the start, relative to the project folder."""
    conf: dict[str, str | int | float | bool] = field(default_factory=dict)
    """More Spark settings."""
    retention: timedelta = timedelta(days=1)
    """How long staged files of a run that succeeded are kept, so that a cleared load finds them."""


@dataclass(frozen=True, kw_only=True)
class EnvironmentFile:
    """What differs between environments; a pipeline file never does."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    variables: dict[str, str]
    """Values of `${env.NAME}`; `staging` and `quarantine` must be among them."""
    roots: tuple[str, ...] = field(metadata={"min_length": 1})
    """Folders and URIs: every path in a pipeline file must lie under one of them."""
    engines: dict[str, EngineFile]
    """Name -> where Spark runs."""
    defaults: Node | None = None
    """Values for any key of a pipeline file that the file doesn't give."""
