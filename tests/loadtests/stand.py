"""The platform's services as processes on loopback, as far as a load run needs them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.loadtests.processes import PASSWORD, Redis
from tests.services.processes import Program, gateway, running, simulator
from tests.services.webhook_sender import SECRETS
from tests.support import REPOSITORY, free_port, wait_until

# More than the load's users ask for: the simulator's own number.
_PRODUCTS = "2500"


@dataclass(frozen=True)
class Stand:
    """Where the parts are."""

    redis: Redis
    marketplaces: Program
    gateway: Program
    webhooks: Program

    @property
    def environment(self) -> dict[str, str]:
        """What the gate needs to know beside its options."""
        return {
            **os.environ,
            "COLUMNS": "200",
            "REDIS_URL": self.redis.url,
            "REDIS_PASSWORD": PASSWORD,
            "TENFOLD_WEBHOOK_SECRETS": json.dumps(SECRETS),
        }

    @contextlib.contextmanager
    def front(self, **variables: str) -> Iterator[str]:
        """The one address of all services, slow or faulty as the variables say."""
        port = free_port()
        command = ["uvicorn", "tests.loadtests.front:app", "--port", str(port)]
        quiet = ["--log-level", "critical", "--http", "httptools", "--loop", "uvloop"]
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *quiet],
            env={
                **os.environ,
                "GATEWAY_URL": self.gateway.url,
                "WEBHOOKS_URL": self.webhooks.url,
                **variables,
            },
            cwd=REPOSITORY,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _accepts(url), seconds=60, what="the front answers", every=0.05)
            yield url
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def stand(folder: Path, **gateway_variables: str) -> Iterator[Stand]:
    """All services over one Redis."""
    redis = Redis(folder)
    redis.start()
    try:
        with (
            simulator(TENFOLD_PRODUCTS=_PRODUCTS) as marketplaces,
            gateway(redis.url, marketplaces, None, **gateway_variables) as api,
            running(
                "tenfold-webhooks",
                "serve",
                REDIS_URL=redis.url,
                REDIS_PASSWORD=PASSWORD,
                TENFOLD_SECRETS=json.dumps({name: [key] for name, key in SECRETS.items()}),
            ) as webhooks,
        ):
            yield Stand(redis, marketplaces, api, webhooks)
    finally:
        redis.kill()


def _accepts(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        httpx.get(f"{url}/v1/info")
        return True
    return False
