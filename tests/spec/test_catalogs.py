"""Catalogs of Iceberg tables: what an environment declares, what a load may name, and how a plan carries it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import fsspec
import pytest
from botocore.exceptions import NoCredentialsError
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.hooks import iceberg_ledger, stores
from airflow_provider_etl.hooks.tables import place_of
from spark_jobs.connections import Connection, Connections, named_by
from spark_jobs.errors import InfrastructureError
from spark_jobs.iceberg.books import Booked, Books
from spark_jobs.iceberg.catalogs import Catalog, settings
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from tests.spec.conftest import CATALOGS, ENVIRONMENT, PIPELINE, Project

LOAD = "type: iceberg\n    catalog: lake\n    table: sales.orders\n"
ICEBERG = PIPELINE.replace("type: delta\n    path: ${env.lake}/orders\n", LOAD)
ATTEMPT = Attempt(number=attempt_number("0" * 64), token="t", run="r")


@pytest.fixture(autouse=True)
def _catalogs(project: Project) -> None:
    project.environment(ENVIRONMENT + CATALOGS)


def declared(catalog: str) -> str:
    return (ENVIRONMENT + CATALOGS).replace("{type: hadoop, warehouse: data/iceberg}", catalog)


def test_a_plan_carries_the_catalogs_that_its_loads_name(project: Project) -> None:
    project.environment(declared("{type: hadoop, warehouse: data/iceberg}\n  other: {type: hadoop, warehouse: data/x}"))
    pipeline = project.pipeline(ICEBERG)
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), ATTEMPT)
    warehouse = str(project.folder / "data/iceberg")
    assert plan.catalogs == {"lake": {"name": "lake", "type": "hadoop", "warehouse": warehouse, "connection": ""}}
    assert Plan.from_json(plan.to_json()) == plan
    unit, options = pipeline.units(pipeline.window_of("2013-01-01"))["lake"]
    assert (unit.destination, options["catalog"], place_of(options)) == (
        "lake",
        plan.catalogs["lake"],
        "lake.sales.orders",
    )


def test_a_catalogs_connection_is_handed_over_with_the_plan(project: Project) -> None:
    project.environment(declared("{type: jdbc, connection: books, warehouse: data/iceberg}"))
    pipeline = project.pipeline(ICEBERG)
    assert named_by(pipeline.plan(pipeline.window_of("2013-01-01"), ATTEMPT)) == {"books": "load.lake.catalog"}


@pytest.mark.parametrize(
    ("catalog", "told"),
    [
        ("{type: hadoop}", "a hadoop catalog without a warehouse"),
        ("{type: hadoop, warehouse: data/i, connection: x}", "a hadoop catalog is a folder"),
        ("{type: jdbc, warehouse: data/i}", "a jdbc catalog without a connection"),
        ("{type: rest}", "a rest catalog without a connection"),
        ("{type: hadoop, warehouse: elsewhere/i}", "outside the roots"),
        ("{type: hadoop, warehouse: s3a://bucket/i}", "commits get lost"),
        ("{type: hive, warehouse: data/i}", "hive"),
        ('{type: jdbc, connection: books, warehouse: "${env.lake}/i"}', ""),
    ],
)
def test_what_is_wrong_with_a_catalog_is_told(project: Project, catalog: str, told: str) -> None:
    project.environment(declared(catalog))
    found = [str(item) for item in project.load(ICEBERG).diagnostics]
    assert any(told in item for item in found) if told else not found, found


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("partition_by: [dais(id)]", "unknown transform 'dais'"),
        ("partition_by: [bucket(id)]", "bucket takes a size"),
        ("partition_by: ['days(4, id)']", "days takes a column alone"),
        ('partition_by: ["bucket(8, id)", "truncate(4, name)", "days(at)", id]', ""),
        ("sort_by: [id desc, name]", ""),
    ],
)
def test_a_layout_that_iceberg_can_not_have_is_told(project: Project, options: str, told: str) -> None:
    found = [str(item) for item in project.load(f"{ICEBERG}    {options}\n").diagnostics]
    errors = [item for item in found if "error[" in item]
    assert any(told in item for item in errors) if told else not errors, found


def test_a_column_that_can_not_be_there_is_told(project: Project) -> None:
    contract = "new_columns: freeze\n    columns: {id: {type: int}, amount: {type: int}}"
    closed = ICEBERG.replace("format: csv", f"format: csv\n    {contract}")
    found = [str(item) for item in project.load(f"{closed}    partition_by: [days(att), _window_start]\n").diagnostics]
    assert ["unknown column 'att'" in item for item in found] == [True], found


def test_a_table_needs_a_namespace(project: Project) -> None:
    found = [str(item) for item in project.load(ICEBERG.replace("sales.orders", "orders")).diagnostics]
    assert any("'orders' is no table's name" in item for item in found), found


def told_of(catalog: Catalog, **connection: Any) -> dict[str, str]:
    return settings(catalog, Connections(Connection(id="c", **connection)))


def test_a_jdbc_catalog_is_a_table_of_the_connections_database() -> None:
    found = told_of(
        Catalog(name="lake", type="jdbc", warehouse="/w", connection="c"),
        kind="postgres",
        host="db",
        schema="books",
        login="me",
        password="pw",
    )
    assert found[".uri"] == "jdbc:postgresql://db:5432/books"
    assert (found[".jdbc.user"], found[".jdbc.password"], found[".jdbc.schema-version"]) == ("me", "pw", "V1")
    assert ".jdbc.readOnlyMode" not in found


def test_a_rest_catalog_takes_a_token_or_a_client() -> None:
    """Configuration alone: there is no server here to try it on."""
    catalog = Catalog(name="lake", type="rest", warehouse="prod", connection="c")
    found = told_of(catalog, host="https://polaris.example.org", port=8181, schema="api/catalog", extra={"token": "t"})
    assert found[".uri"] == "https://polaris.example.org:8181/api/catalog"
    assert (found[".type"], found[".warehouse"], found[".token"]) == ("rest", "prod", "t")
    assert told_of(catalog, host="x", login="id", password="secret")[".credential"] == "id:secret"


def test_commands_that_know_delta_tables_alone_say_where_to_do_it(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge", str(project.write(ICEBERG)), "--key", "id=1", "--dry-run"]) == 2
    assert "etl.units" in "".join(capsys.readouterr())


BUCKET = {"connection": "store", "endpoint": "http://127.0.0.1:9", "region": None, "path_style": True}


def test_the_bucket_of_a_warehouse_is_told_with_the_plan_and_to_the_ledger(project: Project) -> None:
    catalog = '{type: jdbc, connection: books, warehouse: "s3a://lake/tables"}'
    store = 'stores:\n  "s3a://lake": {connection: store, endpoint: "http://127.0.0.1:9", path_style: true}\n'
    project.environment(declared(catalog).replace("roots: [", 'roots: ["s3a://lake", ') + store)
    pipeline = project.pipeline(ICEBERG)
    window = pipeline.window_of("2013-01-01")
    plan = pipeline.plan(window, ATTEMPT)
    assert plan.spark["s3"] == {"s3a://lake": BUCKET}
    assert named_by(plan).keys() == {"books", "store"}
    _, options = pipeline.units(window)["lake"]
    assert options["store"] == BUCKET


class Bucket(MemoryFileSystem):  # type: ignore[misc]
    """What s3fs is told, and raises; a fake, since it isn't among what is installed here."""

    protocol = "s3"
    told: ClassVar[list[Any]] = []

    def __init__(self, *arguments: Any, **told: Any) -> None:
        super().__init__(*arguments, **told)
        self.told.append(told)

    def cat_file(self, *_arguments: Any, **_options: Any) -> bytes:
        raise NoCredentialsError


def test_a_file_of_a_bucket_is_read_with_the_stores_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Connections(Connection(id="store", kind="aws", login="key", password="secret"))
    monkeypatch.setattr(stores, "resolved", lambda _places: known)
    fsspec.register_implementation("s3", Bucket, clobber=True)
    monkeypatch.setattr(Bucket, "told", [])
    catalog = Catalog(name="lake", type="jdbc", warehouse="s3a://lake/tables", connection="c")
    ledger = iceberg_ledger.IcebergLedgerHook(catalog, "sales.orders", BUCKET)
    with pytest.raises(InfrastructureError, match=r"^lake\.sales\.orders: .*redentials") as caught:
        ledger._of_file("s3a://lake/tables/sales/orders/metadata/1.metadata.json")
    assert caught.value.__suppress_context__, "no traceback of the library's"
    asked = {"client_kwargs": {"endpoint_url": "http://127.0.0.1:9"}, "key": "key", "secret": "secret"}
    assert Bucket.told == [asked | {"config_kwargs": {"s3": {"addressing_style": "path"}}}]


class UndefinedError(Exception):
    sqlstate = "42P01"


class DeniedError(Exception):
    sqlstate = "42501"


@pytest.mark.parametrize(
    ("error", "is_unmade"),
    [
        (UndefinedError('relation "iceberg_tables" does not exist'), True),
        (DeniedError("permission denied for table iceberg_tables"), False),
        (Exception(1146, "Table 'books.iceberg_tables' doesn't exist"), True),
        (Exception(1142, "SELECT command denied to user 'me' for table 'iceberg_tables'"), False),
    ],
)
def test_a_catalog_that_may_not_be_read_is_not_taken_for_an_empty_one(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, is_unmade: bool
) -> None:
    monkeypatch.setattr(iceberg_ledger, "resolved", lambda _places: {"c": None})
    monkeypatch.setattr(iceberg_ledger, "database_of", lambda *_arguments: Refusing(error))
    ledger = iceberg_ledger.IcebergLedgerHook(
        Catalog(name="lake", type="jdbc", warehouse="/w", connection="c"), "sales.orders"
    )
    with nullcontext() if is_unmade else pytest.raises(InfrastructureError, match="denied"):
        assert ledger.entries == {}


class Refusing:
    """A database whose every query fails; a fake, since a real one's rights would take a server."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def connect(self) -> Any:
        return self

    cursor = connect
    __enter__ = connect

    def __exit__(self, *_arguments: object) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""

    def execute(self, *_arguments: object) -> None:
        raise self.error

    def errors(self) -> tuple[type[Exception], ...]:
        return (Exception,)

    def explained(self, error: Exception, place: str) -> Exception:
        return InfrastructureError(str(error), where=place)


class Server(BaseHTTPRequestHandler):
    """What a REST catalog answers after its specification; a fake, since none runs here."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        found: Any = {"overrides": {"prefix": "p"}} if self.path.startswith("/api/v1/config") else None
        if self.path == "/api/v1/p/namespaces/sales%1Fraw/tables/orders":
            booked = Booked(number=7, attempt=7, token="t", run="r", fingerprint="f" * 16, staged=1)
            unit = "etl:flights:lake:2013-01-01T00:00:00Z/2013-01-02T00:00:00Z"
            found = {"metadata": {"properties": Books({}).with_booked(unit, booked)}}
        self.send_response(200 if found is not None else 404)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append((self.path, form))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"access_token": "given", "token_type": "bearer"}')

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def test_the_ledger_of_a_rest_catalog_is_asked_of_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    server = HTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    known = Connections(Connection(id="c", host=host, schema="api", extra={"token": "tk"}))
    monkeypatch.setattr(iceberg_ledger, "resolved", lambda _places: known)
    catalog = Catalog(name="lake", type="rest", warehouse="w h", connection="c")
    try:
        ledger = iceberg_ledger.IcebergLedgerHook(catalog, "sales.raw.orders")
        assert ledger.newest_attempt("flights", "lake") == 7
        assert len(ledger.windows("flights", "lake")) == 1
        assert iceberg_ledger.IcebergLedgerHook(catalog, "sales.gone").entries == {}
    finally:
        server.shutdown()
        server.server_close()
    assert Server.asked[0] == ("/api/v1/config?warehouse=w+h", "Bearer tk")


def test_a_client_of_a_rest_catalog_asks_for_a_token_first(monkeypatch: pytest.MonkeyPatch) -> None:
    server = HTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    known = Connections(Connection(id="c", host=host, schema="api", login="me", password="s&cret"))
    monkeypatch.setattr(iceberg_ledger, "resolved", lambda _places: known)
    monkeypatch.setattr(Server, "asked", [])
    try:
        catalog = Catalog(name="lake", type="rest", connection="c")
        ledger = iceberg_ledger.IcebergLedgerHook(catalog, "sales.raw.orders")
        assert ledger.newest_attempt("flights", "lake") == 7
    finally:
        server.shutdown()
        server.server_close()
    form = "grant_type=client_credentials&scope=catalog&client_id=me&client_secret=s%26cret"
    assert Server.asked[0] == ("/api/v1/oauth/tokens", form)
    assert {held for _, held in Server.asked[1:]} == {"Bearer given"}
