"""The keys of a pipeline file and of an environment file, beside the four verbs' kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal

from airflow_provider_etl.notify.email import Email
from airflow_provider_etl.notify.slack import Slack
from airflow_provider_etl.notify.webhook import Webhook
from airflow_provider_etl.spec.nodes import Node
from airflow_provider_etl.spec.skipping import SkipIf
from spark_jobs.extract.breaker import Breaker
from spark_jobs.kinds import PYDANTIC

_SECOND = timedelta(seconds=1)
_MEMORY = "^[1-9][0-9]*[mg]$"
_SIZES = (
    "By the data of a window: `tiny` up to some 100,000 rows, where the start of Spark is most of the time; `small` up "
    "to 10 GB, `medium` up to 100 GB, `large` above; `auto` asks the size of the files before each "
    "run, or what the last windows moved where they are out of reach."
)
Size = Literal["tiny", "small", "medium", "large", "auto"]


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
class Aside:
    """What becomes of rows that were set aside."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    keep: timedelta | None = field(default=None, metadata={"ge": timedelta(days=1), "le": timedelta(days=3650)})
    """How long they are kept whole after they were first seen, such as 90d; then `maintain` removes their records, of
    those that still wait too, and keeps that they were there. Default: for good."""
    max_share: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """The share of a source's or dataset's rows in a window that may be set aside, such as 0.01; where more would be,
    the run stops and publishes nothing. Default: all of them."""
    max_rows: int | None = field(default=None, metadata={"ge": 0})
    """Likewise, how many rows. With both, each must hold."""

    @property
    def limits(self) -> dict[str, float]:
        """How much may be set aside, as a plan has it."""
        told = {"share": self.max_share, "rows": self.max_rows}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How long what checks found is kept."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    keep: timedelta = field(metadata={"ge": timedelta(days=1), "le": timedelta(days=3650)})
    """How long a result stays after its check was asked, such as 400d; then `maintain` removes it, but none that a
    check of this pipeline looks back at."""


@dataclass(frozen=True, kw_only=True)
class DataDocs:
    """Pages of Great Expectations about the checks of each run."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    shorthand: ClassVar[str] = "path"

    path: str = field(metadata={"substitute": "text", "path": True})
    """Folder or URI under which each pipeline has a folder: a page for each window and dataset, and an index."""
    link: str | None = field(default=None, metadata={"pattern": r"^https?://[^\s\"'<>]+$"})
    """Address, https://…, under which a browser finds that folder: Airflow's tasks link to their pages then."""


@dataclass(frozen=True, kw_only=True)
class StepResources:
    """What one verb needs."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    # pydantic reads docstrings of the class itself alone: what is inherited says it here.
    size: Size | None = field(default=None, metadata={"description": _SIZES})
    driver_memory: str | None = field(
        default=None, metadata={"pattern": _MEMORY, "description": "Memory of the driver, such as 4g."}
    )
    executors: int | None = field(
        default=None, metadata={"ge": 1, "le": 10_000, "description": "Executors on a cluster."}
    )
    executor_cores: int | None = field(default=None, metadata={"ge": 1, "le": 1024, "description": "Cores of each."})
    executor_memory: str | None = field(
        default=None, metadata={"pattern": _MEMORY, "description": "Memory of each, such as 8g."}
    )
    max_executors: int | None = field(
        default=None,
        metadata={
            "ge": 1,
            "le": 10_000,
            "description": "Executors come and go with the work, up to so many; they begin with `executors`.",
        },
    )
    shuffle_partitions: int | None = field(
        default=None,
        metadata={"ge": 1, "le": 1_000_000, "description": "Parts of a join or aggregate; Spark joins small ones."},
    )


@dataclass(frozen=True, kw_only=True)
class Resources(StepResources):
    """What a run needs; what a verb says for itself wins in its own task."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    extract: StepResources = field(default_factory=StepResources)
    """What `extract` needs otherwise."""
    transform: StepResources = field(default_factory=StepResources)
    """What `transform` needs otherwise."""
    check: StepResources = field(default_factory=StepResources)
    """What `check` needs otherwise."""
    load: StepResources = field(default_factory=StepResources)
    """What `load` needs otherwise."""

    def of(self, verbs: Sequence[str]) -> StepResources:
        """What an application needs that does these verbs: one alone has its own, several share the run's."""
        own = getattr(self, verbs[0]) if len(verbs) == 1 else self
        names = [item.name for item in fields(StepResources)]
        first = {name: getattr(own, name) for name in names}
        told = {name: value if value is not None else getattr(self, name) for name, value in first.items()}
        return StepResources(**told)


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long things may take."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    run: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """A run, from its start."""
    task: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """A task that has no time of its own."""
    extract: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """The task `extract`."""
    transform: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """The task `transform`."""
    check: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """The task `check`."""
    load: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """The task `load`."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Slots that tasks of many pipelines share."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    name: str = field(metadata={"min_length": 1})
    """The pool, which Airflow must know."""
    slots: int = field(default=1, metadata={"ge": 1})
    """How many of its slots a task takes."""


@dataclass(frozen=True, kw_only=True)
class ParamOption:
    """A value that a run may be given."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    type: Literal["string", "integer", "number", "boolean", "date"] = "string"
    """What it is."""
    default: str | int | float | bool | date | None = None
    """Its value where a run gives none; a pipeline that starts by itself needs one."""
    values: tuple[str | int | float | date, ...] = ()
    """The values that it may have; empty: any."""
    pattern: str | None = None
    """A regular expression that the whole of a string must match."""
    description: str = ""
    """What it is for; shown in the form of a run."""


@dataclass(frozen=True, kw_only=True)
class EveryOption:
    """Windows of equal length."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    every: timedelta = field(metadata={"ge": _SECOND})
    """The length of a window, such as 15m; counted in real time from `start`."""


@dataclass(frozen=True, kw_only=True)
class PartitionOption:
    """Windows of a cron expression, whose runs carry a partition key; needs Airflow 3.2."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    partition: str
    """A cron expression, or a preset such as "@daily". The key is the window's local start: its date, its time where it
    isn't midnight, and its UTC offset where the schedule is one for every hour: the clock shows some of them twice.
    One of these is started by hand with `window_start`: Airflow (3.3.2) can't read a key with an offset back."""


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

    extends: str | None = None
    """Another file, relative to this one, whose keys hold where this has none; mappings merge, the rest replaces."""
    id: str | None = field(default=None, metadata={"pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$"})
    """What tables, ledgers, staging and quarantine know the pipeline by; default: the file's stem. A file that is
    renamed keeps everything with the old stem here."""
    description: str = ""
    """What the pipeline is for; one line that the UI shows."""
    doc: str | None = None
    """Markdown that the UI shows on the pipeline's page; by default the description."""
    owner: str = "airflow"
    """Who answers for it."""
    owner_links: dict[str, str] = field(default_factory=dict)
    """Owner -> where a click on the owner leads in the UI: https://…, mailto:…"""
    tags: tuple[str, ...] = ()
    """Words to find it by in the UI."""
    schedule: str | EveryOption | AssetsOption | PartitionOption
    """A cron expression, a preset such as "@daily", `{every: 15m}`, `{assets: [..]}`, `{partition: "@daily"}`, or
    `manual`."""
    start: date | datetime | None = None
    """First instant of the first window, absolute; local where it carries no offset."""
    end: date | datetime | None = None
    """First instant after the last window."""
    lookback: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """How far before a window its sources with a window column are read too, such as 2d, but not before `start`: rows
    that come late. Where `replace_window` is on that column, all that was read is replaced; elsewhere the rows before
    the window are context for the steps."""
    timezone: str = "UTC"
    """IANA name of the zone in which windows are cut."""
    catchup: bool = False
    """Whether the windows between `start` and now are run when the pipeline is switched on."""
    max_active_windows: int = field(default=4, metadata={"ge": 1, "le": 1000})
    """How many windows run at the same time."""
    retries: Retries = field(default_factory=Retries)
    """How often a failed task is tried again."""
    depends_on_previous: bool = False
    """Whether a window waits until the one before it was loaded; then one runs at a time."""
    pool: str | Pool | None = None
    """Pool of slots that the tasks take: its name, or {name, slots}."""
    priority: int | None = field(default=None, metadata={"ge": -1_000_000, "le": 1_000_000})
    """Where slots are short, tasks of a higher priority go first; all tasks of the pipeline have this one."""
    params: dict[str, ParamOption | str | int | float | bool] = field(default_factory=dict)
    """Name -> {type, default, ..}, or its default: values that `${param.NAME}` stands for and a run may give."""
    timeout: timedelta | Timeouts | None = field(default=None, metadata={"ge": _SECOND})
    """How long a task may run; or {run, task, extract, transform, check, load}."""
    freshness: timedelta | None = field(default=None, metadata={"ge": _SECOND})
    """The load is expected this long after the window closes (a backfilled window: after it was queued); who has `late`
    in `notify` is told where it isn't there."""
    quarantine: Aside = field(default_factory=Aside)
    """What becomes of rows that were set aside, and how many may be: {keep, max_share, max_rows}."""
    results: bool | Kept = False
    """Whether what each check found is kept, for `airflow-etl checks`, in a table beside the quarantine; or {keep}: how
    long. A check that looks back at earlier windows has it kept anyway, for good where nothing is said."""
    data_docs: DataDocs | None = None
    """Where a page about each run's checks is written: a path, or {path, link}; it needs the extra `gx`."""
    skip_if: SkipIf | None = None
    """Which windows are left out: {weekdays, dates, missing}."""
    notify: tuple[Email | Slack | Webhook, ...] = ()
    """Who is told of what: a list of {type: email | slack | webhook, on: [failure, late, ..], ..}."""
    execution: Literal["staged", "fused"] = "staged"
    """`staged`: a task per verb; `fused`: one Spark application."""
    engine: str = "local"
    """Where Spark runs: a name from the environment file."""
    resources: Resources | None = None
    """What a run needs."""
    deterministic: bool = True
    """False allows `now()` and the like in expressions: such a window can't be repeated."""
    wait_for: Node | None = None
    """What must be true before a window is loaded: a list of conditions."""
    extract: Node
    """Name -> source."""
    transform: Node | None = None
    """The steps of the dataset `result`, or name -> {from, steps}."""
    check: Node | None = None
    """Checks of the dataset, or name -> checks."""
    load: Node
    """Name -> destination."""


@dataclass(frozen=True, kw_only=True)
class TolerationFile:
    """A taint of Kubernetes' nodes that pods don't mind."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    key: str | None = None
    """The taint's key. Default: every taint's, where `operator` is `Exists`."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """`Equal`: the taint has this value; `Exists`: whatever its value."""
    value: str | None = None
    """The taint's value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """What the taint does. Default: whatever it does."""


@dataclass(frozen=True, kw_only=True)
class EngineFile:
    """Where Spark runs, and how it is set up."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    kind: Literal[
        "local",
        "local_warm",
        "local_connect",
        "connect",
        "spark_submit",
        "emr_serverless",
        "emr",
        "kubernetes",
        "databricks",
        "dataproc",
    ]
    """`local`: a process of its own beside the task; `local_warm`: one that stays for the next tasks; `local_connect`:
    one Spark Connect server of this machine for all tasks; `connect`: an endpoint of Spark Connect, by a client without
    Java; `spark_submit`: a cluster, by Spark's own client; `emr_serverless`, `emr`, `kubernetes` (the Spark operator),
    `databricks`, `dataproc`: a job of a service, which outlives the task's worker."""
    connection: str | None = None
    """Airflow connection: of type spark, that says where the cluster is, instead of `master`; of type aws,
    databricks, google_cloud_platform or kubernetes, with the key for a service. Default: what AWS's or Google's chain
    finds; the cluster that Airflow runs in."""
    url: str | None = None
    """`connect`: the endpoint, such as sc://spark.example.com:15002, or sc://spark.example.com:443/;use_ssl=true."""
    token_file: str | None = None
    """`connect`: file that holds the endpoint's token, relative to the project folder; only the tasks' user may read
    it. Default: no token."""
    master: str | None = None
    """The cluster: spark://host:7077, yarn or k8s://https://host:6443."""
    deploy_mode: Literal["client", "cluster"] | None = None
    """Where the driver runs: `client`: beside the task; `cluster`: on the cluster, which needs a standalone master.
    Default: what the connection says, else `client`."""
    executors: int | None = field(default=None, metadata={"ge": 1, "le": 10_000})
    """How many executors; a pipeline's `resources` win."""
    executor_cores: int | None = field(default=None, metadata={"ge": 1, "le": 1024})
    """Cores of each."""
    executor_memory: str | None = field(default=None, metadata={"pattern": _MEMORY})
    """Memory of each, such as 8g."""
    queue: str | None = None
    """Queue of YARN."""
    namespace: str | None = None
    """Namespace of Kubernetes."""
    image: str | None = None
    """Image of Kubernetes' pods, or of a batch of `dataproc`."""
    python: str | None = None
    """The Python of the cluster's machines, such as /usr/bin/python3.11. Default: that of the task; for a driver on
    the cluster, its machine's own."""
    rest_port: int | None = field(default=None, metadata={"ge": 1, "le": 65535})
    """Port of a standalone master's REST server, by which drivers are sent. Default: the connection's, else 6066."""
    jobs: str | None = None
    """Folder that the tasks and the cluster's machines see alike, for drivers on the cluster. Default: `_jobs` in
    staging."""
    cores: int = field(default=2, metadata={"ge": 1, "le": 1024})
    """Threads of a local Spark."""
    memory: str = field(default="2g", metadata={"pattern": _MEMORY})
    """Memory of the driver, such as 2g or 512m."""
    jars: str = "jars"
    """Folder with the jars, relative to the project folder."""
    small: bool = False
    """Tune Spark for windows of up to some 100,000 rows; a pipeline's `resources.size` wins: `tiny` asks for it."""
    archive: str | None = None
    """Class data sharing archive that shortens the start, relative to the project folder."""
    conf: dict[str, str | int | float | bool] = field(default_factory=dict)
    """More Spark settings."""
    retention: timedelta = timedelta(days=1)
    """How long staged files of a run that succeeded are kept, so that a cleared load finds them."""
    application: str | None = None
    """`emr_serverless`: id of the application."""
    role: str | None = None
    """`emr_serverless`: ARN of the role that jobs run as."""
    cluster: str | None = None
    """`emr`, `databricks`: id of the cluster, such as j-2AXXXXXXGAPLF or 1234-567890-abcde123; `dataproc`: its name.
    `databricks`: in place of a new one for each job; `dataproc`: in place of batches without a cluster."""
    bucket: str | None = None
    """Of a service: folder on S3, such as s3://company-etl/jobs, for code, plans, reports and logs; `dataproc`: in
    Cloud Storage, such as gs://company-etl/jobs."""
    region: str | None = None
    """Of a service: AWS region. Default: the connection's, or what AWS's chain finds. `dataproc`: region of Google,
    such as europe-west3."""
    poll: timedelta = timedelta(seconds=15)
    """Of a service: between two looks at a job."""
    bucket_connection: str | None = None
    """`kubernetes`: Airflow connection of type aws, for `bucket`. Default: AWS's chain (variables, profiles, roles)."""
    service_account: str | None = None
    """`kubernetes`: service account of the pods. Default: the namespace's. `dataproc`: that batches run as. Default:
    the project's for Compute Engine."""
    node_selector: dict[str, str] = field(default_factory=dict)
    """`kubernetes`: labels of the nodes that pods run on."""
    tolerations: list[TolerationFile] = field(default_factory=list)
    """`kubernetes`: taints of nodes that pods don't mind."""
    script: str | None = None
    """`kubernetes`: where the image holds `spark_jobs` itself: URI of its script, such as
    local:///opt/etl/serviced.py. Default: the code is sent to `bucket`."""
    spot: bool = False
    """Whether executors run on machines of the spot market, and the driver doesn't: `kubernetes`, `spark_submit` whose
    `master` is YARN or Kubernetes, and a new cluster of `databricks` (others where there are none)."""
    spot_nodes: str | dict[str, str] | None = None
    """What marks machines of the spot market: their labels on Kubernetes, a node label on YARN."""
    spot_tolerations: list[TolerationFile] = field(default_factory=list)
    """`kubernetes`: taints of spot nodes, which executors don't mind."""
    volume: str | None = None
    """`databricks`: folder of a volume of Unity Catalog, such as /Volumes/main/etl/jobs, for code, plans, reports."""
    runtime: str | None = None
    """`databricks`: runtime of a new cluster, such as 18.0.x-scala2.13; `dataproc`: of batches, in quotes, such as
    "3.0"."""
    node_type: str | None = None
    """`databricks`: type of a new cluster's machines, such as i3.xlarge; `executors` says how many workers."""
    driver_node_type: str | None = None
    """`databricks`: type of the driver's machine. Default: `node_type`."""
    libraries: list[str] = field(default_factory=list)
    """`databricks`: what is installed beside: paths of jars and wheels, Maven coordinates, or what pip takes."""
    scope: str | None = None
    """`databricks`: scope for the secrets of jobs, which is made where it isn't there. Default: airflow-etl."""
    project: str | None = None
    """`dataproc`: project of Google. Default: the connection's, or its key's."""
    subnetwork: str | None = None
    """`dataproc`: subnetwork of batches, by its name or URI. Default: that of the network `default`."""
    spark: str = field(default="4.1", metadata={"pattern": r"^[1-9][0-9]*\.[0-9]+(\.[0-9]+)?$"})
    """Version of Spark that runs there, in quotes, such as "4.1": `lint` tells of what it has no jars for. A local
    engine has the one that is installed."""
    packages: Literal["folder", "resolve"] = "folder"
    """Where jars come from. `folder`: those of `jars`; no network is asked. `resolve`: Spark fetches what the pipeline
    uses by Maven coordinates at each start, and keeps it."""


@dataclass(frozen=True, kw_only=True)
class StoreFile:
    """How a bucket of S3, or of a store that speaks its protocol, is reached."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    connection: str | None = None
    """Airflow connection of type aws: the key's id is its login. Default: AWS's chain (variables, profiles, roles)."""
    endpoint: str | None = None
    """Address of the service, such as https://minio.example.com:9000. Default: the connection's `endpoint_url`, AWS."""
    region: str | None = None
    """The bucket's region. Default: the connection's `region_name`, or what AWS's chain finds."""
    path_style: bool = False
    """Whether the bucket stands in the address's path, as most services beside AWS want it."""


@dataclass(frozen=True, kw_only=True)
class CatalogFile:
    """A catalog of Iceberg tables."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    type: Literal["hadoop", "jdbc", "rest"]
    """`hadoop`: a folder on a local disk or HDFS; `jdbc`: a table of a database; `rest`: a server."""
    warehouse: str = ""
    """Folder or URI under which the tables lie, relative to the project folder; of a REST catalog its name there."""
    connection: str | None = None
    """Airflow connection of the database or the server; a server's token is `token` in its extra."""


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
    stores: dict[str, StoreFile] = field(default_factory=dict)
    """`s3a://bucket` -> {connection, endpoint, ..}: how a bucket is reached; others by AWS's own chain."""
    catalogs: dict[str, CatalogFile] = field(default_factory=dict)
    """Name -> catalog of Iceberg tables."""
    breakers: dict[str, Breaker] = field(default_factory=dict)
    """Airflow connection id -> {failures, within, cool_down, when_open}: when sources leave it alone for a while, since
    it doesn't answer; what a source says itself wins as a whole."""
    defaults: Node | None = None
    """Values for any key of a pipeline file that the file doesn't give. `max_active_windows` gives way where the
    file lets one window run at a time, `lookback` where none of its sources has a use for it."""
