"""The console's web server."""

from aiohttp import web

from tenfold_operator.adapters.store import Store
from tenfold_operator.console.page import render
from tenfold_operator.console.state import snapshot
from tenfold_operator.journal import Journal

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


async def start(store: Store, journal: Journal, port: int) -> web.AppRunner:
    """Serve the page at / and the state at /api/v1/state; the caller cleans the runner up."""

    async def page(_: web.Request) -> web.Response:
        text = render(snapshot(store, journal))
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def state(_: web.Request) -> web.Response:
        return web.json_response(snapshot(store, journal), headers=_HEADERS)

    application = web.Application()
    application.add_routes([web.get("/", page), web.get("/api/v1/state", state)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
