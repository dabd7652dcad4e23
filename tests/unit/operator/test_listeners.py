"""Sentinels are listened to as long as the tier has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tenfold_operator.handlers import listeners
from tenfold_operator.handlers.listeners import Listeners
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Login

TIER = Ref("RedisTier", "shop", "l2")


class Deaf:
    """A client in which a cancellation gets lost, as it can while a connection ends."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def listen(self, address: str, login: Login, on_change: Callable[[str], None]) -> None:
        self.heard.append(f"{address} by {login.passwords[0]}")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return


def test_a_listener_ends_although_its_cancellation_got_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listeners, "_RECONNECT_SECONDS", 0)

    async def change_password() -> list[str]:
        client: Any = Deaf()

        async def wake(ref: Ref) -> None:
            raise AssertionError(ref)

        heard = Listeners(client, wake)
        heard.follow(TIER, ["10.0.0.1"], Login(("old",)))
        await asyncio.sleep(0)
        heard.follow(TIER, ["10.0.0.1"], Login(("new",)))
        await asyncio.sleep(0)
        heard.stop(TIER)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*left), 5)
        found: list[str] = client.heard
        return found

    assert asyncio.run(change_password()) == ["10.0.0.1 by old", "10.0.0.1 by new"]
