"""A service that behaves well or badly, as its environment says; the standard library alone.

ERROR_RATIO answers that share of requests with 500, DELAY_SECONDS waits before each answer,
LEAK_BYTES keeps so much memory for each request, CRASH ends at once, NEVER_READY is never ready.
"""

import asyncio
import contextlib
import os
import random
import sys

PORT = 8080
REVISION = os.environ.get("TENFOLD_REVISION", "?")
ERROR_RATIO = float(os.environ.get("ERROR_RATIO", "0"))
DELAY_SECONDS = float(os.environ.get("DELAY_SECONDS", "0"))
LEAK_BYTES = int(os.environ.get("LEAK_BYTES", "0"))
IS_READY = "NEVER_READY" not in os.environ

_kept: list[bytes] = []
_chance = random.Random(7)


async def respond(path: str) -> tuple[int, str]:
    """Return status and body of a request."""
    if path == "/readyz":
        return (200, "ready") if IS_READY else (503, "not ready")
    _kept.append(b"x" * LEAK_BYTES)
    if DELAY_SECONDS:
        await asyncio.sleep(DELAY_SECONDS)
    return (500 if _chance.random() < ERROR_RATIO else 200), REVISION


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of a connection until the client has no more."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            status, body = await respond(head.split(b" ", 2)[1].decode())
            answer = f"HTTP/1.1 {status} -\r\ncontent-length: {len(body)}\r\n\r\n{body}"
            writer.write(answer.encode())
            await writer.drain()
    writer.close()


async def main() -> None:
    """Serve until told to end."""
    server = await asyncio.start_server(converse, "0.0.0.0", PORT)  # noqa: S104 - in a pod
    await server.serve_forever()


if __name__ == "__main__":
    if "CRASH" in os.environ:
        sys.exit("told to crash")
    asyncio.run(main())
