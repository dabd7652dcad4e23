"""The operator's settings, from its environment."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Json

from tenfold_operator.plan.training_job import TrainingJobs


class Settings(BaseModel):
    """What the Deployment tells the operator."""

    model_config = ConfigDict(frozen=True)

    namespaces: tuple[str, ...]
    """The tenant namespaces that are watched."""
    prometheus_url: str
    """Prometheus, or whatever speaks its API."""
    models_folder: Path = Path("/var/lib/tenfold/models")
    """Where fitted forecasts are kept; on a volume they outlive the operator's container."""
    training_jobs: Json[TrainingJobs] | None = None
    """How forecasts are fitted by Kubernetes Jobs; in a process of the operator when absent."""
    metrics_port: int = 9090
    health_port: int = 8080
    console_port: int = 8081
    console_token_file: Path | None = None
    """File with the token that the console asks for; whoever reaches it may look when absent."""


def namespaces_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Read which namespaces are watched; raises SystemExit when none is named."""
    named = environment.get("TENFOLD_NAMESPACES", "").split(",")
    namespaces = tuple(name.strip() for name in named if name.strip())
    if not namespaces:
        raise SystemExit(
            "TENFOLD_NAMESPACES is empty: name the namespaces to watch, separated by commas"
        )
    return namespaces


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises SystemExit that says what is missing."""
    namespaces = namespaces_of(environment)
    prometheus_url = environment.get("TENFOLD_PROMETHEUS_URL", "")
    if not prometheus_url.startswith(("http://", "https://")):
        raise SystemExit(
            f"TENFOLD_PROMETHEUS_URL is {prometheus_url!r}: give the address of Prometheus, "
            "such as http://prometheus:9090"
        )
    others = {
        field: environment[f"TENFOLD_{field.upper()}"]
        for field in (
            "models_folder",
            "training_jobs",
            "metrics_port",
            "health_port",
            "console_port",
            "console_token_file",
        )
        if f"TENFOLD_{field.upper()}" in environment
    }
    required = {"namespaces": namespaces, "prometheus_url": prometheus_url}
    return Settings.model_validate({**required, **others})
