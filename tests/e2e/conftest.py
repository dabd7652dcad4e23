"""Where the platform's parts are, for the end-to-end tests."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.support import run_command

TENANT = "marketplace"


@pytest.fixture(scope="session")
def entrances(platform: None) -> dict[str, str]:
    """The addresses of the platform's entrances."""
    done = run_command("tenfold", "status", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, str] = json.loads(done.stdout)["entrances"]
    return found


@pytest.fixture(scope="session")
def gateway(entrances: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the gateway's address."""
    with httpx.Client(base_url=entrances["gateway"], timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def prometheus(entrances: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of Prometheus' API."""
    with httpx.Client(base_url=f"{entrances['prometheus']}/api/v1", timeout=10) as client:
        yield client
