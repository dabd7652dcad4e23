"""Who loads the platform. Imported by Locust's own processes only (gevent patches them)."""

import json
import random
import time

import locust
from locust.contrib import fasthttp

# As many as 50,000 requests/min come from; far fewer would make single keys hot.
_COUNTERS = 200


class CounterUser(locust.FastHttpUser):
    """Reads and increments counters and asks which build answers, one request a second."""

    # A stall counts as an error instead of holding a user for Locust's default minute.
    connection_timeout = 5.0
    network_timeout = 5.0
    # A redirect could lead the load to a machine that nobody allowed.
    max_redirects = 0

    def on_start(self) -> None:
        """Begin at a moment of its own.

        Locust starts users in one batch a second, and its constant_throughput keeps them in
        step from then on: all requests of a second at one instant, each waiting for the others.
        """
        self._due = time.monotonic()
        time.sleep(self._until_due(random.random()))  # noqa: S311

    def wait_time(self) -> float:
        """Return the seconds until the next request; one that is overdue is sent at once."""
        return self._until_due(1.0)

    def _until_due(self, seconds: float) -> float:
        now = time.monotonic()
        self._due = max(self._due + seconds, now)
        return self._due - now

    @locust.task(5)
    def read(self) -> None:
        """Read a counter."""
        self._counter("GET")

    @locust.task(4)
    def increment(self) -> None:
        """Increment a counter."""
        self._counter("POST")

    @locust.task(1)
    def info(self) -> None:
        """Ask for the version."""
        with self.client.get("/v1/info", catch_response=True) as answer:
            _judge(answer, valid="version" in _document(answer))

    def _counter(self, method: str) -> None:
        name = f"load-{random.randrange(_COUNTERS)}"  # noqa: S311
        with self.client.request(
            method, f"/v1/counters/{name}", name="/v1/counters/{name}", catch_response=True
        ) as answer:
            counter = _document(answer)
            valid = counter.get("name") == name and isinstance(counter.get("value"), int)
            _judge(answer, valid=valid)


class _RequestFailure(Exception):
    """A failed request; Locust reports an error by its repr."""

    def __repr__(self) -> str:
        return str(self)


def _judge(answer: fasthttp.ResponseContextManager, *, valid: bool) -> None:
    """Name a failure by its cause only: with addresses in it each would be a kind of its own."""
    if answer.status_code == 200 and valid:
        return
    if answer.status_code == 0:
        error = getattr(answer, "error", None)
        cause = f"no answer: {getattr(error, 'original', error)}"
    elif answer.status_code == 200:
        cause = "200 with another content than was asked for"
    else:
        cause = f"{answer.status_code} {_document(answer).get('type', '')}".strip()
    answer.failure(_RequestFailure(cause))  # type: ignore[no-untyped-call]


def _document(answer: fasthttp.ResponseContextManager) -> dict[str, object]:
    # From the bytes: Locust's own json() may first guess an encoding, at a multiple of the CPU.
    try:
        document = json.loads(answer.content or b"")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
