"""The database servers that tests start: real ones, with passwords that count, and gone when nobody needs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.servers.mariadb import mariadb_server
from tests.servers.postgres import postgres_server

ROOT = Path(__file__).resolve().parent.parent.parent


def test_they_answer_in_a_zone_of_their_own(postgres: Any, mariadb: Any) -> None:
    assert "PostgreSQL 15" in postgres.rows("SELECT version()")[0][0]
    assert "MariaDB" in mariadb.rows("SELECT version()")[0][0]
    assert postgres.rows("SHOW timezone") == [("Asia/Kolkata",)]
    assert mariadb.rows("SELECT @@time_zone") == [("+05:30",)]


@pytest.mark.parametrize("name", ["postgres", "mariadb"])
def test_a_wrong_password_is_refused(name: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(name)
    with pytest.raises(Exception, match=r"password authentication failed|Access denied"):
        replace(server, password="wrong").rows("SELECT 1")


@pytest.mark.parametrize("name", ["postgres", "mariadb"])
def test_nothing_survives_a_killed_pytest(name: str, tmp_path: Path) -> None:
    body = (
        f"from tests.servers.{name} import {name}_server\n"
        f"import time\nwith {name}_server() as server:\n    print(server.log, flush=True)\n    time.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", body], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert owner.stdout is not None
    folder = Path(owner.stdout.readline().decode().strip()).parent
    assert folder.is_dir()
    started = psutil.Process(owner.pid).children(recursive=True)
    assert started
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    psutil.wait_procs(started, timeout=10)
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not folder.exists()
    assert not [item for item in started if item.is_running() and item.status() != psutil.STATUS_ZOMBIE]


def test_at_the_end_they_are_gone() -> None:
    for server in (postgres_server, mariadb_server):
        with server() as running:
            assert running.rows("SELECT 1") == [(1,)]
        assert not running.log.parent.exists()
        with pytest.raises(Exception, match=r"(?i)refused|can't connect"):
            running.rows("SELECT 1")
