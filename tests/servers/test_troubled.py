"""What requests meet on the way to a server, and what the server has heard of them."""

from __future__ import annotations

import http.client

import pytest

from tests.servers.listening import listening
from tests.servers.troubled import Trouble, troubled


def test_each_trouble_is_what_it_says() -> None:
    with listening() as server, troubled(server.port) as way:

        def post(path: str) -> int:
            asker = http.client.HTTPConnection("127.0.0.1", way.port, timeout=10)
            asker.request("POST", path, b"{}")
            return asker.getresponse().status

        way.troubles.extend(
            [
                Trouble(method="POST", path="/a", what="refused", times=2),
                Trouble(method="POST", path="/b", what="failed"),
                Trouble(method="POST", path="/c", what="cut"),
            ]
        )
        assert [post("/a") for _ in range(3)] == [503, 503, 200]
        assert [post("/b"), post("/b")] == [500, 200]
        with pytest.raises(http.client.RemoteDisconnected):
            post("/c")
        assert post("/no") == 403
        assert [path for path, _, _ in server.heard] == ["/a", "/b", "/b", "/c", "/no"], "it never heard of the refused"
