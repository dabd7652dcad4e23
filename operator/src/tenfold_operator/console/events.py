"""The stream of server-sent events."""

import asyncio

from aiohttp import web

from tenfold_operator.console.feed import Batch, Feed, Full

_HEARTBEAT_SECONDS = 15.0
"""Proxies cut what is silent for longer, and a browser that went away is noticed."""
_SEND_SECONDS = 10.0
"""A browser that takes nothing for so long is let go; it comes back by itself."""
_RETRY_MILLISECONDS = 2000


async def stream(request: web.Request, feed: Feed) -> web.StreamResponse:
    """Answer with events until the browser or the operator ends.

    `change`: a list of Change; `reset`: read everything anew. Their ids are for Last-Event-ID,
    which the query parameter `after` stands for in the first request.
    """
    last_id = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    try:
        with feed.listener():
            return await _send(request, feed, last_id)
    except Full:
        raise web.HTTPServiceUnavailable(
            text="as many browsers listen as may; ask again later", headers={"Retry-After": "10"}
        ) from None


async def _send(request: web.Request, feed: Feed, last_id: str) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    try:
        async with asyncio.timeout(_SEND_SECONDS) as limit:
            await response.write(f"retry: {_RETRY_MILLISECONDS}\n\n".encode())
            limit.reschedule(None)
            async for event_id, batch in feed.batches(last_id, _HEARTBEAT_SECONDS):
                limit.reschedule(asyncio.get_running_loop().time() + _SEND_SECONDS)
                await response.write(_event(event_id, batch))
                limit.reschedule(None)
    except (TimeoutError, ConnectionResetError):
        pass  # it is gone, or as good as
    return response


def _event(event_id: str, batch: Batch | None) -> bytes:
    if not event_id:
        return b": still here\n\n"
    name, data = ("change", batch.data) if batch else ("reset", b"{}")
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), name.encode(), data)
