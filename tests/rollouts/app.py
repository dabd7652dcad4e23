"""A service that behaves well or badly, as its environment says; the standard library alone.

ERROR_RATIO answers that share of requests with 500, DELAY_SECONDS waits before each answer,
LEAK_BYTES keeps so much memory for each request, CRASH ends at once, NEVER_READY is never ready.
BUSY_SECONDS is what each request takes of the one worker, STARTS_SECONDS what a start takes.
COOKIE is the name of a cookie that says which revision answered.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time

PORT = 8080
REVISION = os.environ.get("TENFOLD_REVISION", "?")
ERROR_RATIO = float(os.environ.get("ERROR_RATIO", "0"))
DELAY_SECONDS = float(os.environ.get("DELAY_SECONDS", "0"))
BUSY_SECONDS = float(os.environ.get("BUSY_SECONDS", "0"))
STARTS_SECONDS = float(os.environ.get("STARTS_SECONDS", "0"))
LEAK_BYTES = int(os.environ.get("LEAK_BYTES", "0"))
COOKIE = os.environ.get("COOKIE")
SET_COOKIE = f"set-cookie: {COOKIE}={REVISION}\r\n" if COOKIE else ""
IS_READY = "NEVER_READY" not in os.environ

_begun = time.monotonic()
_worker = asyncio.Lock()
_kept: list[bytes] = []
_chance = random.Random(7)


async def respond(path: str) -> tuple[int, str]:
    """Return status and body of a request."""
    if path == "/readyz":
        is_ready = IS_READY and time.monotonic() - _begun >= STARTS_SECONDS
        return (200, "ready") if is_ready else (503, "not ready")
    _kept.append(b"x" * LEAK_BYTES)
    if DELAY_SECONDS:
        await asyncio.sleep(DELAY_SECONDS)
    if BUSY_SECONDS:
        async with _worker:
            await asyncio.sleep(BUSY_SECONDS)
    return (500 if _chance.random() < ERROR_RATIO else 200), REVISION


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of a connection until the client has no more."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            status, body = await respond(request.split(b" ", 2)[1].decode())
            head = f"HTTP/1.1 {status} -\r\n{SET_COOKIE}content-length: {len(body)}"
            answer = f"{head}\r\n\r\n{body}"
            writer.write(answer.encode())
            await writer.drain()
    writer.close()


async def main() -> None:
    """Serve until told to end."""
    ended = asyncio.Event()
    # Process 1 of a container has no default for it, and would be killed at the end of its grace.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with await asyncio.start_server(converse, "0.0.0.0", PORT):  # noqa: S104 - in a pod
        await ended.wait()


if __name__ == "__main__":
    if "CRASH" in os.environ:
        sys.exit("told to crash")
    asyncio.run(main())
