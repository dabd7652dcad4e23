"""The console's web server."""

from collections.abc import Callable, Coroutine
from pathlib import Path

from aiohttp import web

from tenfold_operator.adapters.store import Store
from tenfold_operator.console import assets, guard
from tenfold_operator.console.api import Api, problems
from tenfold_operator.console.feed import Feed
from tenfold_operator.console.history import Historian
from tenfold_operator.console.source import Source
from tenfold_operator.journal import Journal
from tenfold_operator.ports import Clock, Metrics

_SHUTDOWN_SECONDS = 2.0


async def start(
    *,
    store: Store,
    journal: Journal,
    prometheus: Metrics,
    clock: Clock,
    port: int,
    token_file: Path | None,
    begin: Callable[[Coroutine[None, None, None]], None],
) -> web.AppRunner:
    """Serve the page at / and its API; the caller cleans the runner up.

    `begin` runs a coroutine for as long as the operator runs.
    """
    source = Source(store, journal)
    feed = Feed(source)
    begin(feed.run())
    files = assets.load()

    async def page(request: web.Request) -> web.Response:
        return assets.respond(files, request)

    async def end(_: web.Application) -> None:
        await feed.close()

    checks = (guard.only_with_token(token_file),) if token_file else ()
    application = web.Application(middlewares=[problems, *checks])
    application.on_response_prepare.append(guard.add_headers)
    application.on_shutdown.append(end)
    application.add_routes(Api(source, feed, Historian(prometheus, clock)).routes())
    application.add_routes([web.get("/{path:(?!api/).*}", page)])
    runner = web.AppRunner(
        application,
        access_log=None,
        # A browser that goes away frees its place among the listeners at once.
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
