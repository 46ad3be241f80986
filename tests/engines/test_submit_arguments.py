"""What Spark's client is told for each kind of cluster, as recorded; YARN and Kubernetes don't run here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.engines.arguments import arguments, name_of, settings, spark_home, write_properties
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.cluster import ClusterEngine
from airflow_provider_etl.engines.parcel import Parcel
from airflow_provider_etl.engines.shared import (
    disarm,
    is_cancelled,
    laid_out,
    note_cancelled,
    place,
    root,
    sweep,
    withhold,
)
from airflow_provider_etl.engines.spark_submit import ClientEngine, SparkSubmitEngine, require_master
from airflow_provider_etl.engines.target import Target, target_of
from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.remote import claim, main, own_name
from tests.airflow.project import ROOT

PARCEL = Parcel(packages=Path("/p/spark_jobs-1.zip"), entry=Path("/p/etl-1.py"))
ENGINE: dict[str, Any] = {"master": "", "memory": "3g", "jars": str(ROOT / "jars"), "submit": {"master": "yarn"}}


@pytest.mark.parametrize(
    ("target", "conf", "expected"),
    [
        (
            Target(master="yarn", queue="etl"),
            {"spark.executor.instances": "4"},
            {"spark.yarn.queue": "etl", "spark.executor.instances": "4"},
        ),
        (
            Target(master="k8s://https://k8s:6443", namespace="data", image="etl:1", python="/usr/bin/python3"),
            {},
            {
                "spark.kubernetes.namespace": "data",
                "spark.kubernetes.container.image": "etl:1",
                "spark.pyspark.python": "/usr/bin/python3",
            },
        ),
        (
            Target(master="spark://a:7077,b:7077"),
            {"spark.executor.instances": "3", "spark.executor.cores": "2"},
            {"spark.cores.max": "6"},
        ),
        (
            Target(master="spark://127.0.0.1:7077"),
            {"spark.executor.instances": "3", "spark.cores.max": "1"},
            {"spark.cores.max": "1", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"},
        ),
    ],
)
def test_what_each_cluster_is_told(target: Target, conf: dict[str, str], expected: dict[str, str]) -> None:
    found = settings(ENGINE | {"conf": conf}, target, "/scratch")
    placed = {key: found[key] for key in expected}
    assert placed == expected
    assert ("spark.driver.host" in found) == ("spark.driver.host" in expected), "a port for others, where they need it"
    assert found["spark.driver.memory"] == "3g"
    assert found["spark.driver.extraJavaOptions"].endswith("-Djava.io.tmpdir=/scratch -Duser.timezone=UTC")
    told = arguments(
        target, "flights etl-1", Path("/f/spark.conf"), PARCEL, {"spark.driver.extraClassPath": "/j/a.jar"}
    )
    assert told == [
        *("--master", target.master, "--deploy-mode", "client", "--name", "flights etl-1"),
        *("--properties-file", "/f/spark.conf", "--load-spark-defaults"),
        *("--py-files", "/p/spark_jobs-1.zip", "--jars", "/j/a.jar", "/p/etl-1.py"),
    ]


def test_a_standalone_master_leaves_room_for_executors_that_come_later() -> None:
    conf = {
        "spark.executor.instances": "2",
        "spark.executor.cores": "4",
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.maxExecutors": "9",
    }
    found = settings(ENGINE | {"conf": conf}, Target(master="spark://a:7077"), "/scratch")
    assert found["spark.cores.max"] == "36"


def test_jars_that_spark_fetches_are_named_to_its_client_and_none_lie_in_a_folder() -> None:
    engine = ENGINE | {"jars": "nowhere", "packages": ["io.delta:delta-spark_4.1_2.13:4.4.0"]}
    found = settings(engine, Target(master="yarn"), "/scratch")
    assert found["spark.jars.packages"] == "io.delta:delta-spark_4.1_2.13:4.4.0"
    assert "--jars" not in arguments(Target(master="yarn"), "n", Path("/f"), PARCEL, found)


def test_jars_of_the_users_own_travel_too() -> None:
    conf = {"spark.driver.extraClassPath": "/j/a.jar:/j/b.jar", "spark.jars": "/x.jar,/j/a.jar"}
    told = arguments(Target(master="yarn"), "n", Path("/f"), PARCEL, conf)
    assert told[told.index("--jars") + 1] == "/j/a.jar,/j/b.jar,/x.jar"


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        ({"kind": "spark", "host": "spark://h", "port": 7077}, Target(master="spark://h:7077")),
        ({"kind": "spark", "host": "h", "port": 7077}, Target(master="spark://h:7077")),
        ({"kind": "spark", "host": "spark://h:7077"}, Target(master="spark://h:7077")),
        ({"kind": "spark", "host": "yarn", "extra": {"queue": "q"}}, Target(master="yarn", queue="q")),
        (
            {"kind": "spark", "host": "k8s://https://h", "port": 6443, "extra": {"namespace": "n"}},
            Target(master="k8s://https://h:6443", namespace="n"),
        ),
        (
            {"kind": "spark", "host": "h", "port": 1, "extra": {"deploy-mode": "cluster", "rest-port": "6067"}},
            Target(master="spark://h:1", deploy_mode="cluster", rest_port=6067),
        ),
    ],
)
def test_a_connection_is_read_as_airflows_own_provider_reads_it(connection: Any, expected: Target) -> None:
    """SparkSubmitHook of apache-airflow-providers-apache-spark 6.3.4, `_resolve_connection`."""
    found = target_of({"connection": "c", "jobs": "/jobs"}, Connection(id="c", **connection))
    assert found == Target(**{**vars(expected), "jobs": "/jobs"})


def test_beside_the_task_the_driver_takes_its_python_whatever_executors_have(tmp_path: Path) -> None:
    """Spark's launcher asks `spark.pyspark.driver.python`, `spark.pyspark.python`, and only then the variables."""
    engine = ClientEngine(Target(master="yarn", python="/usr/bin/python3"))
    engine._prepared(Job(token="t", plan={"spark": ENGINE}), tmp_path, {})
    told = (tmp_path / "spark.conf").read_text().splitlines()
    assert f"spark.pyspark.driver.python={sys.executable}" in told
    assert "spark.pyspark.python=/usr/bin/python3" in told


def test_cores_that_are_no_number_are_left_to_spark(tmp_path: Path) -> None:
    conf = {"spark.executor.instances": "3", "spark.executor.cores": "2.5"}
    assert "spark.cores.max" not in settings(ENGINE | {"conf": conf}, Target(master="spark://a:7077"))


def test_what_the_file_says_wins_over_the_connection() -> None:
    connection = Connection(id="c", kind="spark", host="yarn", extra={"queue": "q", "deploy-mode": "cluster"})
    assert target_of({"queue": "mine", "deploy_mode": "client"}, connection) == Target(master="yarn", queue="mine")


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        ({"kind": "spark", "host": "spark_1", "port": 7077}, "master 'spark://spark_1:7077' is none"),
        ({"kind": "spark", "host": "local"}, r"connection 'c': master 'local' is none that jobs are submitted to"),
        (
            {"kind": "spark", "host": "yarn", "extra": {"deploy-mode": "cluster"}},
            "a driver is sent to standalone masters",
        ),
        (
            {"kind": "spark", "host": "h", "port": 1, "extra": {"deploy-mode": "cluster"}},
            "staging is a URI, and a driver on the cluster takes its job from a folder; name a folder",
        ),
        (
            {"kind": "spark", "host": "yarn", "extra": {"deploy-mode": "x"}},
            "deploy mode 'x'; expected client or cluster",
        ),
        (
            {"kind": "spark", "host": "h", "port": 1, "extra": {"rest-port": "no"}},
            "rest-port is no port; expected such as",
        ),
    ],
)
def test_a_connection_that_names_no_cluster(connection: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        target_of({"jobs": None}, Connection(id="c", **connection))


def test_settings_are_read_back_as_they_were(tmp_path: Path) -> None:
    """By java.util.Properties itself, of the Java that runs Spark."""
    conf = {"spark.a": r"C:\x = y # z: é", "spark.b c": "line\nbreak", "spark.hadoop.k:l": '"q" -Dx=y'}
    write_properties(tmp_path / "spark.conf", conf)
    assert (tmp_path / "spark.conf").stat().st_mode & 0o777 == 0o600
    (tmp_path / "R.java").write_text(
        "import java.nio.file.*; public class R { public static void main(String[] a) throws Exception "
        "{ var p = new java.util.Properties(); p.load(Files.newBufferedReader(Path.of(a[0]))); "
        'for (var k : p.stringPropertyNames()) System.out.print(k + "\\0" + p.getProperty(k) + "\\1"); } }'
    )
    java = [
        "java",
        "-Dfile.encoding=UTF-8",
        "-Dstdout.encoding=UTF-8",
        str(tmp_path / "R.java"),
        str(tmp_path / "spark.conf"),
    ]
    done = subprocess.run(java, capture_output=True, text=True, check=False, timeout=60)
    if "jdk.compiler" in done.stderr:
        pytest.skip("this Java is a runtime with no compiler")
    assert dict(item.split("\0") for item in done.stdout.split("\1")[:-1]) == conf


def test_a_token_is_part_of_the_name() -> None:
    assert name_of({"pipeline": "flights"}, "f" * 64) == "flights etl-ffffffffffffffff"
    assert name_of({"order": "maintain", "plans": [{"pipeline": "flights"}]}, "t") == "flights etl-t"


def test_the_users_own_spark_submits_where_there_is_one() -> None:
    assert spark_home({"SPARK_HOME": "/opt/spark"}) == "/opt/spark"
    assert Path(spark_home({}), "bin", "spark-submit").is_file()


def test_a_folder_of_jobs_is_private_and_each_job_has_one_driver(tmp_path: Path) -> None:
    jobs = str(root(str(tmp_path / "jobs")))
    assert Path(jobs).stat().st_mode & 0o777 == 0o700
    folder = place(jobs, "t")
    assert place(jobs, "a/../b").parent == Path(jobs)
    laid_out(folder, Job(token="t", plan={"x": 1}))
    with pytest.raises(InfrastructureError, match="another process submits this job"):
        laid_out(folder, Job(token="t", plan={"x": 2}))
    assert claim(folder, "driver-1")
    assert not claim(folder, "driver-2")
    assert main(["--folder", str(folder)]) == 4, "a second driver ends at once"
    laid_out(folder, Job(token="t", plan={"x": 2}))
    assert json.loads((folder / "plan.json").read_text()) == {"x": 2}
    assert withhold(folder, "driver-3")
    assert not withhold(folder, "driver-4")
    disarm(folder, "driver-3")
    assert not is_cancelled(folder)
    note_cancelled(folder)
    assert is_cancelled(folder)
    assert not claim(folder, "driver-4"), "a job that was cancelled isn't begun"
    sweep(jobs)
    assert folder.exists()
    Path(jobs).chmod(0o777)
    with pytest.raises(InfrastructureError, match="isn't ours alone"):
        root(jobs)
    with pytest.raises(InfrastructureError, match=r"plan\.json/jobs can't be made: Not a directory; name another"):
        root(str(folder / "plan.json" / "jobs"))


def test_half_a_folder_of_a_job_does_not_stay(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        laid_out(tmp_path / "t", Job(token="t", plan={"x": object()}))
    laid_out(tmp_path / "t", Job(token="t", plan={"x": 1}))


def test_a_worker_tells_a_driver_who_it_is() -> None:
    assert own_name("http://h:8081/logPage/?driverId=driver-20261123-0001&logType=stdout") == "driver-20261123-0001"
    assert own_name("") == ""


def test_a_handle_of_another_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no driver on a cluster"):
        SparkSubmitEngine().status(Handle(token="t", id="4711"))


@pytest.mark.parametrize("port", [9, 99_999])
def test_a_standalone_master_that_is_not_there_is_one_too(port: int) -> None:
    with pytest.raises(InfrastructureError, match="doesn't answer; start it, or mend the address"):
        require_master(Target(master=f"spark://127.0.0.1:{port}"))


def test_a_rest_server_that_is_not_there_is_one_retryable_error(tmp_path: Path) -> None:
    target = Target(master="spark://127.0.0.1:9", deploy_mode="cluster", rest_port=9, jobs=str(tmp_path / "jobs"))
    job = Job(token="t", plan={"pipeline": "p", "spark": ENGINE})
    with pytest.raises(
        InfrastructureError, match=r"REST server of the Spark master doesn't answer at port 9: .*; start"
    ):
        ClusterEngine(target).submit(job)
    assert not place(str(target.jobs), "t").exists()
