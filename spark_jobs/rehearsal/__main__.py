"""The entry: an order (JSON) in, the results (JSON) out; exit codes as those of `spark_jobs.run`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from spark_jobs.connections import received
from spark_jobs.errors import ConfigError
from spark_jobs.rehearsal.order import REHEARSAL_VERSION, SCRATCH
from spark_jobs.rehearsal.scene import Scene
from spark_jobs.run import arguments_of, hold_lifeline, leave, write_report
from spark_jobs.session import Shared


def main(arguments: list[str] | None = None) -> int:
    """Play the scenes of an order, one after the other in one Spark; a failed one doesn't end the others."""
    options = arguments_of("python -m spark_jobs.rehearsal", __doc__).parse_args(arguments)
    if options.lifeline:
        hold_lifeline()
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-")).resolve()
    try:
        scenes, connections = read(options.plan, folder), received()
    except (ConfigError, OSError, ValueError, TypeError) as error:
        print(f"[etl] error: {error}", flush=True)  # noqa: T201 - the owner reads it
        return 2
    shared = Shared()
    results = []
    for place, scene in enumerate(scenes, start=1):
        results.append(connections.hiding.json(scene.play(shared, connections)))
        print(f"[test] {place} of {len(scenes)}: {results[-1]['seconds']:.1f} s", flush=True)  # noqa: T201
    write_report(options.report, json.loads(json.dumps(results).replace(str(folder), SCRATCH)))
    if options.lifeline:
        leave(0)
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
