"""Given an S3 server that refuses, forgets its answers or lists askew, then windows are loaded once, none by half.

A real server behind a way on which requests meet trouble.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spark_jobs.connections import Connections
from spark_jobs.errors import InfrastructureError, ResourceError
from tests.airflow.project import ROOT, Project
from tests.faults.scene import PIPELINE, Scene, Tables, day, marked, rows_of, undisturbed
from tests.servers.s3 import BUCKET, Server
from tests.servers.troubled import Trouble, Troubled, troubled

pytestmark = [pytest.mark.prove, pytest.mark.spark]

ENVIRONMENT = f"""
variables: {{raw: s3a://lake/raw, lake: s3a://lake/lake, staging: s3a://lake/staging, quarantine: s3a://lake/aside}}
roots: ["s3a://lake"]
engines:
  local: {{kind: local, cores: 1, memory: 1g, small: true, jars: {ROOT / "jars"}, conf: CONF}}
stores: {{"s3a://lake": STORE}}
"""
CONF = {
    "spark.hadoop.fs.s3a.retry.limit": "4",
    "spark.hadoop.fs.s3a.retry.interval": "100ms",
    "spark.hadoop.fs.s3a.retry.throttle.interval": "10ms",
}
FACTS = re.sub(r"  keyed:\n(    .*\n)+", "", PIPELINE)
COMMIT = "_delta_log/0000000000000000000"


@dataclass(kw_only=True)
class Stored(Scene):
    """A project all of whose data is on S3.

    Args:
        server: the store.
        way: to it.
    """

    server: Server
    way: Troubled

    def tables(self) -> Tables:
        return {"facts": rows_of("s3a://lake/lake/facts", self.server.options())}


@pytest.fixture
def stored(s3: Server, tmp_path: Path) -> Iterator[Stored]:
    """A bucket with the drops of nine days, and a way to it without trouble yet."""
    client = s3.client()
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    for number in range(1, 10):
        client.put_object(Bucket=BUCKET, Key=f"raw/orders/2013-01-{number:02}.csv", Body=day(number).encode())
    with troubled(s3.port) as way:
        project = Project(tmp_path / "project")
        store = s3.settings() | {"endpoint": way.endpoint}
        text = ENVIRONMENT.replace("CONF", json.dumps(CONF)).replace("STORE", json.dumps(store))
        project.write("config/environments/local.yaml", text)
        project.pipeline("orders", FACTS)
        yield Stored(project=project, server=s3, way=way, connections=Connections(s3.connection()))


def only(*days: int) -> Tables:
    return {"facts": undisturbed(*days)["facts"]}


def test_f23_a_commit_that_took_effect_and_was_not_answered_is_found_to_be_its_own(stored: Stored) -> None:
    """Refused a few times first, then done without an answer: what is repeated finds what is there."""
    stored.way.troubles.extend(
        [
            Trouble(method="PUT", path="lake/facts/part-", what="refused", times=3),
            Trouble(method="PUT", path=f"{COMMIT}0.json", what="cut"),
            Trouble(method="PUT", path=f"{COMMIT}1.json", what="failed"),
        ]
    )
    report = stored.run(1, "token")
    assert report["state"] == "loaded", report
    assert [item.met for item in stored.way.troubles] == [3, 1, 1]
    assert stored.tables() == only(1)
    assert stored.loaded == {1}


def test_f23_a_store_that_refuses_for_long_is_told_and_tried_again(stored: Stored) -> None:
    stored.way.troubles.append(Trouble(method="PUT", path="lake/facts", what="refused", times=10_000))
    error = stored.run(1, "token")
    assert isinstance(error, InfrastructureError), error
    assert "s3a://lake" in str(error)
    assert stored.tables() == only()
    stored.way.troubles.clear()
    assert stored.run(1, "token")["state"] == "loaded"
    assert stored.tables() == only(1)


def test_f24_a_list_that_names_objects_twice_doubles_no_row(stored: Stored) -> None:
    """Of the drops nobody notices; of the table's log Delta refuses it, and the next try loads."""
    stored.project.pipeline("orders", FACTS.replace("${window.key}.csv", "${window.key}*.csv"))
    drops, log = (
        Trouble(method="GET", path=path, what="told", times=10_000, act=_twice) for path in ("=raw", "_log%2F")
    )
    stored.way.troubles.append(drops)
    report = stored.run(1)
    assert isinstance(report, dict), report
    assert (report["state"], drops.met > 0) == ("loaded", True)
    stored.way.troubles.append(log)
    error = stored.run(2, "token")
    assert isinstance(error, InfrastructureError), error
    assert "not contiguous" in str(error)
    assert stored.tables() == only(1)
    stored.way.troubles.remove(log)
    assert stored.run(2, "token")["state"] == "loaded"
    assert stored.tables() == only(1, 2)


def _twice(body: bytes) -> bytes:
    return re.sub(rb"(<Contents>.*?</Contents>)", rb"\1\1", body, flags=re.DOTALL)


def test_f25_an_upload_in_parts_that_nobody_ends_shows_nothing(stored: Stored) -> None:
    """The driver is killed between two parts of one file."""
    text = (stored.project.folder / "config/environments/local.yaml").read_text()
    parts = CONF | {"spark.hadoop.fs.s3a.multipart.size": "5M", "spark.sql.parquet.compression.codec": "uncompressed"}
    stored.project.write("config/environments/local.yaml", text.replace(json.dumps(CONF), json.dumps(parts)))
    long = FACTS.replace("  - filter", '  - derive: {filler: "repeat(cast(id as string), 3000000)"}\n  - filter')
    stored.project.pipeline("orders", long)

    def kill(body: bytes) -> bytes:
        for process in marked(stored.mark):
            process.kill()
        return body

    stored.way.troubles.append(Trouble(method="PUT", path="partNumber=2", what="told", act=kill))
    error = stored.run(1, "token")
    assert isinstance(error, (ResourceError, InfrastructureError)), error
    assert stored.way.troubles[0].met == 1
    assert stored.server.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads"), "it was under way"
    assert stored.tables() == only()
    assert not stored.left()
    assert stored.run(1, "token")["state"] == "loaded"
    assert [{key: row[key] for key in ("id", "at", "value")} for row in stored.tables()["facts"]] == only(1)["facts"]
