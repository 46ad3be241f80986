"""A fake of Databricks' REST API on loopback: no Spark runs there, and nobody but Databricks can say that it is alike.

What holds it to the real one: requests and answers must fit the schemas made from its public SDK
(`databricks_api.py`); what doesn't is refused, and stands in `wrong`. A test moves the states of its runs. Faults are
as networks have them: refusals before the work, answers that are lost or cut after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.answering import answering
from tests.servers.databricks_calls import Server
from tests.servers.guarded import free_port


@contextmanager
def databricks_server() -> Iterator[Server]:
    """A fresh service until the end of the block, with a volume and a cluster that runs."""
    server = Server(free_port())
    with answering(server):
        yield server
