"""What happens around every request: measuring, limiting, draining."""

import time

from starlette import datastructures, types

from tenfold_gateway import metrics, problems

# Kubelet's questions must get their answers also when the service is full.
_PROBES = {"/healthz", "/readyz"}


class Lifecycle:
    """Whether the service still wants requests; set once, when it is told to end."""

    def __init__(self) -> None:
        self.draining = False


class Measure:
    """Counts and times requests by route template, so that names do not become series."""

    def __init__(self, app: types.ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer one request and record how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def observed(message: types.Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = time.perf_counter()
        try:
            with metrics.REQUESTS_IN_FLIGHT.track_inprogress():
                await self._app(scope, receive, observed)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"]
            metrics.REQUEST_SECONDS.labels(route, method).observe(time.perf_counter() - start)
            metrics.REQUESTS.labels(route, method, status).inc()


class Admit:
    """Turns requests away when too many are in flight, and sends clients elsewhere on the end.

    A service that queues without bound answers everybody too late. While it drains it goes on
    answering, and closes each connection after the answer, so that a proxy's pooled
    connections are given up between two requests and never under one.
    """

    def __init__(
        self, app: types.ASGIApp, lifecycle: Lifecycle, max_requests_in_flight: int
    ) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._limit = max_requests_in_flight
        self._in_flight = 0

    async def __call__(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        if self._in_flight >= self._limit:
            await _full(scope["path"])(scope, receive, send)
            return

        async def closing(message: types.Message) -> None:
            if self._lifecycle.draining and message["type"] == "http.response.start":
                datastructures.MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        self._in_flight += 1
        try:
            await self._app(scope, receive, closing)
        finally:
            self._in_flight -= 1


def _full(path: str) -> types.ASGIApp:
    problem = problems.Problem(
        type="urn:tenfold:problem:overloaded",
        title="Too many requests in flight",
        status=503,
        detail="This replica is at its limit; nothing was done. Try again.",
        instance=path,
    )
    return problems.response(problem, {"Retry-After": "1"})
