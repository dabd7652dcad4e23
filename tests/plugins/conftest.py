"""A real engine with the stand-in plugins, on a real cluster."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenfold_local.toolchain import KUBERNETES, PULUMI
from tenfold_pulumi_plugins.path import with_plugins

from tests.plugins.stack import Stack
from tests.support import Kubectl


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """The cluster of TENFOLD_TEST_KUBECONFIG, or else the embedded one."""
    given = os.environ.get("TENFOLD_TEST_KUBECONFIG")
    return Path(given) if given else Path(request.getfixturevalue("kubeconfig"))


@pytest.fixture(scope="session")
def kubectl(kubeconfig: Path) -> Kubectl:
    """kubectl on that cluster."""
    KUBERNETES.build()
    return Kubectl(kubeconfig)


@pytest.fixture(scope="session")
def engine_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of pulumi commands: nothing of the user's, and no cluster."""
    folder = tmp_path_factory.mktemp("pulumi")
    path = os.pathsep.join([str(PULUMI.build()), os.environ["PATH"]])
    return {
        "HOME": str(folder),
        "PATH": with_plugins(folder / "plugins", path),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "behaviour",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }


@pytest.fixture(scope="session")
def empty_stack(
    engine_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Stack:
    """A stack to copy: making one takes seconds."""
    return Stack.create(tmp_path_factory.mktemp("stack") / "empty", engine_environment)


@pytest.fixture
def stack(empty_stack: Stack, kubeconfig: Path, tmp_path: Path) -> Stack:
    """A stack without resources, on the cluster."""
    return empty_stack.copy(tmp_path / "stack", kubeconfig)


@pytest.fixture
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"plugins-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
