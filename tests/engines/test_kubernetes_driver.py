"""Given what an engine hands to Kubernetes, when a driver is started with it, then the window is loaded and reported.

No operator runs here: Spark's own client starts the script, with the settings and arguments of the resource, on this
machine, and the bucket's folder lies on its disk.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.engines.arguments import spark_home, write_properties
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.kubernetes import KubernetesEngine
from airflow_provider_etl.spec import load_file
from spark_jobs.connections import Connection, Connections
from spark_jobs.plan import Attempt
from tests.airflow.project import ROOT, Project
from tests.servers.aws import aws_server
from tests.servers.guarded import PASSWORD
from tests.servers.kubernetes import NAMESPACE, kubernetes_server

KNOWN = Connections(Connection(id="crm", kind="postgres", password=PASSWORD))


def driven(folder: Path, spec: dict[str, Any], name: str, secret: dict[str, Any], fetch: Any) -> str:
    """What a driver says that has the resource's code, settings, arguments and secret."""
    job = folder / name
    job.mkdir()
    (job / "plan.json").write_bytes(fetch(f"_jobs/{name}/plan.json"))
    code = {uri: folder / Path(uri).name for uri in (spec["mainApplicationFile"], *spec["deps"]["pyFiles"])}
    for uri, path in code.items():
        path.write_bytes(fetch(uri.removeprefix("s3a://company-etl/k8s/")))
    script, packages = code.values()
    [mount] = spec["driver"]["secrets"]
    mounted = folder / "mounted"
    mounted.mkdir()
    for key, data in secret["data"].items():
        (mounted / key).write_bytes(base64.b64decode(data))
    told = [item.replace(f"s3a://company-etl/k8s/_jobs/{name}", job.as_uri()) for item in spec["arguments"]]
    told = [item.replace(mount["path"], str(mounted)) for item in told]
    conf = spec["sparkConf"] | {"spark.driver.memory": spec["driver"]["memory"], "spark.driver.host": "127.0.0.1"}
    conf |= {"spark.jars": "", "spark.driver.extraClassPath": f"{ROOT / 'jars'}/*", "spark.ui.enabled": "false"}
    write_properties(folder / "conf", conf)
    submit = [f"{spark_home({})}/bin/spark-submit", "--master", "local[1]", "--properties-file", str(folder / "conf")]
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment = kept | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [*submit, "--py-files", str(packages), str(script), *told]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.spark
@pytest.mark.prove
def test_a_window_is_loaded_and_its_report_says_what_it_needed(project: Project, tmp_path: Path) -> None:
    pipeline = load_file(project.folder / "dags/pipelines/flights.yaml").pipeline
    assert pipeline is not None
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), Attempt(number=1, token="t", run="r")).to_json()
    plan["spark"] = {"provided": True, "memory": "1g", "small": True, "conf": {"spark.executor.instances": "2"}}
    with aws_server() as store, kubernetes_server() as server:
        options = {"namespace": NAMESPACE, "image": "spark:4.1", "bucket": "s3://company-etl/k8s", "spark": "4.1"}
        engine, s3 = KubernetesEngine(options, server.api, store.clients), store.clients("s3")
        handle = engine.submit(Job(token="a" * 64, plan=plan, owner="e" * 64, connections=KNOWN))
        [made], [secret] = server.applications(), server.secrets()

        def fetch(name: str) -> bytes:
            return bytes(s3.get_object(Bucket="company-etl", Key=f"k8s/{name}")["Body"].read())

        (tmp_path / "pod").mkdir()
        said = driven(tmp_path / "pod", made["spec"], handle.name, secret, fetch)
        left = (tmp_path / "pod" / handle.name / "report.json").read_bytes()
        s3.put_object(Bucket="company-etl", Key=f"k8s/_jobs/{handle.name}/report.json", Body=left)
        server.move(handle.name, "COMPLETED")
        report = engine.report(handle)
    assert (report["state"], len(project.rows())) == ("loaded", 3)
    needed = report["usage"]["run"]
    assert 0 < needed["heap_peak"] <= needed["heap_max"]
    assert needed["bytes_written"] > 0
    assert "advice" in needed
    assert PASSWORD not in said + json.dumps(report)
