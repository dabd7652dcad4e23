"""An ASGI application in Traefik's place, slow or faulty as its environment says.

Run by uvicorn in a process of its own: it leads to real services, as the gateway's routes do.
"""

import asyncio
import itertools
import os
from typing import Any

import aiohttp

_GATEWAY = os.environ["GATEWAY_URL"]
_WEBHOOKS = os.environ["WEBHOOKS_URL"]
_DELAY_SECONDS = float(os.environ.get("DELAY_SECONDS", "0"))
# Every so many-th answer is an error; 0 is none.
_ERROR_EVERY = int(os.environ.get("ERROR_EVERY", "0"))
# Every so many-th order and webhook that was taken is sent a second time; 0 is none.
_LOSE_EVERY = int(os.environ.get("LOSE_EVERY", "0"))

_numbers, _writes = itertools.count(1), itertools.count(1)
_sessions: list[aiohttp.ClientSession] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body = await _body(receive)
    await asyncio.sleep(_DELAY_SECONDS)
    if _ERROR_EVERY and next(_numbers) % _ERROR_EVERY == 0:
        await _answer(send, 500, b"{}")
        return
    if _is_lost(scope):
        await _answer(send, 202, b'{"status": "accepted"}')
        return
    base = _WEBHOOKS if scope["path"].startswith("/v1/webhooks") else _GATEWAY
    query = scope["query_string"].decode()
    url = f"{base}{scope['path']}{'?' if query else ''}{query}"
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    async with _session().request(scope["method"], url, data=body, headers=headers) as answer:
        await _answer(send, answer.status, await answer.read())


def _is_lost(scope: Any) -> bool:
    """Whether this webhook is thrown away, though it is told to be taken."""
    webhook = scope["path"].startswith("/v1/webhooks")
    return bool(webhook and _LOSE_EVERY and next(_writes) % _LOSE_EVERY == 0)


def _session() -> aiohttp.ClientSession:
    if not _sessions:
        _sessions.append(aiohttp.ClientSession())
    return _sessions[0]


async def _body(receive: Any) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
