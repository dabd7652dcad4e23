"""Which cluster and which stack a command is about, and Pulumi's environment for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
from tenfold_local import layout
from tenfold_local.shell import Failure, run
from tenfold_local.steps import step
from tenfold_local.toolchain import KUBERNETES, PULUMI
from tenfold_pulumi_plugins.path import with_plugins

EMBEDDED_STACK = "local"
_PULUMI_STATE = layout.STATE / "pulumi"
_PLUGINS = Path(sys.prefix) / "pulumi-plugins"


@dataclass(frozen=True)
class Target:
    """A cluster, by its kubeconfig, and the stack that describes the platform on it."""

    kubeconfig: str
    stack: str
    embedded: bool

    def environment(self) -> dict[str, str]:
        """Return the variables that pulumi and kubectl need, on top of the current ones.

        The embedded cluster's state goes with the cluster, and the local stack holds no secret:
        its passphrase is empty, so that its salt in the repository fits every machine.
        """
        built = [KUBERNETES] if self.embedded else []
        if shutil.which("pulumi") is None:
            built.append(PULUMI)
        # Beside this interpreter is kubectl-tenfold, which kubectl looks for on PATH.
        ours = [*(chain.output() for chain in built), Path(sys.executable).parent]
        path = os.pathsep.join([os.environ["PATH"], *map(str, ours)])
        variables = {
            "KUBECONFIG": self.kubeconfig,
            "PATH": with_plugins(_PLUGINS, path),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }
        if self.embedded:
            variables["PULUMI_BACKEND_URL"] = f"file://{_PULUMI_STATE}"
            variables["PULUMI_CONFIG_PASSPHRASE"] = ""
        return variables

    def pulumi(self, *arguments: str, shown: bool = False) -> str:
        """Run pulumi on this stack and return its output, or show it as it comes."""
        environment, program = self._program("pulumi")
        command = [program, "--non-interactive", "--cwd", str(layout.REPOSITORY), *arguments]
        if not shown:
            return run(command, environment=environment)
        done = subprocess.run(command, env=environment)
        if done.returncode != 0:
            raise Failure(
                f"pulumi {arguments[0]} ended with {done.returncode}; what was made is kept",
                hint="mend what the diagnostics above name, then the same command goes on",
            )
        return ""

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl on this cluster and return its output."""
        environment, program = self._program("kubectl")
        return run([program, *arguments], environment=environment)

    def _program(self, name: str) -> tuple[dict[str, str], str]:
        environment = {**os.environ, **self.environment()}
        program = shutil.which(name, path=environment["PATH"])
        if program is None:
            raise Failure(f"{name} is not on PATH and not built yet", hint="make up")
        return environment, program


def find(stack: str | None) -> Target:
    """Return the target that the environment names.

    KUBECONFIG decides: unset, or naming the embedded cluster's file, means the embedded cluster
    with the stack `local`; any other cluster needs its stack to be named.
    """
    kubeconfig = os.environ.get("KUBECONFIG", "")
    if kubeconfig in ("", str(layout.ADMIN_KUBECONFIG)):
        return Target(str(layout.ADMIN_KUBECONFIG), stack or EMBEDDED_STACK, embedded=True)
    for part in kubeconfig.split(os.pathsep):
        if not Path(part).is_file():
            raise Failure(
                f"KUBECONFIG names {part}, which is no file",
                hint="mend it, or unset KUBECONFIG to use the embedded cluster",
            )
    if stack is None:
        raise Failure(
            f"KUBECONFIG names a cluster ({kubeconfig}), but no stack was given",
            hint="make up STACK=production, or unset KUBECONFIG to use the embedded cluster",
        )
    return Target(kubeconfig, stack, embedded=False)


def ensure_pulumi() -> None:
    """Build pulumi where Pulumi's own distribution is not on PATH."""
    if shutil.which("pulumi") is None and not PULUMI.is_built():
        with step("build pulumi"):
            PULUMI.build()


def ensure_stack(target: Target) -> None:
    """Select the stack, made where it is missing."""
    if target.embedded:
        _PULUMI_STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        _drop_stale_locks()
    else:
        _require_login(target)
    target.pulumi("stack", "select", "--create", target.stack)


def _require_login(target: Target) -> None:
    try:
        target.pulumi("whoami")
    except Failure as failure:
        raise Failure(
            f"pulumi is not logged in to a backend for this stack's state\n{failure.what}",
            hint="pulumi login, or set PULUMI_BACKEND_URL",
        ) from failure


def _drop_stale_locks() -> None:
    """Remove locks whose process has ended: a killed `up` must not stop the next one."""
    for lock in _PULUMI_STATE.glob(".pulumi/locks/**/*.json"):
        if not psutil.pid_exists(json.loads(lock.read_text())["pid"]):
            lock.unlink()
