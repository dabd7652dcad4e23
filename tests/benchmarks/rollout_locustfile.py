"""What Locust runs during the rollout benchmark: one request a second a user, and their outcomes.

Each worker writes what it saw to a file of its own when it ends: by second of their start, how many
requests there were, how many failed and how many took longer than a second; and how late requests
left, which tells whether the generator itself was the bottleneck.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators
# (Locust's event hooks have no types.)

import json
import os
import pathlib
import time
from collections import Counter, defaultdict

import locust
from tenfold_loadtests.pacing import Paced

FOLDER_VARIABLE = "TENFOLD_ROLLOUT_LOAD"
SLOW_MILLISECONDS = 1000

_seconds: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
_failures: Counter[str] = Counter()
_late: list[float] = []


class Visitor(Paced):
    """Asks once a second."""

    # A user who waits sends nothing: short, so that the load stays what it is.
    connection_timeout = 2.0
    network_timeout = 2.0

    @locust.task
    def visit(self) -> None:
        """Ask."""
        _late.append(max(0.0, time.monotonic() - self.due))
        self.client.get("")


@locust.events.request.add_listener
def _on_request(start_time: float, response_time: float, exception: object, **_: object) -> None:
    counts = _seconds[int(start_time)]
    counts[0] += 1
    counts[1] += exception is not None
    counts[2] += response_time > SLOW_MILLISECONDS
    if exception is not None:
        _failures[str(exception)[:80]] += 1


@locust.events.quitting.add_listener
def _on_quitting(**_: object) -> None:
    if not _seconds:
        return  # the master
    late = sorted(_late)
    content = {
        "seconds": _seconds,
        "failures": _failures,
        "late_seconds_p95": late[int(0.95 * len(late))],
    }
    path = pathlib.Path(os.environ[FOLDER_VARIABLE], f"{os.getpid()}.json")
    path.write_text(json.dumps(content), encoding="utf-8")
