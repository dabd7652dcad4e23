"""The command `tenfold-webhooks`: serve, and look after dead letters."""

import asyncio
import collections
import datetime
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import structlog
import typer
from redis import asyncio as redis
from redis import exceptions
from redis.asyncio import retry as retrying
from redis.backoff import NoBackoff
from rich.console import Console
from rich.table import Table
from tenfold_runtime import log, metrics, middleware, server
from tenfold_runtime import settings as reading

from tenfold_webhooks import app as receiving
from tenfold_webhooks import letters, settings

app = typer.Typer(no_args_is_help=True, help="Webhooks of marketplaces.")
dead = typer.Typer(no_args_is_help=True, help="Events that were given up.")
app.add_typer(dead, name="dead")
console = Console()

_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 2.0

_Result = TypeVar("_Result")
_Which = Annotated[str, typer.Argument(help="A cause of `dead list`, or one letter's id.")]


def main() -> None:
    """Run the command (console script `tenfold-webhooks`)."""
    app()


def connect(config: reading.UsingRedis, waiting_seconds: float = 0.0) -> letters.Letters:
    """Return the letters of a Redis; no answer may take longer than what it waits for and 2 s."""
    password = config.redis_password.get_secret_value() if config.redis_password else None
    client = redis.Redis.from_url(
        str(config.redis_url),
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=waiting_seconds + _ANSWER_SECONDS,
        # Whoever calls knows what may be tried again.
        retry=retrying.Retry(NoBackoff(), 0),
        # Closes the connection, which leads to a former primary for as long as it is open.
        retry_on_error=[exceptions.ReadOnlyError],
        # A password in the URL counts only where none is given.
        **({} if password is None else {"password": password}),  # type: ignore[arg-type]
    )
    return letters.Letters(client)


@app.command()
def serve() -> None:
    """Receive webhooks and work on them."""
    config = reading.load(settings.Settings, "The webhooks service")
    log.configure()
    metrics.serve(config.metrics_port, config.host)
    lifecycle = middleware.Lifecycle()
    moves = connect(config, config.block_seconds)
    application = receiving.create_app(config, moves, lifecycle)
    logger = structlog.get_logger(__name__)
    logger.info("starting", version=receiving.VERSION, sources=sorted(config.secrets))
    server.DrainingServer(application, lifecycle, config).run()
    logger.info("ended")


@app.command()
def sold(
    marketplace: Annotated[str, typer.Argument(help="Whose events.")],
    sku: Annotated[str, typer.Argument(help="Of which product.")],
) -> None:
    """Print how many pieces of a product the events that were applied have sold."""
    print(_with_letters(lambda moves: moves.sold(marketplace, sku)))


def _with_letters(work: Callable[[letters.Letters], Awaitable[_Result]]) -> _Result:
    config = reading.load(reading.UsingRedis, "tenfold-webhooks")

    async def run() -> _Result:
        return await work(connect(config))

    try:
        return asyncio.run(run())
    except (exceptions.RedisError, OSError) as error:
        where = f"{config.redis_url.host}:{config.redis_url.port}"
        console.print(f"Redis at {where} does not answer: {error}. Set REDIS_URL.", style="red")
        raise typer.Exit(1) from error


async def _all(moves: letters.Letters) -> list[letters.DeadLetter]:
    return [letter async for letter in moves.dead()]


async def _chosen(moves: letters.Letters, which: str) -> list[letters.DeadLetter]:
    return [letter for letter in await _all(moves) if which in (letter.id, letter.cause)]


@dead.command("list")
def list_() -> None:
    """List the causes, the most frequent first: letters that failed alike are one."""
    causes: dict[str, list[letters.DeadLetter]] = collections.defaultdict(list)
    for letter in _with_letters(_all):
        causes[letter.cause].append(letter)
    table = Table("cause", "letters", "marketplace", "reason", "first", "last", "detail", box=None)
    for cause, alike in sorted(causes.items(), key=lambda item: -len(item[1])):
        first, last = alike[0], alike[-1]
        moments = (_moment(first.buried), _moment(last.buried))
        row = (cause, str(len(alike)), first.marketplace, first.reason, *moments, last.detail)
        table.add_row(*row)
    console.print(table if causes else "No dead letters.")


@dead.command()
def show(which: _Which) -> None:
    """Show letters whole, a JSON object a line."""
    found = _with_letters(lambda moves: _chosen(moves, which))
    _require(found, which)
    for letter in found:
        print(letter.model_dump_json())


@dead.command()
def replay(which: _Which) -> None:
    """Put letters back to be worked on as new ones, when their cause is mended."""

    async def work(moves: letters.Letters) -> int:
        found = await _chosen(moves, which)
        _require(found, which)
        return sum([await moves.replay(letter) for letter in found])

    console.print(f"{_with_letters(work)} put back.")


def _require(found: list[letters.DeadLetter], which: str) -> None:
    if not found:
        console.print(f"No dead letter has the cause or id {which}; see `dead list`.", style="red")
        raise typer.Exit(1)


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
