"""Webhooks as the two marketplaces send them: bodies and signatures."""

import base64
import hashlib
import hmac
import json
import time


def event(marketplace: str, name: str, sku: str) -> bytes:
    """Return the event that an order was created, for one piece of a product."""
    if marketplace == "trendyol":
        order = {
            "orderNumber": name,
            "status": "Created",
            "lines": [{"merchantSku": sku, "quantity": 1}],
        }
        return _encoded({"eventId": name, "eventDate": round(time.time() * 1000), "order": order})
    content = {
        "orderNumber": name,
        "orderStatus": "1",
        "itemList": {"item": [{"productSellerCode": sku, "quantity": "1"}]},
    }
    date = time.strftime("%d/%m/%Y %H:%M:%S")
    return _encoded({"notificationId": name, "date": date, "content": content})


def signed(marketplace: str, secret: str, body: bytes) -> dict[str, str]:
    """Return the headers with the signature of a body, made now."""
    now = time.time()
    if marketplace == "trendyol":
        moment = str(round(now * 1000))
        return {"X-Trendyol-Signature": f"t={moment},v1={_digest(secret, moment, body).hex()}"}
    moment = str(round(now))
    signature = base64.b64encode(_digest(secret, moment, body)).decode()
    return {"X-N11-Timestamp": moment, "X-N11-Signature": signature}


def _encoded(event: dict[str, object]) -> bytes:
    return json.dumps(event).encode()


def _digest(secret: str, moment: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).digest()
