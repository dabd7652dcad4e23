"""Who asks: bearer tokens verified by the keys of a JSON Web Key Set."""

import asyncio
import dataclasses
import pathlib
import time
from typing import Protocol

import aiohttp
import cachetools
import jwt
import pydantic
import structlog
from tenfold_runtime import problems

from tenfold_gateway import metrics

# Never the symmetric ones: with them a public key would be a secret that signs.
_ALGORITHMS = ("EdDSA", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256")
_LEEWAY_SECONDS = 30
_REFRESH_SECONDS = 300.0
# An unknown key is looked for at once, and strangers cannot make us ask more often.
_LOOK_AGAIN_SECONDS = 10.0
_FETCH_SECONDS = 5.0
_REMEMBERED_TOKENS = 10_000

_log = structlog.get_logger(__name__)


class Unauthorized(problems.ProblemError):
    """No valid token."""

    def __init__(self, detail: str) -> None:
        metrics.REFUSED.labels("unauthorized").inc()
        headers = {"WWW-Authenticate": "Bearer"}
        super().__init__(401, "unauthorized", "A valid token is needed", detail, headers=headers)


class Forbidden(problems.ProblemError):
    """A valid token that does not allow this."""

    def __init__(self, detail: str) -> None:
        metrics.REFUSED.labels("forbidden").inc()
        super().__init__(403, "forbidden", "The token does not allow this", detail)


@dataclasses.dataclass(frozen=True)
class Principal:
    """Whom a request is for and what it may do."""

    tenant: str
    scopes: frozenset[str]


class _Claims(pydantic.BaseModel):
    exp: float
    tenant: str = pydantic.Field(pattern=r"^[a-z0-9-]{1,63}$")
    scope: str = ""


class KeySource(Protocol):
    """Where the key set is read from."""

    async def read(self) -> bytes:
        """Return the document; raises OSError or aiohttp.ClientError."""


@dataclasses.dataclass(frozen=True)
class KeyFile:
    """A mounted file."""

    path: pathlib.Path

    async def read(self) -> bytes:
        """Return the document."""
        return await asyncio.to_thread(self.path.read_bytes)


@dataclasses.dataclass(frozen=True)
class KeyAddress:
    """An identity provider's address."""

    url: str

    async def read(self) -> bytes:
        """Return the document."""
        timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(self.url, raise_for_status=True) as answer,
        ):
            return await answer.read()


class Keys:
    """The keys of a set, read again by age and when a token names one that is not there.

    A provider that is away changes nothing: the keys that are known go on verifying.
    """

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at = float("-inf")
        self._reading = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """Return the key of that name."""
        if self._is_due(kid):
            async with self._reading:
                if self._is_due(kid):
                    await self._read()
        return self._keys.get(kid)

    def _is_due(self, kid: str) -> bool:
        age = time.monotonic() - self._asked_at
        return age > (_REFRESH_SECONDS if kid in self._keys else _LOOK_AGAIN_SECONDS)

    async def _read(self) -> None:
        try:
            found = jwt.PyJWKSet.from_json((await self._source.read()).decode())
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError, jwt.PyJWTError) as error:
            _log.error("keys cannot be read", source=repr(self._source), error=repr(error))
            return
        finally:
            # Only now: who comes meanwhile has to wait for the keys and not do without.
            self._asked_at = time.monotonic()
        self._keys = {key.key_id: key for key in found.keys if key.key_id is not None}


class Verifier:
    """Verifies tokens, and remembers those that it has verified until they expire."""

    def __init__(self, keys: Keys | None, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._known: cachetools.LRUCache[str, tuple[Principal, float]] = cachetools.LRUCache(
            _REMEMBERED_TOKENS
        )

    async def verify(self, authorization: str | None) -> Principal:
        """Return whom an Authorization header stands for; raises Unauthorized."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("Send a token: Authorization: Bearer …")
        known = self._known.get(token)
        if known is None or known[1] + _LEEWAY_SECONDS < time.time():
            known = self._known[token] = await self._verified(token)
        return known[0]

    async def _verified(self, token: str) -> tuple[Principal, float]:
        if self._keys is None:
            raise Unauthorized("This gateway has no keys; set TENFOLD_JWKS.")
        try:
            kid = str(jwt.get_unverified_header(token).get("kid"))
            key = await self._keys.key(kid)
            if key is None:
                raise Unauthorized("The token is signed with a key that is not known.")
            decoded = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
            claims = _Claims.model_validate(decoded)
        except jwt.PyJWTError as error:
            raise Unauthorized(f"The token is not valid: {error}") from error
        except pydantic.ValidationError as error:
            fields = ", ".join(entry.field for entry in problems.fields(error))
            raise Unauthorized(f"The token lacks a valid claim: {fields}") from error
        return Principal(claims.tenant, frozenset(claims.scope.split())), claims.exp
