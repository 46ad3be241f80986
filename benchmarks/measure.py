"""One measurement in a process of its own: `python -m benchmarks.measure FILE [DAG_ID | -]` prints JSON.

Without a DAG's id it is the parse of a dag-processor and what it stores, with `-` the parse alone, and with a DAG's id
the start of one of its tasks. Airflow is warm, as it is in the processes that the dag-processor and the executor fork:
it has read another DAG, and what it has allocated is out of the garbage collector's sight (both call `gc.freeze()`). Of
our modules none is imported.
"""

from __future__ import annotations

import gc
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
    asked = sys.argv[2] if len(sys.argv) > 2 else None
    if asked and asked != "-":
        os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = asked
    gc.collect()
    gc.freeze()
    bag, parse = timed(lambda: bag_of(file))
    if bag.import_errors or not bag.dags:
        sys.exit(str(bag.import_errors or f"{file} made no DAG"))
    if asked == "-":
        print(json.dumps({"parse": parse}))
        return
    if asked:
        print(json.dumps({"parse": parse, **started(bag.dags[asked], lambda: bag_of(file))}))
        return
    stored, serialise = timed(lambda: {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()})
    print(json.dumps({"parse": parse, "serialise": serialise, **size_of(stored, file.name)}))


def started(dag: Any, again: Callable[[], Any]) -> dict[str, Any]:
    """What follows the parse: the task's operator reads its pipeline; and what a parse takes without any import."""
    _, read = timed(lambda: dag.get_task("extract").read())
    _, warm = timed(again)
    return {"read": read, "warm": warm}


def size_of(stored: dict[str, Any], file: str) -> dict[str, Any]:
    """How much is stored, and a digest by which two files' DAGs are told apart; the files' names don't count."""
    texts = {name: json.dumps(data, sort_keys=True).replace(file, "FILE") for name, data in sorted(stored.items())}
    return {
        "bytes": sum(map(len, texts.values())),
        "dags": len(texts),
        "tasks": sum(len(data["dag"]["tasks"]) for data in stored.values()),
        "digest": hashlib.sha256("".join(texts.values()).encode()).hexdigest(),
    }


def timed(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """The result, and the seconds on the clock and of this process's CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    main()
