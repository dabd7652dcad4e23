"""Sends signed webhooks as the marketplaces do: again and again until one is accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field

import httpx

SECRETS = {"trendyol": "trendyol-secret", "n11": "n11-secret"}


def trendyol_event(number: int, status: str, quantity: int = 1) -> bytes:
    return json.dumps(
        {
            "eventId": f"t-{number}-{status}",
            "eventDate": 1_790_000_000_000 + number,
            "order": {
                "orderNumber": f"o-{number}",
                "status": status,
                "lines": [{"merchantSku": "SKU-1", "quantity": quantity}],
            },
        }
    ).encode()


def n11_event(number: int, status: str = "1", quantity: int = 1) -> bytes:
    item = {"productSellerCode": "SKU-1", "quantity": str(quantity)}
    return json.dumps(
        {
            "notificationId": f"n-{number}-{status}",
            "date": "01/02/2026 10:20:30",
            "content": {
                "orderNumber": f"o-{number}",
                "orderStatus": status,
                "itemList": {"item": [item]},
            },
        }
    ).encode()


def signed(marketplace: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """Return the headers that a marketplace sends with a body."""
    now = time.time() if at is None else at
    secret = SECRETS[marketplace].encode()
    if marketplace == "trendyol":
        moment = str(round(now * 1000))
        digest = hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Trendyol-Signature": f"t={moment},v1={digest}"}
    moment = str(round(now))
    signature = hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "X-N11-Timestamp": moment,
        "X-N11-Signature": base64.b64encode(signature).decode(),
    }


@dataclass
class Sender:
    """Sends events to any of several receivers until each is accepted; counts repeats."""

    urls: list[str]
    accepted: int = 0
    repeats: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5))

    def send(self, marketplace: str, body: bytes) -> None:
        for attempt in range(2000):
            url = self.urls[attempt % len(self.urls)]
            try:
                answer = self._client.post(
                    f"{url}/v1/webhooks/{marketplace}",
                    content=body,
                    headers=signed(marketplace, body),
                )
                if answer.status_code == 202:
                    with self._lock:
                        self.accepted += 1
                    return
                assert answer.status_code >= 500, answer.text
            except httpx.TransportError:
                pass
            with self._lock:
                self.repeats += 1
            time.sleep(0.02)
        raise AssertionError("never accepted")
