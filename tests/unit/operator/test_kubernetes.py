"""The Kubernetes adapter against a server of HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import kubernetes.client
import pytest
from tenfold_operator.adapters.kubernetes import KubernetesCluster
from tenfold_operator.model.manifest import Ref
from tenfold_operator.ports import Rejected, Unavailable

POD = Ref("Pod", "tenfold-training", "training-1-abcde")
PATH = "/api/v1/namespaces/tenfold-training/pods/training-1-abcde/log?limitBytes=1000"


class Server(ThreadingHTTPServer):
    """Answers each request for a log with the same."""

    status, content = 200, b""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        is_known = self.path == PATH
        self.send_response(self.server.status if is_known else 400)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=found.serve_forever)
    serving.start()
    configuration = kubernetes.client.Configuration(host=f"http://127.0.0.1:{found.server_port}")
    monkeypatch.setattr(kubernetes.client.Configuration, "get_default_copy", lambda: configuration)
    yield found
    found.shutdown()
    serving.join()
    found.server_close()


def test_a_log_is_the_text_that_was_printed(server: Server) -> None:
    server.content = "no JSON\n\u00e4\n".encode()
    assert KubernetesCluster(retries=0).read_log(POD, 1000) == "no JSON\n\u00e4\n"


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (404, b'{"reason": "NotFound", "message": "no pod"}', Rejected),
        (403, b'{"reason": "Forbidden", "message": "pods/log"}', Rejected),
        (400, b'{"reason": "BadRequest", "message": "container is creating"}', Rejected),
        (502, b"kubelet does not answer", Unavailable),
    ],
)
def test_a_log_that_cannot_be_read_says_why(
    server: Server, status: int, content: bytes, error: type[Exception]
) -> None:
    server.status, server.content = status, content
    with pytest.raises(error):
        KubernetesCluster(retries=0).read_log(POD, 1000)
