"""Traces, where an OpenTelemetry collector is named by the usual variables.

The packages are the extra `tracing`; without OTEL_EXPORTER_OTLP_ENDPOINT nothing is loaded and a
request costs nothing more.
"""

import os
import sys

from starlette import types

_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def install(app: types.ASGIApp) -> types.ASGIApp:
    """Return the application with a span around each request and each call of a marketplace."""
    if not any(os.environ.get(name) for name in _VARIABLES):
        return app
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        sys.exit(f"Traces are asked for, and {error.name} is missing: tenfold-gateway[tracing].")
    name = os.environ.get("OTEL_SERVICE_NAME", "tenfold-gateway")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    AioHttpClientInstrumentor().instrument()
    # Probes would be most of the spans and tell nothing.
    return OpenTelemetryMiddleware(
        app, excluded_urls="healthz,readyz", exclude_spans=["receive", "send"]
    )
