"""Where connections of other databases lead: URLs of checked parts."""

from __future__ import annotations

from typing import Any

import pytest

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError
from spark_jobs.extract.jdbc import Jdbc
from spark_jobs.jdbc.address import address_of


def url(
    subprotocol: str, *, host: str = "db.corp", port: int | None = 1521, schema: str = "sales", **extra: Any
) -> str:
    told = {"driver": "a.Driver", "subprotocol": subprotocol, **extra}
    return address_of(Connection(id="db", kind="jdbc", host=host, port=port, schema=schema, extra=told)).url


def test_each_database_has_its_urls_shape() -> None:
    assert url("h2:tcp") == "jdbc:h2:tcp://db.corp:1521/sales"
    assert url("oracle:thin") == "jdbc:oracle:thin:@//db.corp:1521/sales"
    assert url("sqlserver", port=None) == "jdbc:sqlserver://db.corp;databaseName=sales"


@pytest.mark.parametrize("subprotocol", ["h2:tcp", "oracle:thin", "sqlserver"])
@pytest.mark.parametrize("schema", ["a;encrypt=false", "a?b", "a/b", "a%3Bb", "a b"])
def test_no_part_of_a_url_brings_options_along(subprotocol: str, schema: str) -> None:
    with pytest.raises(ConfigError, match="its schema can't be part of a URL"):
        url(subprotocol, schema=schema)


@pytest.mark.parametrize("said", [True, "true"])
def test_an_embedded_database_is_a_file_or_a_name(said: Any) -> None:
    assert url("h2:mem", host="", port=None, embedded=said) == "jdbc:h2:mem:sales"
    with pytest.raises(ConfigError, match="it has a host or a port, and its extra says `embedded`"):
        url("h2:mem", embedded=said)


@pytest.mark.parametrize("said", [False, "false"])
def test_a_text_that_says_no_means_no(said: Any) -> None:
    assert url("h2:tcp", embedded=said) == "jdbc:h2:tcp://db.corp:1521/sales"


@pytest.mark.parametrize("said", ["yes", "False", 1, 0, None, ""])
def test_anything_else_is_no_answer(said: Any) -> None:
    with pytest.raises(ConfigError, match="`embedded` in its extra is no yes and no no; expected true or false"):
        url("h2:mem", embedded=said)


def test_queries_do_not_run_in_a_database_that_reads_this_machines_files() -> None:
    extra = {"driver": "a.Driver", "subprotocol": "h2:mem", "embedded": True}
    here = Connection(id="db", kind="jdbc", schema="x", extra=extra)
    there = Connection(id="db", kind="jdbc", host="h", schema="x", extra=extra | {"embedded": False})
    query = Jdbc(connection="db", query="SELECT FILE_READ('/etc/passwd') AS a", window="all")
    with pytest.raises(ConfigError, match="its database runs in Spark's own Java, where SQL may read files"):
        query.refuse_embedded(here, "extract.a")
    query.refuse_embedded(there, "extract.a")
    Jdbc(connection="db", table="t", window="all").refuse_embedded(here, "extract.a")
