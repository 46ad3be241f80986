"""What was read of a file -> its Pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from airflow_provider_etl.spec import rules
from airflow_provider_etl.spec.engines import Engine
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import PipelineFile, Pool
from airflow_provider_etl.spec.params import params_of, values_of
from airflow_provider_etl.spec.pipeline import Pipeline
from airflow_provider_etl.spec.schedule import Schedule
from airflow_provider_etl.spec.settings import timeouts_of
from airflow_provider_etl.spec.verbs import Verbs, datasets_of
from airflow_provider_etl.spec.waiting import Wait


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What the keys beside the verbs stand for."""

    environment: Environment
    engine: Engine
    schedule: Schedule
    start: datetime | None
    end: datetime | None
    wait_for: tuple[Wait, ...]


def made(name: str, file: Path | None, read: PipelineFile, verbs: Verbs, settled: Settled) -> Pipeline:
    """The pipeline of a file that has been read whole.

    Args:
        name: the DAG's id.
        file: its path; None for a mapping.
        read: its keys.
        verbs: its verbs.
        settled: what the keys beside the verbs stand for.
    """
    params = params_of(read.params)
    return Pipeline(
        name=name,
        id=read.id or name,
        path=file,
        description=read.description,
        doc=read.doc or read.description,
        owner=read.owner,
        owner_links=FrozenMap(read.owner_links),
        tags=read.tags,
        schedule=settled.schedule,
        wait_for=settled.wait_for,
        start=settled.start,
        end=settled.end,
        lookback=read.lookback,
        timezone=read.timezone,
        catchup=read.catchup,
        max_active_windows=1 if read.depends_on_previous or read.lookback else read.max_active_windows,
        retries=read.retries,
        depends_on_previous=read.depends_on_previous,
        pool=Pool(name=read.pool) if isinstance(read.pool, str) else read.pool,
        priority=read.priority,
        params=FrozenMap(params),
        values=FrozenMap(values_of(params, {})),
        timeout=timeouts_of(read),
        freshness=read.freshness,
        quarantine=read.quarantine,
        results=read.results,
        data_docs=read.data_docs,
        skip_if=read.skip_if,
        notify=read.notify,
        execution=read.execution,
        deterministic=read.deterministic,
        resources=read.resources,
        engine=settled.engine,
        environment=settled.environment,
        extract=FrozenMap({name: placed.kind for name, placed in verbs.extract.items()}),
        transform=FrozenMap(datasets_of(verbs)),
        check=FrozenMap(
            {name: tuple((placed.name, placed.kind) for placed in checks) for name, checks in verbs.check.items()}
        ),
        notes=FrozenMap(
            {
                name: FrozenMap({str(place): item.meta for place, item in enumerate(checks) if item.meta})
                for name, checks in verbs.check.items()
                if any(item.meta for item in checks)
            }
        ),
        complete=FrozenMap({name: FrozenMap(found) for name, found in verbs.complete.items()}),
        load=FrozenMap(
            {name: (rules.target_of(name, verbs) or "", placed.kind) for name, placed in verbs.load.items()}
        ),
    )
