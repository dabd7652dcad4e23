"""The program."""

import structlog
from tenfold_runtime import log, metrics, middleware, server
from tenfold_runtime import settings as reading

from tenfold_marketplaces import app, settings


def main() -> None:
    """Run the simulator (console script `tenfold-marketplaces`)."""
    config = reading.load(settings.Settings, "The simulator of marketplaces")
    log.configure()
    metrics.serve(config.metrics_port, config.host)
    lifecycle = middleware.Lifecycle()
    logger = structlog.get_logger(__name__)
    logger.info("starting", version=app.VERSION, seed=config.seed, products=config.products)
    server.DrainingServer(app.create_app(config, lifecycle), lifecycle, config).run()
    logger.info("ended")
