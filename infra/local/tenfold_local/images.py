"""Images without a registry: built from Dockerfiles and kept as archives that nodes import.

The base file system comes from Debian's packages and takes the reference that ordinary Dockerfiles
start from, so the same Dockerfiles build anywhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tenfold_infra import images as catalogue

from tenfold_local import layout
from tenfold_local.shell import run
from tenfold_local.toolchain import COREDNS, PROMETHEUS, TRAEFIK, Toolchain, go_version

BASE = "docker.io/library/debian:bookworm-slim"
_BASE_COMMAND = (
    "mmdebstrap",
    "--variant=minbase",
    "--include=ca-certificates",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "bookworm",
)
_DOCKERFILES = layout.SOURCE / "images"
_OWN_REGISTRY = "docker.io/tenfold"
_KEPT_ARCHIVES = 4


@dataclass(frozen=True)
class Build:
    """How one image comes about.

    ``context`` is the folder that the Dockerfile copies from, and ``key`` stands for everything
    that decides the result.
    """

    reference: str
    dockerfile: Path
    context: Path
    key: str
    arguments: tuple[str, ...] = ()

    @property
    def archive(self) -> Path:
        """OCI archive in the cache; its name carries the key."""
        name = self.reference.rsplit("/", 1)[-1].replace(":", "-")
        return layout.cache() / "images" / f"{name}-{self.key}.tar"


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _folder_digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return _digest(*(part for path in files for part in (path.name, path.read_bytes())))


def _base_key() -> str:
    return _digest(*_BASE_COMMAND)


def _upstream(image: catalogue.UpstreamImage, toolchain: Toolchain | None) -> Build:
    folder = _DOCKERFILES / image.name
    context = folder if toolchain is None else toolchain.output()
    inputs = _base_key() if toolchain is None else toolchain.key()
    return Build(
        image.reference, folder / "Dockerfile", context, _digest(_folder_digest(folder), inputs)
    )


def _pause() -> Build:
    folder = _DOCKERFILES / catalogue.PAUSE.name
    key = _digest(_folder_digest(folder), go_version())
    context = layout.cache() / "bin" / f"pause-{key}"
    return Build(catalogue.PAUSE.reference, folder / "Dockerfile", context, key)


def _own(image: catalogue.OwnImage) -> Build:
    reference = image.reference(_OWN_REGISTRY, catalogue.SOURCE_TAG, layout.REPOSITORY)
    return Build(
        reference,
        layout.REPOSITORY / image.dockerfile,
        layout.REPOSITORY,
        _digest(reference, _base_key()),
        tuple(f"{name}={value}" for name, value in image.arguments.items()),
    )


def builds() -> tuple[Build, ...]:
    """Return every image that a node of the embedded cluster has."""
    compiled = {
        catalogue.COREDNS.name: COREDNS,
        catalogue.TRAEFIK.name: TRAEFIK,
        catalogue.PROMETHEUS.name: PROMETHEUS,
    }
    # Grafana is no Debian package: the local stack does without it.
    elsewhere = {catalogue.PAUSE.name, catalogue.GRAFANA.name}
    upstream = [
        _upstream(image, compiled.get(image.name))
        for image in catalogue.UPSTREAM
        if image.name not in elsewhere
    ]
    return (_pause(), *upstream, *(_own(image) for image in catalogue.OWN))


def archives() -> dict[str, Path]:
    """Return each image's reference with its archive."""
    return {build.reference: build.archive for build in builds()}


def missing() -> list[Build]:
    """Return the images that are not in the cache."""
    return [build for build in builds() if not build.archive.exists()]


def _storage() -> Path:
    return layout.cache() / "buildah"


def _buildah(*arguments: str | Path, log: Path) -> None:
    runtime = layout.RUN / "buildah"
    storage: list[str | Path] = [
        "--root",
        _storage(),
        "--runroot",
        runtime,
        "--storage-driver",
        "overlay",
    ]
    run(["buildah", *storage, *arguments], log=log)


def _build_log(name: str) -> Path:
    return layout.cache() / "logs" / f"image-{name}.log"


def _base_archive() -> Path:
    return layout.cache() / "images" / f"base-{_base_key()}.tar"


def build_base() -> None:
    """Make the base file system from Debian's packages and give it its reference."""
    log = _build_log("base")
    archive = _base_archive()
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        unfinished = archive.with_suffix(".part.tar")
        run([*_BASE_COMMAND, unfinished], log=log)
        unfinished.rename(archive)
    dockerfile = layout.cache() / "images" / "base.Dockerfile"
    dockerfile.write_text(f"FROM scratch\nADD {archive.name} /\n")
    _buildah("bud", "--layers", "-t", BASE, "-f", dockerfile, archive.parent, log=log)


def build(image: Build) -> None:
    """Build an image and write its archive.

    Layers stay uncompressed: an archive never leaves this machine, and imports are quicker.
    """
    name = image.archive.stem
    log = _build_log(name)
    if image.reference == catalogue.PAUSE.reference:
        _compile_pause(image, log)
    certificates = "/etc/ssl/certs:/etc/ssl/certs:ro"
    environment: list[str | Path] = [
        "--isolation",
        "chroot",
        "--network",
        "host",
        "--volume",
        certificates,
    ]
    arguments = [part for argument in image.arguments for part in ("--build-arg", argument)]
    tag: list[str | Path] = ["--tag", image.reference, "--file", image.dockerfile, *arguments]
    _buildah("bud", "--layers", "--pull-never", *environment, *tag, image.context, log=log)
    unfinished = image.archive.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    destination = f"oci-archive:{unfinished}:{image.reference}"
    _buildah("push", "--disable-compression", image.reference, destination, log=log)
    unfinished.rename(image.archive)
    _drop_old_archives(image)


def _compile_pause(image: Build, log: Path) -> None:
    image.context.mkdir(parents=True, exist_ok=True)
    source = image.dockerfile.parent / "pause.go"
    command: list[str | Path] = [
        "go",
        "build",
        "-trimpath",
        "-ldflags",
        "-s -w",
        "-o",
        image.context / "pause",
    ]
    run(["env", "CGO_ENABLED=0", *command, source], log=log)


def _drop_old_archives(image: Build) -> None:
    """Keep the newest archives of an image: each change of our own code makes one more."""
    name = image.archive.stem.split("-src-")[0]
    same = (layout.cache() / "images").glob(f"{name}-*.tar")
    newest_first = sorted(same, key=lambda path: path.stat().st_mtime, reverse=True)
    for archive in newest_first[_KEPT_ARCHIVES:]:
        archive.unlink()
