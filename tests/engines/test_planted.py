"""The search for secrets finds what was planted: in each place, in each form."""

from __future__ import annotations

import gzip
import html
import json
import shlex
import socket
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, quote_plus

import pytest

from tests.engines.planted import EVERYWHERE, LOOPBACK, Watch, environment, hits, left, secrets

SECRET = EVERYWHERE["password"]
SHOWN = (
    "c0ntrol 'of' an \"argument\""  # all processes of the machine are searched: others look for the markers just now
)

WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "Python": repr,
    "shell": shlex.quote,
    "SQL": lambda text: text.replace("'", "''"),
    "page": html.escape,
    "hexadecimal": lambda text: text.encode().hex(),
    "Base64": lambda text: b64encode(text.encode()).decode(),
    "Base64 behind one byte": lambda text: b64encode(f":{text}@".encode()).decode(),
    "Base64 behind two": lambda text: b64encode(f"u:{text}@h".encode()).decode(),
    "Base64 for URLs": lambda text: urlsafe_b64encode(f"me:{text}".encode()).decode(),
}


def as_text(path: Path, said: str) -> None:
    path.write_text(f"before {said} after")


def as_gzip(path: Path, said: str) -> None:
    path.write_bytes(gzip.compress(said.encode()))


def as_parquet(path: Path, said: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"raw": ["x" * 100, said]}), path, compression="zstd")


def as_database(path: Path, said: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE xcom (value TEXT)")
        database.execute("INSERT INTO xcom VALUES (?)", ("y" * 5000 + said,))
    database.close()


@pytest.mark.parametrize("put", [as_text, as_gzip, as_parquet, as_database])
@pytest.mark.parametrize("way", WAYS)
def test_in_a_file(put: Callable[[Path, str], None], way: str, tmp_path: Path) -> None:
    put(tmp_path / "clean", "nothing")
    assert not left([tmp_path], secrets())
    put(tmp_path / "left", WAYS[way](SECRET))
    assert list(left([tmp_path], secrets())) == [str(tmp_path / "left")]


def test_in_a_file_s_name(tmp_path: Path) -> None:
    (tmp_path / quote(SECRET, safe="")).touch()
    assert left([tmp_path], secrets())


@pytest.mark.parametrize("secret", secrets())
def test_each_of_them(secret: str) -> None:
    assert hits(f"said {WAYS['Base64 behind two'](secret)}", [secret])


@pytest.mark.parametrize("where", ["an argument", "the environment"])
def test_in_a_process(where: str) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(20)", *([SHOWN] if where == "an argument" else [])]
    more = environment() if where == "the environment" else {}
    with Watch() as watch:
        child = subprocess.Popen(command, env={"PATH": "/usr/bin:/bin"} | more)
        try:
            wait(lambda: watch.shown(secrets(SHOWN)))
        finally:
            child.kill()
            child.wait()


def test_on_a_page() -> None:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            last = self.path.endswith("environment")
            said = [["spark.x", SECRET]] if last else [{"id": "app"}]
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with Watch(pages=server.server_port) as watch:
            wait(lambda: watch.shown(secrets()))
        server.shutdown()
    assert list(watch.shown(secrets())) == [
        f"http://127.0.0.1:{server.server_port}/api/v1/applications/app/environment"
    ]


def test_a_port_that_others_reach_is_seen() -> None:
    listen = "import socket, time; s = socket.create_server(('0.0.0.0', 0)); time.sleep(20)"
    with Watch() as watch:
        child = subprocess.Popen([sys.executable, "-c", listen])
        try:
            wait(lambda: [ip for _, ip in watch.listening if ip not in LOOPBACK])
        finally:
            child.kill()
            child.wait()
    assert socket.gethostbyname("localhost") in LOOPBACK


def wait(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline, "it wasn't seen"
        time.sleep(0.1)
