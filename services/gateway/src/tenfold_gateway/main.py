"""The program: reads its settings, wires the parts, runs until it is told to end."""

import sys

import prometheus_client
import pydantic
import structlog

from tenfold_gateway import app, log, middleware, server, settings, store


def main() -> None:
    """Run the gateway service (console script `tenfold-gateway`)."""
    try:
        config = settings.Settings()  # type: ignore[call-arg]  # from the environment
    except pydantic.ValidationError as error:
        sys.exit(settings.describe(error))
    log.configure()
    _serve_metrics(config)
    lifecycle = middleware.Lifecycle()
    application = app.create_app(
        store.Store(config.redis_url, config.redis_password),
        lifecycle,
        revision=config.revision,
        max_requests_in_flight=config.max_requests_in_flight,
    )
    logger = structlog.get_logger(__name__)
    logger.info(
        "starting",
        version=app.VERSION,
        revision=config.revision,
        # The URL itself may hold a password.
        redis=f"{config.redis_url.host}:{config.redis_url.port}",
    )
    server.DrainingServer(
        application,
        lifecycle,
        host=config.host,
        port=config.http_port,
        drain_seconds=config.drain_seconds,
    ).run()
    logger.info("ended")


def _serve_metrics(config: settings.Settings) -> None:
    try:
        # On a thread: metrics stay readable while the loop is busy and until the very end.
        prometheus_client.start_http_server(config.metrics_port, config.host)
    except OSError as error:
        sys.exit(
            f"The gateway cannot serve metrics on port {config.metrics_port}: {error}."
            " Set TENFOLD_METRICS_PORT to a free port."
        )
