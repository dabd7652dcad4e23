"""Traffic of every kind that the platform takes: products, orders, webhooks, and refusals."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support import Kubectl

_PAUSE_SECONDS = 0.2
_ASK = (
    "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/identity/token',"
    ' data=b\'{"tenant": "shop"}\').read().decode())'
)


def token(kubectl: Kubectl, namespace: str) -> str:
    """Return a bearer token of the simulated identity provider; only pods may ask it."""
    pod = ("exec", "deployment/marketplaces", f"--namespace={namespace}", "--")
    return str(json.loads(kubectl(*pod, "python3", "-c", _ASK))["access_token"])


def webhook_secret(kubectl: Kubectl, namespace: str) -> str:
    """Return what the simulated Trendyol signs with."""
    found = kubectl.get("secret", "marketplaces", f"--namespace={namespace}")
    secrets = json.loads(base64.b64decode(found["data"]["webhooks"]))
    return str(secrets["trendyol"][0])


def _webhook(number: int, secret: str) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(
        {
            "eventId": f"boards-{time.time_ns()}-{number}",
            "eventDate": round(time.time() * 1000),
            "order": {
                "orderNumber": f"boards-{number}",
                "status": "Created",
                "lines": [{"merchantSku": "SKU-1", "quantity": 1}],
            },
        }
    ).encode()
    moment = str(round(time.time() * 1000))
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return body, {"X-Trendyol-Signature": f"t={moment},v1={digest}"}


def _send(client: httpx.Client, bearer: str, secret: str, number: int) -> None:
    headers = {"Authorization": f"Bearer {bearer}"}
    marketplace = ("trendyol", "n11", "ebay")[number % 3]
    for path in ("products?limit=2", f"products/SKU-{number % 40 + 1:06d}", "prices?limit=2"):
        client.get(f"/v1/{marketplace}/{path}", headers=headers)
    client.get("/v1/n11/products")  # without a token: refused
    client.post("/v1/counters/boards")
    body, signature = _webhook(number, secret)
    client.post("/v1/webhooks/trendyol", content=body, headers=signature)


@contextmanager
def shop_traffic(gateway: str, bearer: str, secret: str) -> Iterator[None]:
    """Send until the block ends; an answer of any kind will do."""
    stop = threading.Event()

    def run() -> None:
        with httpx.Client(base_url=gateway, timeout=10) as client:
            for number in itertools.count():
                if stop.wait(_PAUSE_SECONDS):
                    return
                _send(client, bearer, secret, number)

    sender = threading.Thread(target=run)
    sender.start()
    try:
        yield
    finally:
        stop.set()
        sender.join()
