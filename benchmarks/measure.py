"""One measurement in a process of its own: `python -m benchmarks.measure FILE [DAG_ID [FILE]]` prints JSON.

With a DAG's id it is the start of one of its tasks; with another pipeline file, the modules that the task itself needs
to read its own are there already, as they must be a moment later.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    """Read a DAG file as the dag-processor does, or as a task's start does where a DAG is named."""
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.serialization.serialized_objects import DagSerialization

    file = Path(sys.argv[1])

    def bag_of(path: Path) -> Any:
        return BundleDagBag(dag_folder=str(path), bundle_path=path.parent, bundle_name="dags-folder")

    DagSerialization.to_dict(bag_of(file.with_name("warm_up.py")).dags["warm_up"])
    if len(sys.argv) > 2:
        os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = sys.argv[2]
        import airflow_provider_etl.operators.load  # the task's operator is needed by then, whatever wrote the DAG

        del airflow_provider_etl
    if len(sys.argv) > 3:
        from airflow_provider_etl.spec import load_file

        load_file(sys.argv[3])
    bag, parse = timed(lambda: bag_of(file))
    if bag.import_errors:
        sys.exit(str(bag.import_errors))
    stored, serialise = timed(lambda: {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()})
    texts = {name: json.dumps(data, sort_keys=True) for name, data in sorted(stored.items())}
    print(
        json.dumps(
            {
                "parse": parse,
                "serialise": serialise,
                "bytes": sum(map(len, texts.values())),
                "dags": len(texts),
                "tasks": sum(len(dag.tasks) for dag in bag.dags.values()),
                "digest": hashlib.sha256("".join(texts.values()).encode()).hexdigest(),
            }
        )
    )


def timed(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """The result, and the seconds on the clock and of this process's CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    main()
