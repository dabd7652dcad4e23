"""What the gateway reads from its environment."""

from collections.abc import Mapping
from typing import Annotated

import pydantic
import pydantic_settings
import tenfold_cache
from tenfold_runtime import settings

from tenfold_gateway.marketplaces import MARKETPLACES


class Upstream(pydantic.BaseModel):
    """Where a marketplace is, how the gateway is known there, and how much it may cost us."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    url: pydantic.HttpUrl
    seller: str = pydantic.Field(default="1", pattern=r"^[A-Za-z0-9_-]+$")
    authorization: pydantic.SecretStr | None = None
    """The Authorization header, whole."""
    connect_seconds: float = pydantic.Field(default=0.5, gt=0)
    answer_seconds: float = pydantic.Field(default=2.0, gt=0)
    """Time for one attempt."""
    attempts: int = pydantic.Field(default=3, ge=1, le=10)
    total_seconds: float = pydantic.Field(default=4.0, gt=0)
    """No pause before another attempt begins later."""
    places: int = pydantic.Field(default=64, ge=1)
    """The bulkhead: calls in flight at once."""
    breaker_failures: int = pydantic.Field(default=5, ge=1)
    """The circuit opens after so many failures in a row."""
    breaker_seconds: float = pydantic.Field(default=5.0, gt=0)
    """An open circuit lets one call through after this time."""


def _declared(name: str) -> str:
    if name not in MARKETPLACES:
        raise ValueError(f"no such marketplace; declared are: {', '.join(MARKETPLACES)}")
    return name


class Tiers(pydantic_settings.BaseSettings):
    """The Redis tiers beside REDIS_URL's, each with a password where it has one."""

    model_config = settings.CONFIG

    orders_url: pydantic.RedisDsn | None = None
    """Where orders' keys are kept: a tier that evicts nothing. Without it, REDIS_URL."""
    orders_password: pydantic.SecretStr | None = None
    l3_url: pydantic.RedisDsn | None = None
    """The cache's predictive tier, which one of the replicas fills."""
    l3_password: pydantic.SecretStr | None = None
    l4_url: pydantic.RedisDsn | None = None
    """The cache's largest tier."""
    l4_password: pydantic.SecretStr | None = None
    l4_cluster: bool = False
    """Whether that is a Redis Cluster."""


class Settings(Tiers, settings.Serving, settings.UsingRedis):
    """The gateway's environment variables."""

    upstreams: Mapping[Annotated[str, pydantic.AfterValidator(_declared)], Upstream] = {}
    """As JSON: {"n11": {"url": "https://…"}}; a marketplace that is not named is not served."""
    jwks: pydantic.HttpUrl | pydantic.FilePath | None = None
    """The keys that verify tokens, as an address or a file. Without keys no token is valid."""
    issuer: str = "tenfold-marketplaces"
    audience: str = "tenfold-gateway"
    tenant_requests_per_second: float = pydantic.Field(default=1000.0, gt=0)
    """What a tenant may ask for; a second's worth at once."""
    tenant_limits: Mapping[str, pydantic.PositiveFloat] = {}
    """Tenants with a limit of their own."""
    cache_bytes: int = pydantic.Field(default=64 * 1024 * 1024, ge=tenfold_cache.LEAST_MEMORY_BYTES)
    """Memory for products that were read; behind it they are kept in Redis."""
    products_fresh_seconds: float = pydantic.Field(default=3600.0, gt=0)
    """How long a product is served as it was read."""
    products_stale_seconds: float = pydantic.Field(default=600.0, ge=0)
    """How long after that, while its marketplace does not answer."""
