"""A pretended identity provider: its key comes from the seed, so that replicas agree."""

import base64
import hashlib
import time

import jwt
import pydantic
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from starlette import requests, responses
from tenfold_runtime import api

ISSUER = "tenfold-marketplaces"
AUDIENCE = "tenfold-gateway"
_ALGORITHM = "EdDSA"


class Key(pydantic.BaseModel):
    """One JSON Web Key (RFC 8037)."""

    kty: str = "OKP"
    crv: str = "Ed25519"
    use: str = "sig"
    alg: str = _ALGORITHM
    kid: str
    x: str


class KeySet(pydantic.BaseModel):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[Key]


class TokenRequest(pydantic.BaseModel):
    """Whom a token is for and what it allows."""

    tenant: str = pydantic.Field(pattern=r"^[a-z0-9-]{1,63}$")
    scope: str = "read write"
    expires_seconds: int = pydantic.Field(default=3600, ge=1, le=86_400)


class Token(pydantic.BaseModel):
    """A bearer token."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (a kind, no secret)
    expires_in: int


class Identity:
    """Signs tokens."""

    def __init__(self, seed: int) -> None:
        material = hashlib.sha256(f"tenfold identity {seed}".encode()).digest()
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(material)
        public = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        x = base64.urlsafe_b64encode(public).decode().rstrip("=")
        self._public = Key(kid=hashlib.sha256(public).hexdigest()[:16], x=x)

    @property
    def keys(self) -> KeySet:
        """The public keys."""
        return KeySet(keys=[self._public])

    def token(self, wanted: TokenRequest) -> Token:
        """Sign a token."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": wanted.tenant,
            "tenant": wanted.tenant,
            "scope": wanted.scope,
            "iat": now,
            "exp": now + wanted.expires_seconds,
        }
        signed = jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": self._public.kid})
        return Token(access_token=signed, expires_in=wanted.expires_seconds)


def endpoints(identity: Identity) -> list[api.Endpoint]:
    """Return the provider's endpoints."""

    async def keys(_: requests.Request, __: api.NoParameters) -> responses.Response:
        return api.answer(identity.keys)

    async def token(request: requests.Request, _: api.NoParameters) -> responses.Response:
        return api.answer(identity.token(await api.read_body(request, TokenRequest)))

    return [
        api.Endpoint(
            "GET",
            "/identity/jwks.json",
            keys,
            api.NoParameters,
            summary="The keys that tokens are verified by.",
            answer=KeySet,
        ),
        api.Endpoint(
            "POST",
            "/identity/token",
            token,
            api.NoParameters,
            summary="Sign a token for a tenant.",
            body=TokenRequest,
            answer=Token,
            problems=(422,),
        ),
    ]
