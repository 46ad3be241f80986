"""Given a job of a service, when whoever submitted it cancels it, then its driver ends, whatever the service does.

No Spark: a driver of Python alone, and its folder on this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from airflow_provider_etl.engines.parcel import packed, script
from spark_jobs import serviced
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.vaults import handed

_DRIVER = """
import sys, time
from pathlib import Path
from spark_jobs import serviced

class Storage:
    looks = 0
    def exists(self, path):
        self.looks += 1
        if self.looks == 1:
            raise OSError("the storage is away for a moment")
        return Path(path).exists()

serviced._LOOK = 0.05
serviced.threading.Thread(target=serviced._heed, args=(Storage(), sys.argv[1]), daemon=True).start()
print("works", flush=True)
time.sleep(30)
"""


def test_a_cancelled_job_ends_itself(tmp_path: Path) -> None:
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "works\n"
        time.sleep(0.5)
        assert driver.poll() is None
        (tmp_path / serviced.CANCELLED).touch()
        assert driver.wait(10) == 3
        assert driver.stdout.read() == "[etl] error: the job was cancelled\n"


@pytest.mark.parametrize(
    ("code", "kind"), [("AccessDeniedException", "config"), ("ThrottlingException", "infrastructure")]
)
def test_a_secret_that_cant_be_read_says_whether_a_retry_helps(
    monkeypatch: pytest.MonkeyPatch, code: str, kind: str
) -> None:
    import boto3
    from botocore.exceptions import ClientError

    from spark_jobs.errors import EtlError

    def client(*_: object, **__: object) -> object:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")

    monkeypatch.setattr(boto3, "client", client)
    with pytest.raises(EtlError, match=code) as raised:
        handed("etl/x", "aws", "eu-central-1")
    assert raised.value.kind == kind


def test_the_script_for_a_spark_that_takes_no_packages_finds_them_by_itself(tmp_path: Path) -> None:
    (tmp_path / "packages.zip").write_bytes(packed())
    (tmp_path / "etl.py").write_bytes(script("serviced", alone=True))
    given = ["--packages", str(tmp_path / "packages.zip"), "--help"]
    told = subprocess.run(
        [sys.executable, "-I", tmp_path / "etl.py", *given], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "--vault {aws,databricks,gcp,file}" in told.stdout


def test_a_folder_that_is_mounted_is_read_and_written_as_files(tmp_path: Path) -> None:
    storage, place = serviced.Mounted(), str(tmp_path / "report.json")
    assert not storage.exists(place)
    storage.write(place, '{"state": "ä"}')
    assert storage.read(place) == '{"state": "ä"}'


def test_a_secret_of_a_scope_is_read_by_the_runtimes_own_means(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime's module is none that anybody else has: a stand-in for it, and for its answers."""

    class Secrets:
        def get(self, scope: str, key: str) -> str:
            if scope != "airflow-etl":
                raise RuntimeError("PERMISSION_DENIED: no READ\nat com.databricks…")
            return json.dumps([{"id": "crm", "kind": "postgres", "password": key}])

    module = types.ModuleType("pyspark.dbutils")
    module.DBUtils = lambda _: types.SimpleNamespace(secrets=Secrets())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyspark.dbutils", module)
    session = types.SimpleNamespace(builder=types.SimpleNamespace(getOrCreate=lambda: None))
    monkeypatch.setattr("pyspark.sql.SparkSession", session)
    assert handed("airflow-etl/x", "databricks")["crm"].password == "x"
    with pytest.raises(ConfigError, match="PERMISSION_DENIED: no READ; may"):
        handed("other/x", "databricks")


def test_a_mounted_secret_is_read_and_one_that_was_taken_away_is_worth_a_retry(tmp_path: Path) -> None:
    mounted = tmp_path / "connections.json"
    mounted.write_text(json.dumps(Connections(Connection(id="crm", kind="postgres", password="s")).to_json()))
    assert handed(str(mounted), "file")["crm"].password == "s"
    mounted.unlink()
    with pytest.raises(InfrastructureError, match="No such file"):
        handed(str(mounted), "file")
