"""Where a breaker's state is kept: a Variable of Airflow, `etl_breaker_<connection>`, JSON.

All tasks of all DAGs share it, on every Airflow; the state stores of 3.3 belong to one task or one asset. Whoever
writes last wins. It is read in the moment before it is written, so two tasks that do so in the same moment lose all
but one of their changes: a failure, so that it opens one failure later for each; an opening, until the next failure
opens it again; a probe, so that as many are let through as asked in that moment. Each is safe: a task that is let
through is an ordinary run.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from airflow_provider_etl.breaker.machine import CLOSED, State
from airflow_provider_etl.compat import share, shared
from spark_jobs.window import iso

_BEGIN: Final = "etl_breaker_"
_ABOUT: Final = "Circuit breaker of a connection, kept by airflow-provider-etl; delete it to close it by hand."


def recall(connection: str) -> State:
    """What is remembered of a connection; closed where nothing is.

    Raises:
        ValueError: what is kept is no breaker's state.
    """
    text = shared(_BEGIN + connection)
    return _state(json.loads(text)) if text else CLOSED


def remember(connection: str, state: State) -> None:
    """Keep what is to be remembered of a connection."""
    share(_BEGIN + connection, json.dumps(_json(state)), _ABOUT)


def _json(state: State) -> dict[str, Any]:
    return {
        "failures": [iso(moment) for moment in state.failures],
        "opened": iso(state.opened) if state.opened else None,
        "probe": state.probe,
        "probed": iso(state.probed) if state.probed else None,
        "probes": list(state.probes),
    }


def _state(value: Any) -> State:
    try:
        moments = {key: value[key] and datetime.fromisoformat(value[key]) for key in ("opened", "probed")}
        failures = tuple(datetime.fromisoformat(moment) for moment in value["failures"])
        probes = tuple(map(str, value.get("probes") or ()))  # releases before this one kept none
        if any(moment and moment.tzinfo is None for moment in (*moments.values(), *failures)):
            raise ValueError(f"its times have no zone: {value!r:.80}")
        return State(failures=failures, probe=str(value["probe"]), probes=probes, **moments)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no breaker's state: {value!r:.80}") from error
