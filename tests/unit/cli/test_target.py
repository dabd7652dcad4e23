"""KUBECONFIG decides which cluster a command is about; nothing is guessed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tenfold_cli import target as targets
from tenfold_local import layout
from tenfold_local.shell import Failure


@pytest.fixture
def another_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The kubeconfig, set in the environment, of a cluster that is not the embedded one."""
    kubeconfig = tmp_path / "config"
    kubeconfig.touch()
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    return str(kubeconfig)


def test_without_kubeconfig_it_is_the_embedded_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    target = targets.find(None)
    assert target.embedded
    assert target.stack == "local"
    assert target.kubeconfig == str(layout.ADMIN_KUBECONFIG)


def test_the_embedded_clusters_own_kubeconfig_is_no_other_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(layout.ADMIN_KUBECONFIG))
    assert targets.find(None).embedded


def test_another_cluster_gets_the_stack_that_was_named(another_cluster: str) -> None:
    target = targets.find("production")
    assert (target.embedded, target.stack) == (False, "production")
    variables = target.environment()
    assert variables["KUBECONFIG"] == another_cluster
    assert "PULUMI_BACKEND_URL" not in variables
    assert "PULUMI_CONFIG_PASSPHRASE" not in variables


@pytest.mark.usefixtures("another_cluster")
def test_another_cluster_without_a_stack_is_refused_with_both_ways_on() -> None:
    with pytest.raises(Failure, match="no stack was given") as failure:
        targets.find(None)
    assert failure.value.hint == (
        "make up STACK=production, or unset KUBECONFIG to use the embedded cluster"
    )


def test_a_kubeconfig_that_is_no_file_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    with pytest.raises(Failure, match=str(tmp_path / "missing")):
        targets.find("production")


@pytest.mark.usefixtures("another_cluster")
def test_pulumis_own_distribution_comes_before_what_was_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program in ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(targets, "_PLUGINS", tmp_path / "plugins")
    path = targets.find("production").environment()["PATH"].split(":")
    assert path[0] == str(tmp_path)
    assert not any("/bin/pulumi-" in entry for entry in path)
    assert list((tmp_path / "plugins").iterdir()) == []


@pytest.mark.usefixtures("another_cluster")
def test_kubectl_finds_its_plugin_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    path = targets.find("production").environment()["PATH"]
    assert shutil.which("kubectl-tenfold", path=path)


def test_the_lock_of_a_killed_up_is_dropped_and_that_of_a_running_one_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(targets, "_PULUMI_STATE", tmp_path)
    locks = tmp_path / ".pulumi/locks/organization/tenfold/local"
    locks.mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    for name, pid in {"killed": ended.pid, "running": os.getpid()}.items():
        (locks / f"{name}.json").write_text(json.dumps({"pid": pid}))
    targets._drop_stale_locks()
    assert [lock.stem for lock in locks.iterdir()] == ["running"]
