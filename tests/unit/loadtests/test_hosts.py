"""Load goes to this machine, and elsewhere only for a reason."""

import http.server
import socket
import threading
import types
from collections.abc import Iterator

import psutil
import pytest
from tenfold_loadtests import hosts


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:8080/",
        "http://10.99.0.11:30080",
        "https://10.244.1.7",
    ],
)
def test_this_machine_and_its_cluster_may_be_loaded(url: str) -> None:
    hosts.check_allowed(url)


def test_an_address_of_one_of_its_interfaces_may_be_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = types.SimpleNamespace(family=socket.AF_INET, address="192.0.2.7")
    interfaces = {"eth7": [address]}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    hosts.check_allowed("http://192.0.2.7:30080")
    with pytest.raises(hosts.HostError):
        hosts.check_allowed("http://192.0.2.8:30080")


@pytest.mark.parametrize("url", ["http://192.0.2.1", "http://10.98.0.1", "http://[2001:db8::1]"])
def test_another_machine_is_refused_with_the_option_that_allows_it(url: str) -> None:
    with pytest.raises(hosts.HostError, match="--allow-remote"):
        hosts.check_allowed(url)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://127.0.0.1:x", ""]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(hosts.HostError):
        hosts.check_allowed(url)


class _Handler(http.server.BaseHTTPRequestHandler):
    body = b""
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_gateway_that_answers_is_accepted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "body", b'{"version": "1", "revision": ""}')
    hosts.check_answers(url)
    hosts.check_answers(f"{url}/")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"revision": ""}', b'{"version": 1}'])
def test_another_service_is_refused(url: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "body", body)
    with pytest.raises(hosts.HostError, match="not a Tenfold gateway"):
        hosts.check_answers(url)


def test_an_error_answer_is_refused_and_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Handler, "status", 404)
    with pytest.raises(hosts.HostError, match="answered 404"):
        hosts.check_answers(url)
