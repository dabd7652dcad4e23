"""The program: reads its settings, wires the parts, runs until it is told to end."""

import pydantic
import structlog
import tenfold_cache
from tenfold_runtime import log, metrics, middleware, server
from tenfold_runtime import settings as reading

from tenfold_gateway import app, counters, settings, store, tracing

_LOAD_SECONDS = 15.0
# Where a message that a product changed was lost, for so long; it is served for an hour anyhow.
_MEMORY_SECONDS = 300.0


def main() -> None:
    """Run the gateway service (console script `tenfold-gateway`)."""
    config = reading.load(settings.Settings, "The gateway")
    log.configure()
    metrics.serve(config.metrics_port, config.host)
    lifecycle = middleware.Lifecycle()
    redis = store.Store(config.redis_url, config.redis_password)
    orders = redis
    if config.orders_url is not None:
        orders = store.Store(config.orders_url, config.orders_password)
    counted = counters.RedisCounters(redis)
    application = app.create_app(config, redis, orders, lifecycle, counted, _cache(config))
    logger = structlog.get_logger(__name__)
    logger.info(
        "starting",
        version=app.VERSION,
        revision=config.revision,
        # The URL itself may hold a password.
        redis=f"{config.redis_url.host}:{config.redis_url.port}",
        marketplaces=sorted(config.upstreams),
    )
    server.DrainingServer(tracing.install(application), lifecycle, config).run()
    logger.info("ended")


def _cache(config: settings.Settings) -> tenfold_cache.Cache:
    """Return the cache of products: memory, and behind it the tiers that replicas share."""
    return tenfold_cache.Cache(
        tenfold_cache.Settings(
            memory_bytes=config.cache_bytes,
            memory_seconds=_MEMORY_SECONDS,
            l2=_tier(config.redis_url, config.redis_password),
            l3=_tier(config.l3_url, config.l3_password),
            l4=_tier(config.l4_url, config.l4_password, cluster=config.l4_cluster),
            lifetime=tenfold_cache.Lifetime(
                fresh_seconds=config.products_fresh_seconds,
                stale_seconds=config.products_stale_seconds,
            ),
            # A load is a call with all its attempts.
            load_seconds=_LOAD_SECONDS,
        )
    )


def _tier(
    url: pydantic.RedisDsn | None, password: pydantic.SecretStr | None, *, cluster: bool = False
) -> tenfold_cache.Tier | None:
    if url is None:
        return None
    secret = password.get_secret_value() if password else None
    return tenfold_cache.Tier(url=str(url), password=secret, cluster=cluster)
