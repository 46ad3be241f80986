"""`make screenshot`: the flights DAG in the Airflow UI, taken by headless Chromium over its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from demo.airflow_home import AirflowHome
from demo.main import HOME, ROOT, SETTINGS
from demo.runs import Runs

WIDTH, HEIGHT = 1360, 760
# https://chromedevtools.github.io/devtools-protocol/
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-port=0",
    f"--window-size={WIDTH},{HEIGHT}",
)  # fmt: skip
# The UI keeps what a visitor chose in the browser: show the graph, not the grid, in light colours.
CHOICES: Final = {"default_dag_view": '"graph"', "dag_view-flights": '"graph"', "theme": "light"}


class Page:
    """One page of a browser.

    Args:
        socket: its DevTools connection.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol and return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == number:
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str, seconds: float) -> None:
        """Go to an address and give the page time to draw."""
        self.call("Page.navigate", url=url)
        time.sleep(seconds)

    def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


@contextmanager
def browser() -> Iterator[Page]:
    """A headless Chromium with a profile of its own, ended afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(Path(profile) / "DevToolsActivePort"), max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _address(told: Path, patience: float = 30) -> str:
    deadline = time.monotonic() + patience
    while not told.exists() or not told.read_text():
        if time.monotonic() > deadline:
            message = f"chromium did not say its port within {patience:.0f} s"
            raise TimeoutError(message)
        time.sleep(0.1)
    port = told.read_text().splitlines()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
        pages = json.load(answer)
    return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))


def main(target: Path) -> None:
    """Photograph the newest run of the flights DAG that `make demo` left.

    Args:
        target: the PNG file.
    """
    # This Airflow is asked by nobody else, on loopback, for a minute: everyone may be admin.
    home = AirflowHome(HOME, ROOT / "dags", SETTINGS | {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"})
    with home, browser() as page:
        run = Runs(home).of("flights")[-1]
        page.open(f"{home.url}/dags/flights", 8)
        for key, value in CHOICES.items():
            page.call("Runtime.evaluate", expression=f"localStorage.setItem({json.dumps(key)}, {json.dumps(value)})")
        page.open(f"{home.url}/dags/flights/runs/{run.run_id}", 8)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(page.picture())
    print(f"{target}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
