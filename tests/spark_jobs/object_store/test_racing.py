"""Two drivers append to one Delta table on S3 at the same time: every commit that was reported is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.engines.local import child_environment
from spark_jobs.connections import HANDED, Connections, hand_over
from tests.conftest import ROOT
from tests.servers.forgetful import forgetful
from tests.servers.s3 import Server
from tests.spark_jobs.object_store.racing import TABLE

pytestmark = pytest.mark.spark
COMMITS = 10
NAMES = ("east", "west")


def test_no_commit_of_two_drivers_is_lost_and_a_wrong_secret_is_told(s3: Server, tmp_path: Path) -> None:
    with forgetful(s3.port, "PUT", ".probe") as way:  # the answer to the first probe of one of them gets lost
        racing = [started(s3, name, tmp_path, s3.endpoint if name == "west" else way.endpoint) for name in NAMES]
        said = [process.communicate(timeout=150)[0] for process in racing]
        assert way.lost.is_set()
    assert [process.returncode for process in racing] == [0, 0], said
    for text in said:
        told = json.loads(text.splitlines()[0])
        assert (told["kind"], told["where"]) == ("config", "extract.race")
        assert told["message"].startswith(f"S3 refuses access to {TABLE}")
        assert s3.secret not in text
    table = opened(s3)
    rows = table.to_pyarrow_table().to_pylist()
    assert sorted((row["name"], row["number"]) for row in rows) == [
        (name, number) for name in NAMES for number in range(COMMITS)
    ]
    assert table.version() == len(rows) - 1
    assert {path.suffix for path in (s3.bucket / "race/_delta_log").glob(".*")} <= {".crc"}, "no probe is left"


def started(server: Server, name: str, folder: Path, endpoint: str) -> subprocess.Popen[str]:
    own = folder / name
    own.mkdir()
    hand_over(Connections(server.connection()), own / "connections.json")
    engine = {"master": "local[1]", "memory": "1g", "jars": str(ROOT / "jars"), "small": True}
    engine |= {"s3": {"s3a://lake": server.settings() | {"endpoint": endpoint}}}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.spark_jobs.object_store.racing", json.dumps(engine), name, str(COMMITS)],
        cwd=ROOT,
        env=child_environment(os.environ) | {HANDED: str(own / "connections.json"), "TMPDIR": str(own)},
        stdout=subprocess.PIPE,
        text=True,
    )


def opened(server: Server) -> Any:
    from deltalake import DeltaTable

    return DeltaTable(TABLE, storage_options=server.options())
