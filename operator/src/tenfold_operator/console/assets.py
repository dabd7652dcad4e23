"""The page's files, held in memory: a request names one of them or gets nothing."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from aiohttp import web

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


@dataclass(frozen=True)
class Asset:
    """One file."""

    content_type: str
    body: bytes
    packed: bytes
    """The body, compressed by gzip."""
    tag: str


def load() -> Mapping[str, Asset]:
    """Return the files under static/ by their path; the page itself is the empty path."""
    found: dict[str, Asset] = {}
    folders = [(resources.files(__package__) / "static", "")]
    while folders:
        folder, prefix = folders.pop()
        for each in folder.iterdir():
            path = f"{prefix}{each.name}"
            if each.is_dir():
                folders.append((each, f"{path}/"))
            elif (suffix := PurePosixPath(path).suffix) in _TYPES:
                found[path] = _asset(each.read_bytes(), _TYPES[suffix])
    return {**found, "": found["index.html"]}


def respond(assets: Mapping[str, Asset], request: web.Request) -> web.Response:
    """Answer with the file that the request names; raises HTTPNotFound."""
    asset = assets.get(request.match_info["path"])
    if asset is None:
        raise web.HTTPNotFound(text="there is no such page; the console is at /")
    headers = {"Cache-Control": "no-cache", "ETag": asset.tag, "Vary": "Accept-Encoding"}
    if request.headers.get("If-None-Match") == asset.tag:
        return web.Response(status=304, headers=headers)
    body = asset.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = asset.packed, "gzip"
    return web.Response(
        body=body, content_type=asset.content_type, charset="utf-8", headers=headers
    )


def _asset(body: bytes, content_type: str) -> Asset:
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return Asset(content_type, body, gzip.compress(body, mtime=0), tag)
