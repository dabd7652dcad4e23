"""Who may look, and what browsers are told not to do."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHORTEST_TOKEN = 16
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every answer has, errors included."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def read_token(path: Path) -> str:
    """Return the token that a mounted Secret holds; raises SystemExit that says what is wrong."""
    try:
        token = path.read_text().strip()
    except OSError as error:
        raise SystemExit(f"the console's token cannot be read: {error}") from error
    if len(token) < SHORTEST_TOKEN:
        raise SystemExit(
            f"the console's token in {path} has {len(token)} characters: "
            f"give it at least {SHORTEST_TOKEN}, as by openssl rand -base64 32"
        )
    return token


def only_with_token(path: Path) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    """Return a middleware that asks for the token in `path`, as it is at each request.

    A program sends it as a bearer token; a browser asks its user for a password (basic
    authentication, any user name) and sends it along, in the event stream too.
    """
    read_token(path)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = _given(request.headers.get("Authorization", ""))
        if not given or not _equal(given, path):
            raise web.HTTPUnauthorized(
                text="the console asks for its token: docs/console.md",
                headers={"WWW-Authenticate": 'Basic realm="Tenfold", charset="UTF-8"'},
            )
        return await handler(request)

    return check


def _equal(given: str, path: Path) -> bool:
    try:
        wanted = read_token(path)
    except SystemExit:
        return False  # taken away meanwhile: nobody gets in
    return hmac.compare_digest(given.encode(), wanted.encode())


def _given(header: str) -> str:
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""
