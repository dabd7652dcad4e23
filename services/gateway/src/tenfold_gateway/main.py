"""The program: reads its settings, wires the parts, runs until it is told to end."""

import structlog
import tenfold_cache
from tenfold_runtime import log, metrics, middleware, server
from tenfold_runtime import settings as reading

from tenfold_gateway import app, counters, settings, store, tracing

_LOAD_SECONDS = 15.0


def main() -> None:
    """Run the gateway service (console script `tenfold-gateway`)."""
    config = reading.load(settings.Settings, "The gateway")
    log.configure()
    metrics.serve(config.metrics_port, config.host)
    lifecycle = middleware.Lifecycle()
    redis = store.Store(config.redis_url, config.redis_password)
    counted = counters.RedisCounters(redis)
    application = app.create_app(config, redis, lifecycle, counted, _cache(config))
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
    """Return the cache of products: memory, and behind it the Redis that replicas share."""
    password = config.redis_password
    return tenfold_cache.Cache(
        tenfold_cache.Settings(
            memory_bytes=config.cache_bytes,
            l2=tenfold_cache.Tier(
                url=str(config.redis_url),
                password=password.get_secret_value() if password else None,
            ),
            lifetime=tenfold_cache.Lifetime(
                fresh_seconds=config.products_fresh_seconds,
                stale_seconds=config.products_stale_seconds,
            ),
            # A load is a call with all its attempts.
            load_seconds=_LOAD_SECONDS,
        )
    )
