"""The program: reads its settings, wires the parts, runs until it is told to end."""

import structlog
from tenfold_runtime import log, metrics, middleware, server
from tenfold_runtime import settings as reading

from tenfold_gateway import app, counters, settings, store


def main() -> None:
    """Run the gateway service (console script `tenfold-gateway`)."""
    config = reading.load(settings.Settings, "The gateway")
    log.configure()
    metrics.serve(config.metrics_port, config.host)
    lifecycle = middleware.Lifecycle()
    application = app.create_app(
        counters.RedisCounters(store.Store(config.redis_url, config.redis_password)),
        lifecycle,
        revision=config.revision,
        max_requests_in_flight=config.max_requests_in_flight,
    )
    logger = structlog.get_logger(__name__)
    logger.info("starting", version=app.VERSION, revision=config.revision)
    server.DrainingServer(application, lifecycle, config).run()
    logger.info("ended")
