"""One spark-submit for each step of each window: `python -m benchmarks.windows.submits DATA OUT COUNT`.

The command is that of the community's hook (SparkSubmitHook) for a local master: what its operator runs in each task.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks.harness.model import JARS
from benchmarks.harness.running import tell
from benchmarks.windows.project import FIRST

STEPS: Final = ("extract", "transform", "load")
CONF: Final = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
}


def main(data: str, out: str, count: str) -> None:
    """Run the windows, one after the other, step by step."""
    begun = time.monotonic()
    jars = ",".join(str(jar) for jar in sorted(JARS.glob("io.delta*.jar")))
    conf = [item for key, value in CONF.items() for item in ("--conf", f"{key}={value}")]
    submit = [str(Path(sys.executable).with_name("spark-submit")), "--master", "local[2]", "--driver-memory", "1g"]
    script = str(Path(__file__).with_name("by_hand.py"))
    for number in range(int(count)):
        for step in STEPS:
            day = str(FIRST + timedelta(days=number))
            subprocess.run([*submit, "--jars", jars, *conf, script, step, day, data, out], check=True)
    work = sum(map(json.loads, Path(out, "work.jsonl").read_text().splitlines())) / int(count)
    tell(work=work, start_up=(time.monotonic() - begun) / int(count) - work)


if __name__ == "__main__":
    main(*sys.argv[1:])
