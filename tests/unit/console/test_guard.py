"""Who may look, and what a browser is told not to do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tenfold_operator.console import assets, guard

from tests.unit.console.scene import Scene
from tests.unit.console.site import Site

TOKEN = "correct horse battery"
PATHS = ("/", "/js/main.js", "/api/v1/overview", "/api/v1/events", "/nothing", "/api/nothing")
UPLOT = {
    "vendor/uplot/uPlot.esm.js": "5dd9b3281aa64b46",
    "vendor/uplot/uPlot.min.css": "df630c6a8d6f8eea",
    "vendor/uplot/LICENSE.txt": "8f989229699b4fe2",
}
"""uPlot 1.6.32 as npm has it, by the first digits of the SHA-256. Change them together with the
version in CONTRIBUTING.md."""


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def closed(token_file: Path) -> Iterator[Site]:
    """A console that asks for its token."""
    with Site(Scene(), token_file).running() as site:
        yield site


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nobody_sees_anything(closed: Site, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic %%"}):
        answer = httpx.get(closed.url + path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert "shop" not in answer.text


def test_a_program_sends_it_as_a_bearer_and_a_person_as_a_password(closed: Site) -> None:
    url = f"{closed.url}/api/v1/overview"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.get(url, headers=bearer).status_code == 200
    assert httpx.get(url, auth=("anybody", TOKEN)).status_code == 200
    assert httpx.get(url, auth=(TOKEN, "")).status_code == 401


def test_a_new_token_counts_at_once_and_a_lost_one_lets_nobody_in(
    closed: Site, token_file: Path
) -> None:
    url = f"{closed.url}/api/v1/overview"
    token_file.write_text("another token that is long")
    assert httpx.get(url, auth=("", TOKEN)).status_code == 401
    assert httpx.get(url, auth=("", "another token that is long")).status_code == 200
    token_file.unlink()
    assert httpx.get(url, auth=("", "another token that is long")).status_code == 401
    assert httpx.get(url, auth=("", "")).status_code == 401


@pytest.mark.parametrize("content", [None, "", "short", "   "])
def test_a_token_that_is_missing_or_short_ends_the_operator_with_the_reason(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit, match="the console's token"):
        guard.only_with_token(path)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers(site: Site, path: str) -> None:
    with httpx.stream("GET", site.url + path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in headers["Permissions-Policy"]


def test_files_are_packed_and_not_sent_twice(site: Site) -> None:
    answer = httpx.get(f"{site.url}/vendor/uplot/uPlot.esm.js")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 60_000
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert httpx.get(f"{site.url}/vendor/uplot/uPlot.esm.js", headers=tag).status_code == 304
    plain = httpx.get(f"{site.url}/js/main.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize(
    "path", ["/../server.py", "/%2e%2e/server.py", "/js/../../server.py", "/js", "/server.py"]
)
def test_no_other_file_can_be_read(site: Site, path: str) -> None:
    assert httpx.get(site.url + path).status_code == 404


def test_no_file_loads_from_elsewhere_or_makes_markup_of_text() -> None:
    for path, asset in assets.load().items():
        if path.startswith("vendor/"):
            continue
        text = asset.body.decode()
        addresses = text.replace("http://www.w3.org/2000/svg", "")
        assert "://" not in addresses, f"{path} names another site"
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, f"{path} has {word}"
        assert " style=" not in text
        assert not (path.endswith(".html") and "<script>" in text)


def test_the_chart_library_is_the_one_that_was_published() -> None:
    found = {path: hashlib.sha256(assets.load()[path].body).hexdigest()[:16] for path in UPLOT}
    assert found == UPLOT
