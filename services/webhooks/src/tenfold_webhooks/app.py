"""Receives webhooks: verifies, keeps, and only then says so."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from importlib import metadata

import pydantic
import structlog
from redis import exceptions
from starlette import applications, requests, responses
from tenfold_runtime import api, middleware, problems

from tenfold_webhooks import letters, metrics, settings, signature, worker
from tenfold_webhooks.sources import SOURCES

VERSION = metadata.version("tenfold-webhooks")
_LARGEST_BYTES = 256 * 1024

_log = structlog.get_logger(__name__)


class Where(pydantic.BaseModel):
    """Which marketplace sends."""

    marketplace: str


class Accepted(pydantic.BaseModel):
    """The webhook is kept and will be applied."""

    status: str = "accepted"


class Receiver:
    """The door: what is not authentic stays outside, what was let in is not lost."""

    def __init__(self, config: settings.Settings, moves: letters.Letters) -> None:
        self._config = config
        self._moves = moves
        self._secrets = {
            name: [secret.get_secret_value().encode() for secret in secrets]
            for name, secrets in config.secrets.items()
        }

    async def receive(self, request: requests.Request, where: Where) -> responses.Response:
        """Take a webhook."""
        name = where.marketplace
        if name not in self._secrets:
            raise problems.ProblemError(
                404, "unknown-source", "No such source", f"Known: {', '.join(self._secrets)}."
            )
        body = await _body(request)
        self._verify(name, request, body)
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise problems.ProblemError(
                422, "invalid-request", "The request is not valid", "body: is not UTF-8"
            ) from error
        await self._keep(letters.Letter(marketplace=name, body=text, received=time.time()))
        metrics.RECEIVED.labels(name, "accepted").inc()
        return api.answer(Accepted(), 202)

    def _verify(self, name: str, request: requests.Request, body: bytes) -> None:
        start = time.perf_counter()
        try:
            signature.verify(
                SOURCES[name].claim(request.headers),
                body,
                self._secrets[name],
                time.time(),
                self._config.tolerance_seconds,
            )
        except signature.NotAuthentic as error:
            metrics.RECEIVED.labels(name, "not-authentic").inc()
            raise problems.ProblemError(
                401, "not-authentic", "The webhook is not authentic", str(error)
            ) from error
        finally:
            metrics.VERIFICATION_SECONDS.observe(time.perf_counter() - start)

    async def _keep(self, letter: letters.Letter) -> None:
        replicas = self._config.acknowledging_replicas
        try:
            kept = await self._moves.accept(letter, replicas, self._config.acknowledging_seconds)
        except (exceptions.RedisError, OSError, TimeoutError) as error:
            raise self._not_kept(letter, "Redis does not take it") from error
        if not kept:
            raise self._not_kept(letter, f"fewer than {replicas} replicas of Redis have it")

    def _not_kept(self, letter: letters.Letter, why: str) -> problems.ProblemError:
        metrics.RECEIVED.labels(letter.marketplace, "not-kept").inc()
        return problems.ProblemError(
            503,
            "not-kept",
            "The webhook is not safely kept",
            f"{why}. Send it again: an event is applied once, however often it comes.",
            headers={"Retry-After": "1"},
        )


def _end_with(task: asyncio.Task[None]) -> None:
    """End the process with a task that failed: one that only receives would look healthy."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("a worker failed", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


async def _body(request: requests.Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BYTES:
            raise problems.ProblemError(
                413, "too-large", "The webhook is too large", f"The most is {_LARGEST_BYTES} bytes."
            )
    return bytes(body)


def create_app(
    config: settings.Settings, moves: letters.Letters, lifecycle: middleware.Lifecycle
) -> applications.Starlette:
    """Assemble the receiver and its workers."""
    receiver = Receiver(config, moves)

    @contextlib.asynccontextmanager
    async def lifespan(_: applications.Starlette) -> AsyncIterator[None]:
        workers = [worker.Worker(moves, config) for _ in range(config.workers)]
        tasks = [asyncio.create_task(each.run()) for each in workers]
        tasks += [asyncio.create_task(each.tend()) for each in workers[:1]]
        for task in tasks:
            task.add_done_callback(_end_with)
        yield
        for each in workers:
            each.end()
        await asyncio.gather(*tasks)

    return api.create(
        [
            api.Endpoint(
                "POST",
                "/v1/webhooks/{marketplace}",
                receiver.receive,
                Where,
                summary="Take a signed webhook; 202 when it is kept.",
                answer=Accepted,
                status=202,
                problems=(401, 404, 413, 422, 503),
            )
        ],
        lifecycle,
        title="Tenfold webhooks",
        version=VERSION,
        revision=config.revision,
        prefix=metrics.PREFIX,
        max_requests_in_flight=config.max_requests_in_flight,
        lifespan=lifespan,
    )
