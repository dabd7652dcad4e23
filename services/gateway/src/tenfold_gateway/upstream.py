"""Calls of one marketplace: bulkhead, circuit breaker, deadlines and retries around HTTP.

From the outside in: a place of the bulkhead is taken for the whole call; each attempt asks the
breaker and has its own deadline; between attempts it waits, longer each time and by chance.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import ClassVar

import aiohttp
import purgatory
import stamina
import stamina.instrumentation
from purgatory.domain import model as circuit
from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker
from tenfold_runtime import problems

from tenfold_gateway import metrics, settings
from tenfold_gateway.mapping import Body

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_JITTER_SECONDS = 0.1
_LONGEST_REASON = 200

Query = Mapping[str, str] | None

# stamina would log each retry: in an outage at 10x that is hundreds of lines a second.
stamina.instrumentation.set_on_retry_hooks([])


class CallError(problems.ProblemError):
    """A call that brought no answer; `outcome` names it in metrics."""

    status_code: ClassVar[int]
    outcome: ClassVar[str]
    title_text: ClassVar[str]
    sent: ClassVar[bool] = False
    """Whether the marketplace may have done what it was asked."""
    retried: ClassVar[bool] = False

    def __init__(self, detail: str, retry_after_seconds: float | None = None) -> None:
        headers = (
            None if retry_after_seconds is None else {"Retry-After": f"{retry_after_seconds:.0f}"}
        )
        super().__init__(
            self.status_code, f"upstream-{self.outcome}", self.title_text, detail, headers=headers
        )
        self.retry_after_seconds = retry_after_seconds


class Full(CallError):
    """The bulkhead has no place."""

    status_code, outcome = 503, "full"
    title_text = "Too many calls of this marketplace are in flight"


class CircuitOpen(CallError):
    """The marketplace failed too often of late."""

    status_code, outcome = 503, "circuit-open"
    title_text = "The marketplace is not being called"


class Unreachable(CallError):
    """No connection; nothing was sent."""

    status_code, outcome, retried = 502, "unreachable", True
    title_text = "The marketplace cannot be reached"


class Limited(CallError):
    """The marketplace wants fewer calls."""

    status_code, outcome, retried = 503, "limited", True
    title_text = "The marketplace limits its calls"


class Failed(CallError):
    """The marketplace answered with a 5xx."""

    status_code, outcome, sent, retried = 502, "failed", True, True
    title_text = "The marketplace failed"


class Silent(CallError):
    """The marketplace did not answer in time, or its answer was cut off."""

    status_code, outcome, sent, retried = 504, "silent", True, True
    title_text = "The marketplace did not answer in time"


class Denied(CallError):
    """The marketplace does not take our credentials."""

    status_code, outcome = 502, "denied"
    title_text = "The marketplace does not accept the gateway's credentials"


class Rejected(CallError):
    """The marketplace does not take this request."""

    status_code, outcome = 422, "rejected"
    title_text = "The marketplace rejected the request"


class Unknown(CallError):
    """The marketplace does not know what was asked for."""

    status_code, outcome = 404, "unknown"
    title_text = "The marketplace does not know it"


_HARMLESS = (Limited, Denied, Rejected, Unknown)
"""Whoever answers so is up: these do not count against the circuit."""


class Breaker:
    """One marketplace's circuit: closed, open, or half open with one call on trial."""

    def __init__(self, name: str, failures: int, seconds: float) -> None:
        """Begin closed; open after so many failures in a row, for so many seconds."""
        self._name = name
        self._circuits = purgatory.AsyncCircuitBreakerFactory(
            default_threshold=failures, default_ttl=seconds, exclude=list(_HARMLESS)
        )

    @contextlib.asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Let a call through and note how it went; raises CircuitOpen."""
        breaker = await self._admitted()
        try:
            yield
        except BaseException as error:
            await breaker.__aexit__(type(error), error, error.__traceback__)
            raise
        else:
            await breaker.__aexit__(None, None, None)
        finally:
            open_ = breaker.context.state == circuit.OPENED
            metrics.BREAKER_OPEN.labels(self._name).set(open_)

    async def _admitted(self) -> AsyncCircuitBreaker:
        """Decide about a call; raises CircuitOpen."""
        start = time.perf_counter()
        breaker = await self._circuits.get_breaker(self._name)
        context = breaker.context
        try:
            # The library lets everybody through while one call is on trial.
            if context.state == circuit.HALF_OPENED:
                raise CircuitOpen(f"{self._name}: one call is on trial.", 1)
            await breaker.__aenter__()
        except circuit.OpenedState as opened:
            wait = max(1.0, opened.opened_at + context.ttl - time.time())
            raise CircuitOpen(
                f"{self._name} failed {context.threshold} times in a row.", wait
            ) from opened
        finally:
            metrics.BREAKER_SECONDS.observe(time.perf_counter() - start)
        return breaker


class Upstream:
    """One marketplace as the gateway calls it; to be made inside the event loop."""

    def __init__(self, name: str, config: settings.Upstream) -> None:
        self._name = name
        self._config = config
        self._breaker = Breaker(name, config.breaker_failures, config.breaker_seconds)
        self._base = str(config.url).rstrip("/")
        self._in_flight = 0
        headers = {"Accept": "application/json"}
        if config.authorization is not None:
            headers["Authorization"] = config.authorization.get_secret_value()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=config.places),
            timeout=aiohttp.ClientTimeout(
                total=config.answer_seconds, sock_connect=config.connect_seconds
            ),
            headers=headers,
            # Cookies of one tenant's call must not go out with another's.
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._retrying = stamina.AsyncRetryingCaller(
            attempts=config.attempts,
            timeout=config.total_seconds,
            wait_initial=_FIRST_PAUSE_SECONDS,
            wait_max=_LONGEST_PAUSE_SECONDS,
            wait_jitter=_JITTER_SECONDS,
        )

    async def call(
        self,
        resource: str,
        method: str,
        path: str,
        *,
        query: Query = None,
        body: Body | None = None,
        repeatable: bool = True,
    ) -> bytes:
        """Call the marketplace and return its answer.

        What is not `repeatable` is tried again only where nothing was done. Raises CallError.
        """
        outcome = "error"
        try:
            content = await self._held(method, path, query, body, repeatable)
            outcome = "ok"
            return content
        except CallError as error:
            outcome = error.outcome
            raise
        finally:
            metrics.UPSTREAM_REQUESTS.labels(self._name, resource, outcome).inc()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _held(
        self, method: str, path: str, query: Query, body: Body | None, repeatable: bool
    ) -> bytes:
        """Hold a place of the bulkhead for the whole call: whoever waits holds one too."""
        if self._in_flight >= self._config.places:
            raise Full(f"{self._name}: all {self._config.places} places are taken.", 1)
        self._in_flight += 1
        metrics.UPSTREAM_IN_FLIGHT.labels(self._name).set(self._in_flight)
        try:
            return await self._retried(method, path, query, body, repeatable)
        finally:
            self._in_flight -= 1
            metrics.UPSTREAM_IN_FLIGHT.labels(self._name).set(self._in_flight)

    async def _retried(
        self, method: str, path: str, query: Query, body: Body | None, repeatable: bool
    ) -> bytes:
        url = self._base + path.format(seller=self._config.seller)
        attempts = 0

        def worthwhile(error: Exception) -> bool | float:
            if not isinstance(error, CallError) or not error.retried:
                return False
            if error.sent and not repeatable:
                return False
            wait = error.retry_after_seconds
            return True if wait is None else wait <= _LONGEST_PAUSE_SECONDS and wait

        async def attempt() -> bytes:
            nonlocal attempts
            attempts += 1
            if attempts > 1:
                metrics.UPSTREAM_RETRIES.labels(self._name).inc()
            async with self._breaker():
                return await self._attempt(method, url, query, body)

        return await self._retrying(worthwhile, attempt)

    async def _attempt(self, method: str, url: str, query: Query, body: Body | None) -> bytes:
        start = time.perf_counter()
        try:
            async with self._session.request(
                method, url, params=query, json=body, allow_redirects=False
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"{self._name} cannot be reached; nothing was sent.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Silent(
                f"{self._name} did not answer; it may have done what was asked."
            ) from error
        finally:
            metrics.UPSTREAM_SECONDS.labels(self._name).observe(time.perf_counter() - start)
        if answer.status >= 300:
            raise self._refusal(answer.status, answer.headers.get("Retry-After"), content)
        return content

    def _refusal(self, status: int, retry_after: str | None, content: bytes) -> CallError:
        reason = content[:_LONGEST_REASON].decode(errors="replace")
        said = f"{self._name} answered {status}: {reason}"
        if status == 429:
            return Limited(said, _seconds(retry_after))
        if status >= 500:
            return Failed(f"{self._name} answered {status}.")
        if status in (401, 403):
            return Denied(f"{self._name} answered {status}.")
        return Unknown(said) if status == 404 else Rejected(said)


def _seconds(retry_after: str | None) -> float | None:
    """Return the header's seconds; its other form, a date, is no better than our own pauses."""
    return float(retry_after) if retry_after is not None and retry_after.isdigit() else None
