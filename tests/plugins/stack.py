"""A Pulumi project of one program, run by the real engine with the stand-in plugins."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROJECT = "name: behaviour\nruntime: python\nmain: program\n"
_PREAMBLE = "import pulumi\nimport pulumi_kubernetes as k8s\n"
_FLAGS = ("--non-interactive", "--color=never", "--stack=dev")

PAUSE = "registry.k8s.io/pause:3.10"
REDIS = "docker.io/library/redis:7.0.15"
MISSING = "registry.invalid/missing:1"


def _pulling(image: str) -> dict[str, str]:
    # A missing image is known to be missing at once only where nobody looks for it.
    return {"imagePullPolicy": "Never"} if image == MISSING else {}


def pods(image: str = PAUSE, **labels: str) -> dict[str, Any]:
    """A pod template, and what the controllers of pods have in common: a selector for it."""
    return {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": image, **_pulling(image)}],
            },
        },
    }


@dataclass(frozen=True)
class Stack:
    """A project in a folder of its own, with its state beside it."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def create(cls, folder: Path, environment: dict[str, str]) -> Stack:
        """Make a project without resources."""
        (folder / "program").mkdir(parents=True)
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text(_PROJECT)
        stack = cls._in(folder, environment)
        stack.program("")
        stack.run("stack", "init", "dev")
        return stack

    def copy(self, folder: Path, kubeconfig: Path) -> Stack:
        """Another project like this one, on a cluster."""
        shutil.copytree(self.folder, folder)
        return self._in(folder, self.environment | {"KUBECONFIG": str(kubeconfig)})

    @classmethod
    def _in(cls, folder: Path, environment: dict[str, str]) -> Stack:
        return cls(folder, environment | {"PULUMI_BACKEND_URL": f"file://{folder / 'state'}"})

    def program(self, text: str, **values: Any) -> None:
        """Write the program; `values` are there as its variables."""
        variables = "".join(f"{name} = {value!r}\n" for name, value in values.items())
        source = _PREAMBLE + variables + textwrap.dedent(text)
        (self.folder / "program" / "__main__.py").write_text(source)

    def run(self, *arguments: str) -> str:
        """Run pulumi, which must succeed, and return all it said."""
        done = self._run(*arguments)
        assert done.returncode == 0, f"pulumi {' '.join(arguments)}:\n{done.stdout}"
        return done.stdout

    def fail(self, *arguments: str) -> str:
        """Run pulumi, which must fail, and return all it said."""
        done = self._run(*arguments)
        assert done.returncode != 0, f"pulumi {' '.join(arguments)} succeeded:\n{done.stdout}"
        return done.stdout

    def up(self, *arguments: str) -> str:
        """Deploy without a preview before it."""
        return self.run("up", "--yes", "--skip-preview", *arguments, *_FLAGS)

    def fail_up(self, *arguments: str) -> str:
        """Deploy what cannot be deployed."""
        return self.fail("up", "--yes", "--skip-preview", *arguments, *_FLAGS)

    def preview(self, *arguments: str) -> str:
        """Say what would be deployed."""
        return self.run("preview", *arguments, *_FLAGS)

    def refresh(self, *arguments: str) -> str:
        """Take the cluster's state over into the stack's."""
        return self.run("refresh", "--yes", "--skip-preview", *arguments, *_FLAGS)

    def destroy(self, *arguments: str) -> str:
        """Delete everything."""
        return self.run("destroy", "--yes", "--skip-preview", *arguments, *_FLAGS)

    def start_up(self) -> subprocess.Popen[str]:
        """Deploy in the background, in a process group of its own."""
        return subprocess.Popen(
            ["pulumi", "up", "--yes", "--skip-preview", *_FLAGS],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def checkpoint(self) -> str:
        """The state file, as it lies on the disk."""
        return (self.folder / "state/.pulumi/stacks/behaviour/dev.json").read_text()

    def resources(self) -> dict[str, Any]:
        """The Kubernetes resources in the state by name."""
        deployment = json.loads(self.checkpoint())["checkpoint"]["latest"]
        return {
            resource["urn"].rpartition("::")[2]: resource
            for resource in deployment.get("resources") or []
            if resource["type"].startswith("kubernetes:")
        }

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def interrupt(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C once and return all that the process said."""
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    return output
