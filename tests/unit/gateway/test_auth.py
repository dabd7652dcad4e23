"""Which tokens are believed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from tenfold_gateway import auth
from tenfold_marketplaces.identity import AUDIENCE, ISSUER, Identity, TokenRequest

from tests.support import wait_until

IDENTITY = Identity(seed=1)


@dataclass
class Source:
    """Keys that come or do not."""

    documents: list[bytes | Exception] = field(default_factory=list)
    reads: int = 0

    async def read(self) -> bytes:
        self.reads += 1
        await asyncio.sleep(0)
        document = self.documents.pop(0) if len(self.documents) > 1 else self.documents[0]
        if isinstance(document, Exception):
            raise document
        return document


def _keys(identity: Identity = IDENTITY) -> bytes:
    return identity.keys.model_dump_json().encode()


def _token(identity: Identity = IDENTITY, **wanted: object) -> str:
    request = TokenRequest.model_validate({"tenant": "shop", **wanted})
    return f"Bearer {identity.token(request).access_token}"


def _verifier(*documents: bytes | Exception) -> tuple[auth.Verifier, Source]:
    source = Source(list(documents or (_keys(),)))
    return auth.Verifier(auth.Keys(source), ISSUER, AUDIENCE), source


def _verify(header: str | None, verifier: auth.Verifier | None = None) -> auth.Principal:
    return asyncio.run((verifier or _verifier()[0]).verify(header))


def test_a_good_token_tells_tenant_and_scopes() -> None:
    found = _verify(_token(scope="read write"))
    assert found == auth.Principal("shop", frozenset({"read", "write"}))


def _forged(**claims: object) -> str:
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "tenant": "shop",
        "exp": time.time() + 60,
    }
    key = ed25519.Ed25519PrivateKey.generate()
    kid = IDENTITY.keys.keys[0].kid
    return "Bearer " + jwt.encode({**good, **claims}, key, "EdDSA", headers={"kid": kid})


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic c2hvcDp4",
        "Bearer",
        "Bearer a.b.c",
        _forged(),
        "Bearer " + jwt.encode({"tenant": "shop"}, "x" * 32, "HS256", headers={"kid": "none"}),
        _token(Identity(seed=2)),
    ],
)
def test_what_nobody_we_know_signed_is_refused(header: str | None) -> None:
    with pytest.raises(auth.Unauthorized) as refused:
        _verify(header)
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


def test_a_public_key_is_no_secret_that_signs() -> None:
    key = IDENTITY.keys.keys[0]
    token = jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "tenant": "shop", "exp": time.time() + 60},
        key.x.encode(),
        "HS256",
        headers={"kid": key.kid},
    )
    with pytest.raises(auth.Unauthorized):
        _verify(f"Bearer {token}")


def test_a_token_of_another_issuer_or_for_others_is_refused() -> None:
    for issuer, audience in (("other", AUDIENCE), (ISSUER, "other")):
        verifier = auth.Verifier(auth.Keys(Source([_keys()])), issuer, audience)
        with pytest.raises(auth.Unauthorized):
            _verify(_token(), verifier)


def test_a_verified_token_is_refused_once_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, _ = _verifier()
    header = _token(expires_seconds=1)
    over = time.time() + 1
    _verify(header, verifier)  # with leeway: a busy machine may take a second to come here
    monkeypatch.setattr(auth, "_LEEWAY_SECONDS", 0)
    wait_until(lambda: time.time() > over, seconds=5, what="the token's life to be over")
    with pytest.raises(auth.Unauthorized, match="expired"):
        _verify(header, verifier)


def test_requests_that_come_while_the_keys_are_read_wait_for_them() -> None:
    verifier, source = _verifier()

    async def crowd() -> list[auth.Principal]:
        headers = [_token(tenant=f"shop-{number}") for number in range(10)]
        return await asyncio.gather(*(verifier.verify(header) for header in headers))

    assert len(asyncio.run(crowd())) == 10
    assert source.reads == 1


def test_a_new_key_is_found_and_strangers_cannot_make_us_ask_for_each_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Identity(seed=2)
    verifier, source = _verifier(_keys(), _keys(other))
    _verify(_token(), verifier)
    for _ in range(5):
        with pytest.raises(auth.Unauthorized):
            _verify(_token(other), verifier)
    assert source.reads == 1
    monkeypatch.setattr(auth, "_LOOK_AGAIN_SECONDS", 0.0)
    assert _verify(_token(other), verifier).tenant == "shop"
    assert source.reads == 2


def test_a_provider_that_is_away_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, source = _verifier(_keys(), OSError("away"))
    _verify(_token(), verifier)
    monkeypatch.setattr(auth, "_REFRESH_SECONDS", 0.0)
    assert _verify(_token(tenant="other"), verifier).tenant == "other"
    assert source.reads == 2


def test_without_keys_the_refusal_says_what_to_set() -> None:
    with pytest.raises(auth.Unauthorized, match="TENFOLD_JWKS"):
        _verify(_token(), auth.Verifier(None, ISSUER, AUDIENCE))
