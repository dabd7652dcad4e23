"""Users who send one request a second. Imported by Locust's own processes only (gevent)."""

import random
import time

import locust

from tenfold_loadtests import moments


class Paced(locust.FastHttpUser):
    """One request a second, each at a moment of the second that is the user's own.

    Locust starts users in one batch a second, and its constant_throughput keeps them in step from
    then on: all requests of a second at one instant, each waiting for the others.
    """

    abstract = True
    # A redirect could lead the load to a machine that nobody allowed.
    max_redirects = 0
    due: float
    """When the next request is to leave, by time.monotonic."""

    def on_start(self) -> None:
        """Wait for a random part of the second."""
        # No service sets cookies, and to look for them costs a twelfth of a request.
        self.client.client.cookiejar = None
        wait = random.uniform(0, moments.PERIOD_SECONDS)  # noqa: S311
        self.due = time.monotonic() + wait
        time.sleep(wait)

    def wait_time(self) -> float:
        """Return the seconds until the next request; one that is overdue is sent at once."""
        now = time.monotonic()
        self.due = moments.following(self.due, now)
        return max(0.0, self.due - now)
