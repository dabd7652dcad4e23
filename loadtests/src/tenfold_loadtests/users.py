"""Who loads the platform. Imported by Locust's own processes only (gevent patches them)."""

import json
import random

import locust
from locust.contrib import fasthttp

# As many as 50,000 requests/min come from; far fewer would make single keys hot.
_COUNTERS = 200


class CounterUser(locust.FastHttpUser):
    """Reads and increments counters and asks which build answers, one request a second."""

    wait_time = locust.constant_throughput(1)
    # A stall counts as an error instead of holding a user for Locust's default minute.
    connection_timeout = 5.0
    network_timeout = 5.0
    # A redirect could lead the load to a machine that nobody allowed.
    max_redirects = 0

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
            # Other statuses are failures already.
            if answer.status_code == 200 and "version" not in _document(answer):
                answer.failure("the answer has no version")

    def _counter(self, method: str) -> None:
        name = f"load-{random.randrange(_COUNTERS)}"  # noqa: S311
        with self.client.request(
            method, f"/v1/counters/{name}", name="/v1/counters/{name}", catch_response=True
        ) as answer:
            if answer.status_code == 200:
                counter = _document(answer)
                if counter.get("name") != name or not isinstance(counter.get("value"), int):
                    answer.failure("the answer is not the counter that was asked for")


def _document(answer: fasthttp.ResponseContextManager) -> dict[str, object]:
    # From the bytes: Locust's own json() first guesses an encoding, at a third of the CPU.
    try:
        document = json.loads(answer.content or b"")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
