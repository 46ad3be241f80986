"""A throw-away Airflow of its own: SQLite, LocalExecutor, loopback, free port. For the demo and the end-to-end test."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import psutil

from airflow_provider_etl.engines import guard, local_connect, local_warm

USER: Final = "admin"
COMPONENTS: Final = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
}
TRIGGERER: Final = {"triggerer": ("triggerer", "--skip-serve-logs")}
_READY: Final = 180.0  # seconds; three Airflow processes start at once, perhaps on two busy cores
_GRACE: Final = 20.0  # seconds between SIGTERM and SIGKILL


class AirflowHomeError(Exception):
    """An Airflow command or component failed; the message ends with what it printed last."""


class AirflowHome:
    """One Airflow home, and the processes that serve it.

    Args:
        folder: the home; made where it doesn't exist, never removed.
        dags_folder: where the DAG files lie.
        env: more environment variables, such as `AIRFLOW__ETL__ENVIRONMENT`; they win over the home's own.
        parallelism: tasks that may run at once.
        triggerer: whether there is one, for tasks that defer.
    """

    def __init__(
        self,
        folder: Path,
        dags_folder: Path,
        env: Mapping[str, str] | None = None,
        *,
        parallelism: int = 2,
        triggerer: bool = False,
    ) -> None:
        self.folder, self.dags_folder = folder.resolve(), dags_folder.resolve()
        self.parallelism = parallelism
        self.components = COMPONENTS | TRIGGERER if triggerer else COMPONENTS
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self._env = dict(env or {})
        self._secrets = {name: secrets.token_hex(32) for name in ("jwt", "session")}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._token = ""

    @property
    def url(self) -> str:
        """Address of the UI, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of this home; no other Airflow's settings get in."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        return inherited | {"AIRFLOW_HOME": str(self.folder)} | self._settings() | self._env

    def _settings(self) -> dict[str, str]:
        settings = {
            ("core", "dags_folder"): str(self.dags_folder),
            ("core", "load_examples"): "False",
            ("core", "executor"): "LocalExecutor",
            ("core", "parallelism"): str(self.parallelism),
            ("core", "execution_api_server_url"): f"{self.url}/execution/",
            ("core", "simple_auth_manager_users"): f"{USER}:admin",
            ("core", "simple_auth_manager_passwords_file"): str(self.folder / "passwords.json"),
            ("database", "sql_alchemy_conn"): f"sqlite:///{self.folder / 'airflow.db'}?timeout=60",
            ("api", "host"): "127.0.0.1",
            ("api", "port"): str(self.port),
            ("api", "base_url"): self.url,
            ("api", "workers"): "1",
            ("api", "secret_key"): self._secrets["session"],
            ("api_auth", "jwt_secret"): self._secrets["jwt"],
            ("dag_processor", "refresh_interval"): "5",
            ("dag_processor", "min_file_process_interval"): "5",
            ("dag_processor", "parsing_processes"): "1",
            ("usage_data_collection", "enabled"): "False",
        }
        return {f"AIRFLOW__{section}__{key}".upper(): value for (section, key), value in settings.items()}

    def run(self, *arguments: str, timeout: float = 300) -> str:
        """Run one command of Airflow's command line, such as `run("backfill", "create", "--dag-id", ...)`.

        Args:
            arguments: what follows `airflow`.
            timeout: seconds.

        Returns:
            What it printed on stdout.

        Raises:
            AirflowHomeError: it ended with an exit code other than 0.
        """
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-3000:]
            raise AirflowHomeError(f"airflow {' '.join(arguments)} ended with {done.returncode}:\n{said}")
        return done.stdout

    def migrate(self) -> None:
        """Make the folder, the login and the metadata database."""
        self.folder.mkdir(parents=True, exist_ok=True)
        passwords = self.folder / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({USER: self.password}))
        self.run("db", "migrate")

    def start(self, timeout: float = _READY) -> None:
        """Start the components and wait until all are healthy.

        Args:
            timeout: seconds.

        Raises:
            AirflowHomeError: a component ended, or isn't healthy in time.
        """
        for name, command in self.components.items():
            with self.log_of(name).open("wb") as log:
                self._processes[name] = self._start(command, log)
        try:
            self.wait(self.healthy, timeout, "Airflow is healthy")
        except BaseException:
            self.stop()
            raise

    def restart(self, component: str) -> None:
        """Kill a component as a machine that fails does, and start another one.

        Args:
            component: its name in `COMPONENTS` or `TRIGGERER`.
        """
        gone = psutil.Process(self._processes[component].pid)
        family = [gone, *gone.children(recursive=True)]
        for process in family:
            process.kill()
        psutil.wait_procs(family, timeout=_GRACE)
        with self.log_of(component).open("ab") as log:
            self._processes[component] = self._start(self.components[component], log)

    def _start(self, command: tuple[str, ...], log: IO[bytes]) -> subprocess.Popen[bytes]:
        # Its standard input is ours to hold: where this process is killed, the guard ends the component.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, "-", sys.executable, "-m", "airflow", *command],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def log_of(self, component: str) -> Path:
        """The file that a component's output goes to."""
        return self.folder / f"{component}.log"

    def healthy(self) -> bool:
        """Whether database, scheduler and dag-processor say that they are well.

        Raises:
            AirflowHomeError: a component ended.
        """
        self._check_alive()
        try:
            health = self._request("GET", "/api/v2/monitor/health")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        parts = [name.replace("-", "_") for name in self.components if name != "api-server"]
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", *parts))

    @property
    def processes(self) -> list[psutil.Process]:
        """Those that hold the components, which are their children."""
        return [psutil.Process(process.pid) for process in self._processes.values()]

    def _check_alive(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                said = self.log_of(name).read_text(errors="replace")[-3000:]
                raise AirflowHomeError(f"{name} ended with {process.returncode}:\n{said}")

    def wait(self, until: Callable[[], Any], timeout: float, what: str, every: float = 0.5) -> Any:
        """Ask until the answer is true; return it.

        Args:
            until: what to ask.
            timeout: seconds.
            what: what is waited for, for the error.
            every: seconds between two questions.

        Raises:
            AirflowHomeError: it didn't come in time, or a component ended.
        """
        deadline = time.monotonic() + timeout
        while not (answer := until()):
            self._check_alive()
            if time.monotonic() > deadline:
                raise AirflowHomeError(f"after {timeout:.0f} s still not: {what}; logs in {self.folder}")
            time.sleep(every)
        return answer

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Call the REST API as the admin.

        Args:
            method: GET, POST, PATCH, …
            path: from the version on, such as `/api/v2/dags/flights/dagRuns?limit=100`.
            body: JSON.

        Raises:
            AirflowHomeError: the answer is an error.
        """
        try:
            if not self._token:
                login = {"username": USER, "password": self.password}
                self._token = self._request("POST", "/auth/token", login)["access_token"]
            return self._request(method, path, body)
        except urllib.error.HTTPError as error:
            raise AirflowHomeError(f"{method} {path}: {error.code} {error.read().decode()[:2000]}") from None

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)  # noqa: S310 - http
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback, our own server
            text = answer.read()
        return json.loads(text) if text else None

    def stop(self) -> None:
        """Stop every process of this home, by process id: SIGTERM, then SIGKILL; and its warm Sparks and servers."""
        ours = [psutil.Process(process.pid) for process in self._processes.values() if process.poll() is None]
        family = ours + [child for process in ours for child in process.children(recursive=True)]
        for process in ours:
            process.terminate()
        _, left = psutil.wait_procs(family, timeout=_GRACE)
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=_GRACE)
        for component in self._processes.values():
            component.communicate(timeout=_GRACE)
        self._processes.clear()
        self._token = ""
        local_warm.close_all(str(self.folder))
        local_connect.close_all(str(self.folder))

    def __enter__(self) -> Self:
        """Migrate and start."""
        self.migrate()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
