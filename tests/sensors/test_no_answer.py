"""Why nobody answered, of real sockets on this machine: in the words of TLS, of the resolver and of the system."""

from __future__ import annotations

import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_provider_etl.addresses import why

SECRET = "MARKERSECRET"
CLIENTS: dict[str, Callable[[str], Any]] = {
    "urllib": lambda url: urllib.request.urlopen(url, timeout=0.5),  # noqa: S310 - our own
    "requests": lambda url: requests.get(url, timeout=0.5),
}


@pytest.fixture(params=CLIENTS)
def reason(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Why an address doesn't answer a client: without the error's class, which is the client's own."""

    def asked(origin: str) -> str:
        with pytest.raises(OSError) as error:  # noqa: PT011 - both clients' errors are
            CLIENTS[request.param](f"{origin}/{SECRET}")
        told = why(error.value)
        assert SECRET not in told
        return told.partition(": ")[2]

    return asked


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that signed itself, for another host than this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("other.example")]), critical=False)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(form[0]) + key.private_bytes(*form))
    return path


def listening(greet: Callable[[socket.socket], Any]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # the server is closed, or the client has gone
                while True:
                    client, _ = server.accept()
                    with client, suppress(OSError):
                        greet(client)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)  # ends the accept


@pytest.fixture
def tls(certificate: Path) -> Iterator[int]:
    """The port of a server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield from listening(lambda client: context.wrap_socket(client, server_side=True).close())


@pytest.fixture
def plain() -> Iterator[int]:
    """The port of a server that speaks HTTP without TLS."""
    yield from listening(lambda client: (client.recv(1000), client.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")))


def test_a_certificate_that_signed_itself_is_told(reason: Callable[[str], str], tls: int) -> None:
    assert reason(f"https://127.0.0.1:{tls}") == "TLS: self-signed certificate"


def test_a_certificate_for_another_host_is_told_without_the_host(
    reason: Callable[[str], str], tls: int, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert reason(f"https://127.0.0.1:{tls}") == "TLS: IP address mismatch"
    assert reason(f"https://localhost:{tls}") == "TLS: Hostname mismatch"


def test_tls_to_a_port_without_it_is_told(reason: Callable[[str], str], plain: int) -> None:
    told = reason(f"https://127.0.0.1:{plain}")
    assert told.startswith("TLS: ")
    assert "permitted" not in told


def test_an_unknown_host_is_told_as_the_resolver_says_it(reason: Callable[[str], str]) -> None:
    with pytest.raises(socket.gaierror) as error:
        socket.getaddrinfo(f"{SECRET}.invalid", 80)  # not known, or without a network not to be asked
    assert reason(f"http://{SECRET}.invalid") == error.value.strerror


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_told(reason: Callable[[str], str], scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert reason(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}") == "timed out"


def test_a_port_that_nobody_listens_on_is_told(reason: Callable[[str], str]) -> None:
    with socket.socket() as down:
        down.bind(("127.0.0.1", 0))  # taken, and nobody listens
        assert reason(f"http://127.0.0.1:{down.getsockname()[1]}") == "Connection refused"
