"""Where people reach what alerts lead to, as the stack says."""

from __future__ import annotations

from pydantic import HttpUrl
from tenfold_dashboards.rules import Links

from tenfold_infra import naming
from tenfold_infra.config.models import Monitoring

_CONSOLES = "consoles"
"""The path under which Prometheus serves the runbooks."""


def of_prometheus(section: Monitoring) -> str:
    """Return Prometheus' own address, as people see it."""
    return _or_forwarded(section.links.prometheus, naming.PROMETHEUS_PORT)


def of_alerts(section: Monitoring) -> Links:
    """Return what alerts link to."""
    links = section.links
    is_console = links.boards is None and section.grafana is None
    return Links(
        runbooks=_plain(links.runbooks) or f"{of_prometheus(section)}/{_CONSOLES}",
        boards=None if is_console else _or_forwarded(links.boards, naming.GRAFANA_PORT),
        console=_or_forwarded(links.console, naming.OPERATOR_CONSOLE_PORT),
    )


def _or_forwarded(url: HttpUrl | None, port: int) -> str:
    """Return an address; without one that of `kubectl port-forward` to the Service's port."""
    return _plain(url) or f"http://localhost:{port}"


def _plain(url: HttpUrl | None) -> str:
    return str(url).rstrip("/") if url is not None else ""
