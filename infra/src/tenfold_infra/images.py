"""The one list of images: what the stacks run, and under which reference.

Whatever builds, imports or deploys an image takes its reference from here, so that they never
differ. Nothing in this module needs Pulumi.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
"""The checkout that this package was installed from (the workspace installs it editable)."""

SOURCE_TAG = "source"
"""The tag in a stack's config that stands for a digest of the image's build inputs."""

_GENERATED = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
_GENERATED_SUFFIXES = frozenset({".pyc", ".egg-info"})


@dataclass(frozen=True, kw_only=True)
class OwnImage:
    """An image built from this repository; the build context is the repository's root."""

    name: str
    dockerfile: str
    inputs: tuple[str, ...]
    """Files and folders that the build reads, relative to the root, the Dockerfile among them."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Build arguments."""

    def files(self, root: Path = REPOSITORY) -> tuple[str, ...]:
        """Return every file below the inputs, relative to `root`, sorted.

        Raises FileNotFoundError where an input is missing: an image without it would be wrong.
        """
        return tuple(sorted({name for entry in self.inputs for name in _walk(root, entry)}))

    def digest(self, root: Path = REPOSITORY) -> str:
        """Return the SHA-256 of the inputs' names and contents and of the arguments, in hex."""
        digest = hashlib.sha256()
        for name in self.files(root):
            content = hashlib.sha256((root / name).read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
        for name, value in sorted(self.arguments.items()):
            digest.update(f"{name}={value}\n".encode())
        return digest.hexdigest()

    def reference(self, registry: str, tag: str, root: Path = REPOSITORY) -> str:
        """Return the reference that the stacks deploy.

        With the tag `source` the same code always has the same reference, and changed code has
        another one and therefore rolls out.
        """
        resolved = f"src-{self.digest(root)[:16]}" if tag == SOURCE_TAG else tag
        return f"{registry}/{self.name}:{resolved}"


@dataclass(frozen=True, kw_only=True)
class UpstreamImage:
    """An image that somebody else publishes, at the version that the platform is tested with."""

    name: str
    repository: str
    version: str

    @property
    def reference(self) -> str:
        """The full reference, as pod specs write it."""
        return f"{self.repository}:{self.version}"


def _walk(root: Path, entry: str) -> Iterator[str]:
    path = root / entry
    if path.is_file():
        yield entry
        return
    if not path.is_dir():
        raise FileNotFoundError(f"{path} is a build input in {__name__} and does not exist")
    for child in path.iterdir():
        if child.name in _GENERATED or child.suffix in _GENERATED_SUFFIXES:
            continue
        yield from _walk(root, child.relative_to(root).as_posix())


_WORKSPACE = ("pyproject.toml", "uv.lock")

OPERATOR = OwnImage(
    name="operator",
    dockerfile="operator/Dockerfile",
    inputs=("operator/Dockerfile", "operator/pyproject.toml", "operator/src", *_WORKSPACE),
)


def _service(name: str) -> OwnImage:
    """Return the image of services/NAME: one Dockerfile for all, told which by an argument.

    The libraries are in each: they are small, and a service need not say which it uses.
    """
    parts = [
        f"services/{part}/{entry}"
        for part in ("runtime", "cache", name)
        for entry in ("pyproject.toml", "src")
    ]
    return OwnImage(
        name=name,
        dockerfile="services/Dockerfile",
        inputs=("services/Dockerfile", *parts, *_WORKSPACE),
        arguments={"SERVICE": name},
    )


GATEWAY = _service("gateway")
WEBHOOKS = _service("webhooks")
MARKETPLACES = _service("marketplaces")
OWN: tuple[OwnImage, ...] = (OPERATOR, GATEWAY, WEBHOOKS, MARKETPLACES)

REDIS = UpstreamImage(name="redis", repository="docker.io/library/redis", version="7.0.15")
REDIS_EXPORTER = UpstreamImage(
    name="redis-exporter", repository="docker.io/oliver006/redis_exporter", version="v1.45.0"
)
REDIS_BACKUP = UpstreamImage(
    # Debian's packages together; the scripts come from the operator.
    name="redis-backup",
    repository="docker.io/tenfold/redis-backup",
    version="7.0.15-0.14.0",
)
PROMETHEUS = UpstreamImage(
    name="prometheus", repository="docker.io/prom/prometheus", version="v3.16.0"
)
ALERTMANAGER = UpstreamImage(
    name="alertmanager", repository="docker.io/prom/alertmanager", version="v0.25.0"
)
TRAEFIK = UpstreamImage(name="traefik", repository="docker.io/library/traefik", version="v3.6.25")
GRAFANA = UpstreamImage(name="grafana", repository="docker.io/grafana/grafana", version="11.6.0")
COREDNS = UpstreamImage(name="coredns", repository="docker.io/coredns/coredns", version="1.15.0")
PAUSE = UpstreamImage(name="pause", repository="registry.k8s.io/pause", version="3.10")
UPSTREAM: tuple[UpstreamImage, ...] = (
    REDIS,
    REDIS_EXPORTER,
    REDIS_BACKUP,
    PROMETHEUS,
    ALERTMANAGER,
    TRAEFIK,
    GRAFANA,
    COREDNS,
    PAUSE,
)
