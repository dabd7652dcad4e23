"""Which cluster the provider talks to."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tenfold_pulumi_plugins.kubernetes import kubeconfig, settings
from tenfold_pulumi_plugins.kubernetes.errors import KubeconfigError


def _content(*names: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": n, "cluster": {"server": f"https://{n}"}} for n in names],
            "users": [{"name": n, "user": {"token": f"token-of-{n}"}} for n in names],
            "contexts": [
                {"name": n, "context": {"cluster": n, "user": n, "namespace": f"space-{n}"}}
                for n in names
            ],
            "current-context": names[0],
        }
    )


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def test_content_given_in_the_configuration_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text(_content("file"))
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert kubeconfig.connect({"kubeconfig": _content("given")}).server == "https://given"
    assert kubeconfig.connect({"kubeconfig": "~/file"}).server == "https://file"
    assert kubeconfig.connect({}).server == "https://file"


def test_several_files_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(_content(name))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    assert kubeconfig.connect({}).server == "https://one"
    assert kubeconfig.connect({"context": "two"}).server == "https://two"


def test_context_cluster_and_namespace_are_chosen_by_the_options() -> None:
    content = _content("one", "two")
    connection = kubeconfig.connect({"kubeconfig": content, "context": "two"})
    assert (connection.server, connection.namespace) == ("https://two", "space-two")
    connection = kubeconfig.connect({"kubeconfig": content, "cluster": "two", "namespace": "mine"})
    assert (connection.server, connection.namespace) == ("https://two", "mine")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "kubeconfig ~/.kube/config does not exist"),
        ({"kubeconfig": "/no/such/file"}, "there is no kubeconfig file /no/such/file"),
        (
            {"kubeconfig": _content("one"), "context": "two"},
            r"has no context 'two' \(it has: one\)",
        ),
        (
            {"kubeconfig": _content("one"), "cluster": "two"},
            "the provider's configuration cannot be used: .*two",
        ),
    ],
)
def test_what_cannot_be_used_is_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(KubeconfigError, match=message):
        kubeconfig.connect(options)


def test_the_provider_is_replaced_only_when_the_cluster_is_another_one() -> None:
    one, two = _content("one"), _content("two")
    moved = yaml.safe_dump(yaml.safe_load(one) | {"preferences": {}})
    assert settings.replacing({"kubeconfig": one}, {"kubeconfig": moved}) == []
    assert settings.replacing({"kubeconfig": one}, {"kubeconfig": two}) == ["kubeconfig"]
    old = {"kubeconfig": one, "clusterIdentifier": "same"}
    assert settings.replacing(old, old | {"kubeconfig": two}) == []
    assert settings.replacing(old, old | {"clusterIdentifier": "other"}) == ["clusterIdentifier"]
