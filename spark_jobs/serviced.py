"""The entry of a job that outlives who submitted it: plan and report go through a folder that both sides see.

`serviced.py --folder URI [--secret NAME --vault STORE --region REGION]`, started by a service that has set Spark up
already. `--packages ZIP`: this package, where Spark was told of it by nobody.

Exit codes are those of run.py; 3: a file `cancelled` came into the folder. Where the plan or the secret can't be read,
the report says so: `{"refused": …, "kind": …}`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.run import parsed, perform, say
from spark_jobs.session import Shared, Storage
from spark_jobs.vaults import VAULTS, handed

if TYPE_CHECKING:
    from spark_jobs.orders import Order
    from spark_jobs.plan import Plan

REPORT: Final = "report.json"
CANCELLED: Final = "cancelled"
_WITHDRAWN: Final = 3  # exit code
_LOOK: Final = 15.0  # seconds between two looks


class Mounted:
    """As `Storage`, for a folder that this machine sees as one of its own, such as a volume of Unity Catalog.

    There Java reads none of it.
    """

    def exists(self, path: str) -> bool:
        """Whether there is a file."""
        return os.path.exists(path)

    def read(self, path: str) -> str:
        """A small text file."""
        return Path(path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a small text file: a volume knows no renaming that would make it whole at once."""
        Path(path).write_text(text, encoding="utf-8")


def arguments(folder: str, secret: str, *, vault: str, region: str = "") -> list[str]:
    """What the entry is called with; no secret is among it.

    Args:
        folder: URI or path of the job's folder.
        secret: name of the secret with its connections; empty for none.
        vault: the store that has it (`vaults.VAULTS`).
        region: where that is.
    """
    where = ["--region", region] if region else []
    return ["--folder", folder, *(["--secret", secret, "--vault", vault, *where] if secret else [])]


def main(given: list[str] | None = None) -> int:
    """Run the plan of a folder, and leave the report beside it."""
    parser = argparse.ArgumentParser(prog="spark_jobs.serviced", description="Runs the plan of a folder.")
    parser.add_argument("--folder", required=True, help="URI of the folder with plan.json, where report.json goes")
    parser.add_argument("--secret", default="", help="name of the secret with the connections")
    parser.add_argument("--vault", default=VAULTS[0], choices=VAULTS, help="the store of secrets")
    parser.add_argument("--packages", default="", help="zip of this package, for the executors")
    parser.add_argument("--region", default="", help="region of the secret")
    options = parser.parse_args(given)
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    if options.packages:
        spark.sparkContext.addPyFile(options.packages)
    storage = Mounted() if options.folder.startswith("/") else Storage(spark, options.folder)
    if storage.exists(f"{options.folder}/{CANCELLED}"):
        return _WITHDRAWN
    threading.Thread(target=_heed, args=(storage, options.folder), daemon=True, name="heed").start()
    report: Any
    try:
        work, known = _work(storage, options.folder), handed(options.secret, options.vault, options.region)
    except (ConfigError, InfrastructureError, ValueError) as error:
        say(f"error: {error}")
        report, code = {"refused": str(error), "kind": getattr(error, "kind", ConfigError.kind)}, 2
    else:
        report = perform(work, Shared(), known)
        code = 1 if (report[-1] if isinstance(report, list) else report)["state"] == "failed" else 0
    storage.write(f"{options.folder}/{REPORT}", json.dumps(report, indent=2, allow_nan=False))
    return code


def _heed(storage: Storage | Mounted, folder: str) -> None:
    """End this process when its job is cancelled: what a service has ended may be its submitter alone."""
    while True:
        time.sleep(_LOOK)
        with suppress(Exception):  # the next look counts
            if storage.exists(f"{folder}/{CANCELLED}"):
                say("error: the job was cancelled")
                sys.stdout.flush()
                os._exit(_WITHDRAWN)


def _work(storage: Storage | Mounted, folder: str) -> Plan | list[Plan] | Order:
    return parsed(json.loads(storage.read(f"{folder}/plan.json")))
