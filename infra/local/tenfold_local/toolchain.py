"""Binaries built from pinned Go modules, cached by everything that decides what comes out."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tenfold_local import layout
from tenfold_local.shell import Failure, run

_KUBERNETES_MINOR = layout.KUBERNETES_VERSION.split(".")
_VERSION_PACKAGE = "k8s.io/component-base/version"
GO_TOOLCHAINS = layout.SOURCE / "toolchains"


@dataclass(frozen=True)
class Toolchain:
    """One go.mod with the programs that are built from it.

    ``programs`` maps each binary's name to its main package; ``variables`` are set at link time,
    since a module built outside its repository does not know its own version.
    """

    name: str
    programs: dict[str, str]
    variables: dict[str, str]
    tags: tuple[str, ...] = ()
    no_checksum_database: str = ""
    root: Path | None = None
    """Folder that its own is in; that of the cluster's toolchains where it is None."""

    @property
    def folder(self) -> Path:
        """Folder of its go.mod and go.sum."""
        return (self.root or GO_TOOLCHAINS) / self.name

    def key(self) -> str:
        """Digest of all inputs: module files, Go's version, programs and link variables."""
        digest = hashlib.sha256()
        for file in ("go.mod", "go.sum"):
            digest.update((self.folder / file).read_bytes())
        digest.update(go_version().encode())
        digest.update(repr((self.programs, self.variables, self.tags)).encode())
        return digest.hexdigest()[:16]

    def output(self) -> Path:
        """Folder of the finished binaries."""
        return layout.cache() / "bin" / f"{self.name}-{self.key()}"

    def environment(self) -> dict[str, str]:
        """Environment for the go command."""
        extra = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -mod=readonly"}
        if self.no_checksum_database:
            extra["GONOSUMDB"] = self.no_checksum_database
        return {**os.environ, **extra}

    def is_built(self) -> bool:
        """Tell whether every program is in the cache."""
        return all((self.output() / name).exists() for name in self.programs)

    def build(self) -> Path:
        """Build what is missing and return the folder of the binaries."""
        output = self.output()
        if self.is_built():
            return output
        output.mkdir(parents=True, exist_ok=True)
        variables = " ".join(f"-X {key}={value}" for key, value in self.variables.items())
        log = layout.cache() / "logs" / f"build-{self.name}.log"
        for name, package in self.programs.items():
            unfinished = output / f".{name}.part"
            command = ["go", "build", "-trimpath", "-tags", ",".join(self.tags)]
            command += ["-ldflags", f"-s -w {variables}".strip()]
            run(
                [*command, "-o", unfinished, package],
                cwd=self.folder,
                log=log,
                environment=self.environment(),
                hint="read the log; a module that did not arrive is fetched again by the same up",
            )
            unfinished.rename(output / name)
        return output

    def module_folder(self, module: str) -> Path:
        """Return the folder of a module that this toolchain pins, fetched where missing."""
        command = ["go", "list", "-m", "-f", "{{.Dir}}", module]
        run(
            ["go", "mod", "download", module],
            cwd=self.folder,
            log=layout.cache() / "logs" / f"build-{self.name}.log",
            environment=self.environment(),
        )
        return Path(run(command, cwd=self.folder, environment=self.environment()).strip())


@functools.cache
def go_version() -> str:
    """Return what `go version` says, asked once; every build's result depends on it."""
    if shutil.which("go") is None:
        raise Failure("Go is not on PATH", hint="install Go: https://go.dev/doc/install")
    return run(["go", "version"])


KUBERNETES = Toolchain(
    name="kubernetes",
    programs={
        "etcd": "go.etcd.io/etcd/server/v3",
        **{
            program: f"k8s.io/kubernetes/cmd/{program}"
            for program in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
                "kubectl",
            )
        },
    },
    variables={
        f"{_VERSION_PACKAGE}.gitVersion": layout.KUBERNETES_VERSION,
        f"{_VERSION_PACKAGE}.gitMajor": _KUBERNETES_MINOR[0].removeprefix("v"),
        f"{_VERSION_PACKAGE}.gitMinor": _KUBERNETES_MINOR[1],
    },
)

KUBE_ROUTER = Toolchain(
    name="kube-router",
    programs={"kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"},
    variables={},
    # The public checksum database lacks this version; our go.sum pins it.
    no_checksum_database="github.com/cloudnativelabs/kube-router/v2",
)

COREDNS = Toolchain(
    name="coredns", programs={"coredns": "github.com/coredns/coredns"}, variables={}
)

TRAEFIK = Toolchain(
    name="traefik",
    programs={"traefik": "github.com/traefik/traefik/v3/cmd/traefik"},
    variables={"github.com/traefik/traefik/v3/pkg/version.Version": "3.6.25"},
)

PROMETHEUS = Toolchain(
    name="prometheus",
    programs={
        program: f"github.com/prometheus/prometheus/cmd/{program}"
        for program in ("prometheus", "promtool")
    },
    variables={"github.com/prometheus/common/version.Version": "3.16.0"},
    # Debian's package leaves Kubernetes' discovery out; all the others would treble the build.
    tags=("remove_all_sd", "enable_kubernetes_sd"),
)

PULUMI = Toolchain(
    name="pulumi",
    programs={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.259.0"},
)

CLUSTER: Sequence[Toolchain] = (KUBERNETES, KUBE_ROUTER, COREDNS, TRAEFIK, PROMETHEUS)


def gateway_api_crds() -> list[Path]:
    """Return the files of the standard Gateway API CRDs, at the version that Traefik speaks."""
    folder = TRAEFIK.module_folder("sigs.k8s.io/gateway-api") / "config" / "crd" / "standard"
    return sorted(folder.glob("gateway.networking.k8s.io_*.yaml"))
