"""The entry: an order (JSON) in, the results (JSON) out; exit codes as those of `spark_jobs.run`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from spark_jobs.errors import ConfigError
from spark_jobs.rehearsal.order import REHEARSAL_VERSION, SCRATCH
from spark_jobs.rehearsal.scene import Scene
from spark_jobs.run import hold_lifeline, write_report
from spark_jobs.session import Shared


def main(arguments: list[str] | None = None) -> int:
    """Play the scenes of an order, one after the other in one Spark; a failed one doesn't end the others."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs.rehearsal", description=__doc__)
    parser.add_argument("--plan", required=True, help="a file with the order, JSON")
    parser.add_argument("--report", required=True, help="where the results go, JSON")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input ends: the owner is gone")
    options = parser.parse_args(arguments)
    if options.lifeline:
        hold_lifeline()
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-")).resolve()
    try:
        scenes = read(options.plan, folder)
    except (ConfigError, OSError, ValueError, TypeError) as error:
        print(f"[etl] error: {error}", flush=True)  # noqa: T201 - the owner reads it
        return 2
    shared = Shared()
    results = []
    for place, scene in enumerate(scenes, start=1):
        results.append(scene.play(shared))
        print(f"[test] {place} of {len(scenes)}: {results[-1]['seconds']:.1f} s", flush=True)  # noqa: T201
    write_report(options.report, json.loads(json.dumps(results).replace(str(folder), SCRATCH)))
    if options.lifeline:
        # Whoever holds the lifeline ends our JVM: it needs no second to tidy what goes with its folder.
        sys.stdout.flush()
        os._exit(0)
    shared.stop()
    return 0


def read(path: str, folder: Path) -> list[Scene]:
    """The scenes of an order.

    Args:
        path: a local file.
        folder: the scratch folder that SCRATCH stands for in it.

    Raises:
        ConfigError: an order of another version.
    """
    order: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8").replace(SCRATCH, str(folder)))
    if order.get("rehearsal_version") != REHEARSAL_VERSION:
        raise ConfigError(
            f"rehearsal version {order.get('rehearsal_version')!r}",
            where="order",
            expected=f"version {REHEARSAL_VERSION}",
        )
    return [Scene(**{**scene, "folder": Path(scene["folder"])}) for scene in order["scenes"]]


if __name__ == "__main__":
    sys.exit(main())
