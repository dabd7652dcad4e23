"""Traces go to the collector that the usual variable names."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from tests.services import processes
from tests.support import wait_until


class _Collector(http.server.BaseHTTPRequestHandler):
    spans: list[bytes]

    def do_POST(self) -> None:
        self.spans.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector's address, and the spans that it got."""
    spans: list[bytes] = []
    handler = type("Collector", (_Collector,), {"spans": spans})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", spans
    server.shutdown()
    server.server_close()


def test_a_request_and_the_call_that_it_makes_are_one_trace(
    collector: tuple[str, list[bytes]],
) -> None:
    address, spans = collector
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with (
        processes.simulator() as upstreams,
        processes.gateway("redis://127.0.0.1:1/0", upstreams, None, **variables) as gateway,
    ):
        headers = processes.bearer(upstreams)
        answer = gateway.client.get("/v1/ozon/products", headers=headers)
        assert answer.status_code == 200
        wait_until(
            lambda: any(b"/ozon/v3/product/list" in batch for batch in spans),
            seconds=20,
            what="the call's span",
        )
        assert any(b"tenfold-gateway" in batch for batch in spans)
