"""The operator's settings, from its environment."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """What the Deployment tells the operator."""

    model_config = ConfigDict(frozen=True)

    namespaces: tuple[str, ...]
    """The tenant namespaces that are watched."""
    prometheus_url: str
    """Prometheus, or whatever speaks its API."""
    metrics_port: int = 9090
    health_port: int = 8080
    console_port: int = 8081


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises SystemExit that says what is missing."""
    named = environment.get("TENFOLD_NAMESPACES", "").split(",")
    namespaces = tuple(name.strip() for name in named if name.strip())
    if not namespaces:
        raise SystemExit(
            "TENFOLD_NAMESPACES is empty: name the tenant namespaces to watch, separated by commas"
        )
    prometheus_url = environment.get("TENFOLD_PROMETHEUS_URL", "")
    if not prometheus_url.startswith(("http://", "https://")):
        raise SystemExit(
            f"TENFOLD_PROMETHEUS_URL is {prometheus_url!r}: give the address of Prometheus, "
            "such as http://prometheus:9090"
        )
    ports = {
        field: int(environment[f"TENFOLD_{field.upper()}"])
        for field in ("metrics_port", "health_port", "console_port")
        if f"TENFOLD_{field.upper()}" in environment
    }
    return Settings(namespaces=namespaces, prometheus_url=prometheus_url, **ports)
