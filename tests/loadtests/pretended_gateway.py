"""An ASGI application with the gateway's answers, slow or faulty as its environment says.

Run by uvicorn in a process of its own: what the gate's tests load.
"""

import asyncio
import itertools
import json
import os
from typing import Any

_DELAY_SECONDS = float(os.environ.get("DELAY_SECONDS", "0"))
# Every so many-th answer is an error; 0 is none.
_ERROR_EVERY = int(os.environ.get("ERROR_EVERY", "0"))

_numbers = itertools.count(1)


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    if _DELAY_SECONDS:
        await asyncio.sleep(_DELAY_SECONDS)
    number = next(_numbers)
    failed = _ERROR_EVERY and number % _ERROR_EVERY == 0
    name = scope["path"].rpartition("/")[2]
    body = json.dumps({"name": name, "value": number, "version": "pretended", "revision": ""})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    status = 500 if failed else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
