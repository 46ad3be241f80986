"""The local engine. A small script stands in for Spark here, so that each way to end can be forced; real Spark runs in
tests/airflow/test_operators.py and, killed for real, in test_kill.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from airflow_provider_etl.engines.application import Application, failure
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.local import LocalEngine, child_environment
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError, DataError, InfrastructureError, ResourceError

JOB = Job(token="t1", plan={"spark": {"memory": "3g"}, "secret_marker": "plan"})
StandIn = Callable[[str], LocalEngine]
MARKER = "pl4nted-s3cret"
CRM = Connection(id="crm", kind="postgres", host="db.example", password=MARKER)


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    """An engine that starts a script with the given body in the place of Spark."""

    def make(body: str) -> LocalEngine:
        script = tmp_path / "stand_in.py"
        head = "import json, os, signal, subprocess, sys, time\nplan, report = sys.argv[2], sys.argv[4]\n"
        script.write_text(head + textwrap.dedent(body))
        return LocalEngine(command=(sys.executable, str(script)))

    return make


def test_lines_arrive_while_the_process_runs_and_the_report_at_its_end(stand_in: StandIn) -> None:
    engine = stand_in("""
        print("[etl] first", flush=True)
        time.sleep(1.5)
        print("[etl] second, 100 % ünïcode \\udce4".encode("utf-8", "surrogateescape").decode("latin-1"), flush=True)
        json.dump({"state": "loaded"}, open(report, "w"))
    """)
    arrived: list[tuple[float, str]] = []
    report = Application(engine, JOB).run(lambda line: arrived.append((time.monotonic(), line)))
    assert report == {"state": "loaded"}
    assert [line.split(",")[0] for _, line in arrived] == ["[etl] first", "[etl] second"]
    assert arrived[1][0] - arrived[0][0] > 1


def test_the_plan_is_private_and_gone_afterwards(stand_in: StandIn, tmp_path: Path) -> None:
    engine = stand_in("""
        modes = [oct(os.stat(path).st_mode & 0o777) for path in (plan, os.path.dirname(plan))]
        print(*modes, plan, os.getcwd())
        json.dump({"state": "loaded", "saw": json.load(open(plan))}, open(report, "w"))
    """)
    lines: list[str] = []
    report = Application(engine, JOB).run(lines.append)
    mode, folder_mode, plan, standing = lines[0].split()
    assert (mode, folder_mode) == ("0o600", "0o700")
    assert report["saw"] == JOB.plan
    assert standing == str(Path(plan).parent)
    assert not Path(plan).parent.exists()


def test_connections_come_in_a_private_file_beside_the_plan(stand_in: StandIn) -> None:
    engine = stand_in("""
        from spark_jobs.connections import received
        path = os.environ["ETL_CONNECTIONS"]
        print(oct(os.stat(path).st_mode & 0o777), path, sys.argv, json.load(open(plan)))
        known = received()
        print("it said: login with", known["crm"].password, "failed")
        print(os.path.exists(path), os.environ.get("ETL_CONNECTIONS"))
        json.dump({"state": "loaded", "host": known["crm"].host}, open(report, "w"))
    """)
    lines: list[str] = []
    report = Application(engine, replace(JOB, connections=Connections(CRM))).run(lines.append)
    assert report["host"] == "db.example"
    assert lines[0].startswith("0o600")
    assert not Path(lines[0].split()[1]).exists()
    assert lines[1:] == ["it said: login with *** failed", "False None"]
    assert MARKER not in "".join(lines) + repr(replace(JOB, connections=Connections(CRM)))


def test_a_secret_said_last_is_hidden_in_the_error_too(stand_in: StandIn) -> None:
    engine = stand_in(f"print('the driver refused {MARKER}'); sys.exit(7)")
    with pytest.raises(InfrastructureError, match=r"refused \*\*\*"):
        Application(engine, replace(JOB, connections=Connections(CRM))).run(print)


def test_nothing_of_airflow_reaches_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "marker",
        "AIRFLOW__CORE__FERNET_KEY": "marker",
        "AIRFLOW__API_AUTH__JWT_SECRET": "marker",
        "AIRFLOW_CONN_CRM": "marker",
        "AIRFLOW_VAR_KEY": "marker",
        "__AIRFLOW_SUPERVISOR_FD": "marker",
    }
    child = child_environment({**hidden, "SPARK_HOME": "", "HOME": "/home/x", "PYTHONPATH": "/mine"})
    assert "marker" not in child.values()
    assert "SPARK_HOME" not in child
    assert child["HOME"] == "/home/x"
    assert child["PYSPARK_PYTHON"] == sys.executable
    found = subprocess.run(
        [sys.executable, "-c", "import spark_jobs"], env=child, cwd="/", check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert child["PYTHONPATH"].endswith("/mine")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("config", ConfigError),
        ("data", DataError),
        ("resource", ResourceError),
        ("infrastructure", InfrastructureError),
        ("never heard of", InfrastructureError),
    ],
)
def test_a_failed_report_becomes_an_error_of_its_class(kind: str, expected: type[Exception]) -> None:
    error = failure({"state": "failed", "error": {"kind": kind, "message": "it broke", "where": "load.lake"}})
    assert type(error) is expected
    assert str(error) == "load.lake: it broke"
    assert failure({"state": "loaded"}) is None


def test_a_killed_process_is_a_matter_of_memory_and_names_the_setting(stand_in: StandIn) -> None:
    engine = stand_in("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(ResourceError, match=r"exit code -9.*memory: 3g.*raise the engine's `memory`"):
        Application(engine, JOB).run(print)


def test_a_disk_that_is_full_when_the_report_is_written_is_told_as_that(stand_in: StandIn) -> None:
    engine = stand_in("""
        try:
            with open("/dev/full", "w") as full:
                full.write("{}")
        except OSError as error:
            print(error, flush=True)
            sys.exit(1)
    """)
    with pytest.raises(ResourceError, match=r"No space left on device; free disk space where .*TMPDIR"):
        Application(engine, JOB).run(print)


def test_a_plan_that_cannot_be_read_is_a_matter_of_configuration(stand_in: StandIn) -> None:
    engine = stand_in("print('[etl] error: plan: plan version 9'); sys.exit(2)")
    with pytest.raises(ConfigError, match="plan version 9"):
        Application(engine, JOB).run(print)


def test_an_end_without_a_report_says_what_was_said_last(stand_in: StandIn) -> None:
    engine = stand_in("print('java.lang.IllegalStateException: why'); sys.exit(7)")
    with pytest.raises(InfrastructureError, match=r"exit code 7(.|\n)*IllegalStateException: why"):
        Application(engine, JOB).run(print)


def test_a_report_cut_short_is_not_taken_for_one(stand_in: StandIn) -> None:
    engine = stand_in("open(report, 'w').write('{\"state\": \"loa')")
    with pytest.raises(InfrastructureError, match="report"):
        Application(engine, JOB).run(print)


def test_java_missing_is_said_before_anything_starts(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(ConfigError, match=r"no bin/java in JAVA_HOME=/nowhere.*openjdk-17-jre-headless"):
        Application(stand_in("print('started')"), JOB).run(pytest.fail)
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="there is no java on the PATH"):
        Application(stand_in("print('started')"), JOB).run(pytest.fail)


def test_java_too_old_is_said(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "jdk/bin").mkdir(parents=True)
    (tmp_path / "jdk/bin/java").write_text("#!/bin/sh\n")
    (tmp_path / "jdk/bin/java").chmod(0o755)
    (tmp_path / "jdk/release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="1.8.0_392"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    with pytest.raises(ConfigError, match=r"is Java 8; expected Java 17 or later"):
        Application(stand_in("print('started')"), JOB).run(pytest.fail)


def test_a_running_token_is_not_started_twice(stand_in: StandIn) -> None:
    engine = stand_in("time.sleep(60)")
    first = engine.submit(JOB)
    assert engine.submit(JOB) == first == engine.find(JOB.token)
    assert engine.status(first) == "running"
    engine.cancel(first)
    assert engine.status(first) == "ended"
    assert engine.find(JOB.token) is None
    with pytest.raises(InfrastructureError, match="cancelled"):
        engine.report(first)


def test_cancel_ends_the_whole_group_even_where_it_does_not_want_to(stand_in: StandIn) -> None:
    engine = stand_in("""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "600"])
        print(os.getpid(), child.pid, flush=True)
        time.sleep(600)
    """)
    application = Application(engine, JOB)
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.extend(int(pid) for pid in line.split())
        threading.Thread(target=application.cancel).start()

    begin = time.monotonic()
    with pytest.raises(InfrastructureError, match="cancelled"):
        application.run(listen)
    assert time.monotonic() - begin < 10
    assert len(pids) == 2
    assert not left_of(pids)


def test_a_cancel_before_the_process_is_there_is_not_lost(stand_in: StandIn) -> None:
    application = Application(stand_in("time.sleep(600)"), JOB)
    application.cancel()
    with pytest.raises(InfrastructureError, match="cancelled"):
        application.run(print)


def test_an_exception_in_the_owner_ends_the_process(stand_in: StandIn) -> None:
    class TaskTimeoutError(BaseException):
        """As Airflow's execution_timeout raises it: from a signal, in the middle of reading."""

    engine = stand_in("print(os.getpid(), plan, flush=True); time.sleep(600)")
    seen: list[str] = []

    def ring(*_: object) -> None:
        raise TaskTimeoutError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 1.5)
    with pytest.raises(TaskTimeoutError):
        Application(engine, JOB).run(seen.append)
    pid, plan = seen[0].split()
    assert not left_of([int(pid)])
    assert not Path(plan).exists()


def test_a_grandchild_that_holds_the_output_open_does_not_hold_the_task(stand_in: StandIn) -> None:
    engine = stand_in("""
        print(subprocess.Popen(["sleep", "60"], start_new_session=True).pid, flush=True)
        json.dump({"state": "loaded"}, open(report, "w"))
    """)
    begin, lines = time.monotonic(), []
    assert Application(engine, JOB).run(lines.append)["state"] == "loaded"
    assert time.monotonic() - begin < 10
    os.kill(int(lines[0]), signal.SIGKILL)


def test_a_flood_of_output_without_line_ends_is_passed_on_in_pieces(stand_in: StandIn) -> None:
    engine = stand_in("""
        sys.stdout.write("x" * 5_000_000)
        sys.stdout.flush()
        json.dump({"state": "loaded"}, open(report, "w"))
    """)
    lines: list[str] = []
    Application(engine, JOB).run(lines.append)
    assert sum(len(line) for line in lines) == 5_000_000
    assert max(len(line) for line in lines) < 1_000_000


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


PROGRAM = """
import sys
from airflow_provider_etl.engines.application import Application
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.local import LocalEngine

engine = LocalEngine(command=(sys.executable, sys.argv[1]))
Application(engine, Job(token="t", plan={})).run(lambda line: print(line, flush=True))
"""
# Neither the stand-in nor its child looks whether somebody is there, and neither ends when it is asked to.
STUBBORN = """
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "600"])
print(os.getcwd(), os.getpid(), child.pid, flush=True)
while True:
    time.sleep(0.1)
    print("chatter", flush=True)
"""
ROOT = Path(__file__).resolve().parents[2]


def start(script: Path, *before: str) -> tuple[subprocess.Popen[str], list[int], Path]:
    """Start an owner of a stubborn stand-in; (it, the pids of the stand-in and its child, the job's folder)."""
    script.write_text(STUBBORN)
    owner = subprocess.Popen(
        [*before, sys.executable, "-c", PROGRAM, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert owner.stdout is not None
    folder, *numbers = owner.stdout.readline().split()
    pids = [int(pid) for pid in numbers]
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    assert Path(folder, "plan.json").exists()
    return owner, pids, Path(folder)


def left_of(pids: list[int]) -> list[int]:
    """Those that are still there after a while; they are killed."""
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [pid for pid in pids if alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def gone(folder: Path) -> bool:
    """Whether the job's folder goes, as soon as nobody is left who could write to it."""
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not folder.exists()


def test_kill_9_of_the_owner_leaves_no_process(tmp_path: Path) -> None:
    """The owner has no chance to clean up."""
    owner, pids, folder = start(tmp_path / "stand_in.py")
    owner.kill()
    owner.communicate()
    assert not left_of(pids)
    assert gone(folder)


def test_kill_9_of_the_owner_s_parent_leaves_no_process(tmp_path: Path) -> None:
    """As when Airflow's supervisor is killed: the task it watched would go on with nobody to tell."""
    supervisor = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    owner, pids, folder = start(tmp_path / "stand_in.py", sys.executable, "-c", supervisor)
    owner.kill()
    said, _ = owner.communicate(timeout=30)
    assert "the process that owns this task is gone" in said
    assert not left_of(pids)
    assert gone(folder)
