"""Jobs of a cluster whose submission was lost, whose owner was killed, or that were told to end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest

from airflow_provider_etl.engines import shared
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.cluster import ClusterEngine
from airflow_provider_etl.engines.target import Target
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import InfrastructureError
from spark_jobs.remote import claim
from tests.airflow.project import ROOT

PLAN = {"pipeline": "p", "spark": {"master": "", "jars": str(ROOT / "jars"), "submit": {"master": "spark://h:1"}}}
JOB = Job(token="t", plan=PLAN, connections=Connections(Connection(id="crm", password="secret")))


@contextmanager
def master(taken: Callable[[], None]) -> Iterator[int]:
    """A master's REST server that is gone before it has said that it took a driver, and later says that one ended."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken()
            self.close_connection = True

        def do_GET(self) -> None:
            content = json.dumps({"success": True, "driverState": "FINISHED"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def engine(jobs: Path, port: int = 9) -> ClusterEngine:
    return ClusterEngine(Target(master="spark://127.0.0.1:7077", rest_port=port, deploy_mode="cluster", jobs=str(jobs)))


def submitted(jobs: Path) -> Path:
    """The folder of a job whose driver was sent."""
    folder = shared.place(str(shared.root(str(jobs))), "t")
    shared.laid_out(folder, JOB)
    shared.note(folder, "driver-1")
    return folder


def test_a_driver_that_began_although_the_answer_was_lost_is_the_job(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    with master(lambda: claim(jobs / "t", "driver-7") and None) as port:
        handle = engine(jobs, port).submit(JOB)
    assert json.loads(handle.id)["driver"] == "driver-7"
    assert (jobs / "t" / "connections.json").exists(), "its driver has yet to read them"


def test_one_that_has_not_begun_never_will(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    with master(lambda: None) as port, pytest.raises(InfrastructureError):
        engine(jobs, port).submit(JOB)
    assert not (jobs / "t").exists()


@pytest.mark.parametrize("report", [{"state": "loaded"}, [{"state": "loaded"}, {"state": "superseded"}]])
def test_a_job_that_ended_well_with_nobody_there_is_not_run_again(tmp_path: Path, report: Any) -> None:
    jobs = tmp_path / "jobs"
    (submitted(jobs) / "report.json").write_text(json.dumps(report))
    found = engine(jobs)
    handle = found.submit(JOB)
    assert list(found.output(handle)) == []
    assert found.report(handle) == report
    assert not (jobs / "t").exists()


@pytest.mark.parametrize("report", [{"state": "failed"}, [{"state": "loaded"}, {"state": "failed"}]])
def test_one_that_failed_is(tmp_path: Path, report: Any) -> None:
    (submitted(tmp_path / "jobs") / "report.json").write_text(json.dumps(report))
    with pytest.raises(InfrastructureError, match="REST server"):
        engine(tmp_path / "jobs").submit(JOB)


def test_one_that_was_told_to_end_is_not_taken_up_again(tmp_path: Path) -> None:
    """Whether its driver still does something or has just ended well: a task that was cleared meanwhile runs anew."""
    folder = submitted(tmp_path / "jobs")
    shared.note_cancelled(folder)
    assert engine(tmp_path / "jobs").find("t") is None
    (folder / "report.json").write_text(json.dumps({"state": "loaded"}))
    with pytest.raises(InfrastructureError, match="REST server"):
        engine(tmp_path / "jobs").submit(JOB)


def test_one_that_could_not_be_told_to_end_is_found_again(tmp_path: Path) -> None:
    folder = submitted(tmp_path / "jobs")
    handle = engine(tmp_path / "jobs")._handle("t", "driver-1")
    with pytest.raises(InfrastructureError, match="REST server"):
        engine(tmp_path / "jobs").cancel(handle)
    assert not shared.is_cancelled(folder)
    assert not (folder / "connections.json").exists()
    assert not claim(folder, "driver-2"), "what hasn't begun doesn't begin any more"


def test_a_report_that_a_shared_folder_shows_late_is_waited_for(tmp_path: Path) -> None:
    folder = submitted(tmp_path / "jobs")
    assert claim(folder, "driver-1")
    late = Timer(1.5, lambda: (folder / "report.json").write_text('{"state": "loaded"}'))
    with master(lambda: None) as port:
        found = engine(tmp_path / "jobs", port)
        handle = found._handle("t", "driver-1")
        late.start()
        assert list(found.output(handle)) == ["[etl] driver-1 is FINISHED"]
        assert found.report(handle) == {"state": "loaded"}


def test_one_of_a_driver_that_never_began_is_not(tmp_path: Path) -> None:
    submitted(tmp_path / "jobs")
    with master(lambda: None) as port:
        found = engine(tmp_path / "jobs", port)
        begin = time.monotonic()
        with pytest.raises(InfrastructureError, match="driver-1 ended as FINISHED and left no report"):
            found.report(found._handle("t", "driver-1"))
    assert time.monotonic() - begin < 5
