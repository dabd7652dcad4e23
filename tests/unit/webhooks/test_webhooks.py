"""What is believed, what is understood, what is tried again, what failed alike."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_webhooks import letters, settings, signature, worker
from tenfold_webhooks.sources import SOURCES

from tests.services.webhook_sender import SECRETS, n11_event, signed, trendyol_event

NAMES = sorted(SOURCES)
WINDOW_SECONDS = 300.0


def _verify(name: str, body: bytes, headers: dict[str, str], *secrets: str) -> None:
    lower = {key.lower(): value for key, value in headers.items()}
    keys = [secret.encode() for secret in secrets or (SECRETS[name],)]
    claim = SOURCES[name].claim(lower)
    signature.verify(claim, body, keys, time.time(), WINDOW_SECONDS)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_marketplace_signed_is_believed(name: str) -> None:
    _verify(name, b"body", signed(name, b"body"))


@pytest.mark.parametrize("name", NAMES)
def test_an_old_secret_is_good_while_it_is_listed(name: str) -> None:
    _verify(name, b"body", signed(name, b"body"), "new", SECRETS[name])
    with pytest.raises(signature.NotAuthentic):
        _verify(name, b"body", signed(name, b"body"), "new")


@pytest.mark.parametrize("name", NAMES)
@given(body=st.binary(max_size=200), position=st.integers(0, 199), change=st.integers(1, 255))
def test_no_changed_body_is_believed(name: str, body: bytes, position: int, change: int) -> None:
    headers = signed(name, body)
    changed = bytearray(body or b"\0")
    changed[position % len(changed)] ^= change
    if bytes(changed) != body:
        with pytest.raises(signature.NotAuthentic):
            _verify(name, bytes(changed), headers)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seconds", [-WINDOW_SECONDS - 5, WINDOW_SECONDS + 5])
def test_what_was_signed_outside_the_window_is_not_believed(name: str, seconds: float) -> None:
    headers = signed(name, b"body", at=time.time() + seconds)
    with pytest.raises(signature.NotAuthentic, match="within 300 s"):
        _verify(name, b"body", headers)


def test_the_time_cannot_be_changed_without_the_secret() -> None:
    headers = signed("n11", b"body", at=1_700_000_000)
    with pytest.raises(signature.NotAuthentic, match="does not fit"):
        _verify("n11", b"body", headers | {"X-N11-Timestamp": str(round(time.time()))})


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("n11", {}),
        ("n11", {"X-N11-Timestamp": "soon", "X-N11-Signature": "aGk="}),
        ("n11", {"X-N11-Timestamp": "1", "X-N11-Signature": "not base64!"}),
        ("trendyol", {}),
        ("trendyol", {"X-Trendyol-Signature": "t=1"}),
        ("trendyol", {"X-Trendyol-Signature": "t=1,v1=xyz"}),
        ("trendyol", {"X-Trendyol-Signature": "t=soon,v1=00"}),
    ],
)
def test_bad_headers_are_not_believed_and_named(name: str, headers: dict[str, str]) -> None:
    with pytest.raises(signature.NotAuthentic, match=r"X-(N11|Trendyol)-"):
        _verify(name, b"body", headers)


def test_both_marketplaces_tell_the_same() -> None:
    told = [
        SOURCES["trendyol"].model.model_validate_json(trendyol_event(7, "Created", quantity=2)),
        SOURCES["n11"].model.model_validate_json(n11_event(7, quantity=2)),
    ]
    for event in told:
        assert (event.order, event.status) == ("o-7", "created")
        assert [(line.sku, line.quantity) for line in event.lines] == [("SKU-1", 2)]
        assert event.occurred_at.utcoffset() is not None
    assert str(told[1].occurred_at) == "2026-02-01 07:20:30+00:00"


def test_pauses_double_up_to_the_longest_and_differ() -> None:
    config = settings.Working.model_validate(
        {"REDIS_URL": "redis://r", "first_pause_seconds": 1, "longest_pause_seconds": 60}
    )
    for attempts in range(20):
        whole = min(60.0, 2.0**attempts)
        pauses = {worker.pause_seconds(attempts, config) for _ in range(50)}
        assert len(pauses) > 1
        assert all(whole / 2 <= pause <= whole for pause in pauses)


def _dead(detail: str, reason: str = "invalid", marketplace: str = "n11") -> letters.DeadLetter:
    return letters.DeadLetter(
        marketplace=marketplace,
        body="{}",
        received=0.0,
        reason=reason,
        detail=detail,
        buried=0.0,
    )


def test_letters_that_failed_alike_have_one_cause() -> None:
    same = {
        _dead("lines.0.quantity: is not 12").cause,
        _dead("lines.17.quantity: is not 9").cause,
    }
    different = {
        _dead("lines.0.sku: is empty").cause,
        _dead("lines.0.quantity: is not 12", reason="failed").cause,
        _dead("lines.0.quantity: is not 12", marketplace="trendyol").cause,
    }
    assert len(same) == 1
    assert len(same | different) == 4


def test_settings_name_a_source_that_is_none() -> None:
    with pytest.raises(ValueError, match="declared are: n11, trendyol"):
        settings.Settings.model_validate(
            {"REDIS_URL": "redis://r", "secrets": json.loads('{"n12": ["x"]}')}
        )
