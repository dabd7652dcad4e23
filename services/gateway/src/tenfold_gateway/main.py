"""The program: reads its settings, wires the parts, runs until it is told to end."""

import structlog
from tenfold_runtime import log, metrics, middleware, server
from tenfold_runtime import settings as reading

from tenfold_gateway import app, counters, settings, store, tracing


def main() -> None:
    """Run the gateway service (console script `tenfold-gateway`)."""
    config = reading.load(settings.Settings, "The gateway")
    log.configure()
    metrics.serve(config.metrics_port, config.host)
    lifecycle = middleware.Lifecycle()
    redis = store.Store(config.redis_url, config.redis_password)
    application = app.create_app(config, redis, lifecycle, counters.RedisCounters(redis))
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
