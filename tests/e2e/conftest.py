"""Where the platform's parts are, for the end-to-end tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support import run_command

TENANT = "marketplace"


@pytest.fixture(scope="session")
def outputs(platform: None) -> dict[str, Any]:
    """The stack's outputs."""
    done = run_command("tenfold", "status", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def gateway(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client of the gateway's address."""
    with httpx.Client(base_url=outputs["gateway"], timeout=10) as client:
        yield client


@pytest.fixture(scope="session")
def prometheus(outputs: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client of Prometheus' API."""
    with httpx.Client(base_url=f"{outputs['prometheus']}/api/v1", timeout=10) as client:
        yield client
