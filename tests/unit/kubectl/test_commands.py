"""The commands, against an API server on loopback that answers as Kubernetes does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.config import kube_config
from rich.text import Text
from tenfold_kubectl import app as commands
from tenfold_kubectl.app import app, hoisted
from tenfold_local.shell import Failure
from tenfold_local.steps import console
from typer.testing import CliRunner, Result

from tests.unit.operator.world import World

_WORKLOADS = "/apis/tenfold.dev/v1alpha1/namespaces/shop/workloads"
_TIERS = "/apis/tenfold.dev/v1alpha1/namespaces/shop/redistiers"
_VERSION = (
    "major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion",
    "compiler", "platform",
)  # fmt: skip


class ApiServer:
    """Answers GET from `objects` and notes every PATCH."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {"/version/": dict.fromkeys(_VERSION, "")}
        self.refusal: tuple[int, str] | None = None
        self.patches: list[tuple[str, str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                found = server.objects.get(path)
                self._answer(200, found) if found else self._answer(404, server.unknown(path))

            def do_PATCH(self) -> None:
                if server.refusal:
                    status, message = server.refusal
                    return self._answer(status, {"kind": "Status", "message": message})
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = self.path.partition("?")[0]
                server.patches.append((path, self.headers["Content-Type"], body))
                return self._answer(200, server.objects[path])

            def date_time_string(self, timestamp: float | None = None) -> str:
                return "Thu, 01 Jan 2026 12:00:05 GMT"

            def _answer(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    def unknown(self, path: str) -> Any:
        name = path.rpartition("/")[2]
        known = path.startswith((f"{_WORKLOADS}/", f"{_TIERS}/"))
        what = f'workloads.tenfold.dev "{name}" not found' if known else "404 page not found"
        return {"kind": "Status", "message": what}

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ApiServer]:
    """An API server, named by the kubeconfig with the namespace `shop`."""
    server = ApiServer()
    use_kubeconfig(monkeypatch, tmp_path / "config")
    write_kubeconfig(tmp_path / "config", server.address)
    yield server
    server.close()


def use_kubeconfig(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Set KUBECONFIG, as the client read it when it was imported."""
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(file))


def write_kubeconfig(file: Path, address: str) -> None:
    contexts = {"here": {"namespace": "shop"}, "there": {"namespace": "elsewhere"}, "bare": {}}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": "u", **rest}}
            for name, rest in contexts.items()
        ],
    }
    file.write_text(yaml.safe_dump(config))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setattr(console, "_width", 300)
    return CliRunner().invoke(app, hoisted(arguments), prog_name="kubectl tenfold")


def serve(server: ApiServer, world: World) -> Any:
    manifest = json.loads(json.dumps(world.objects[world.ref], default=str))
    server.objects |= {f"{_WORKLOADS}/web": manifest, _WORKLOADS: {"items": [manifest]}}
    server.objects[_TIERS] = {"items": [tier()]}
    server.objects[f"{_TIERS}/l2"] = tier()
    return manifest


def tier() -> dict[str, Any]:
    servers = [{"name": "l2-0", "role": "primary"}, {"name": "l2-1", "role": "replica"}]
    return {
        "metadata": {"name": "l2", "namespace": "shop"},
        "spec": {"memory": "1Gi"},
        "status": {"primary": "l2-0", "replicas": servers},
    }


def test_an_order_is_a_merge_patch_and_says_what_comes_next(
    server: ApiServer, holding: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = serve(server, holding)
    result = run(monkeypatch, "promote", "web")
    target = manifest["status"]["targetRevision"]
    assert result.exit_code == 0, result.output
    assert server.patches == [
        (
            f"{_WORKLOADS}/web",
            "application/merge-patch+json",
            {"metadata": {"annotations": {"tenfold.dev/promote": f"{target}@1/0"}}},
        )
    ]
    assert f"✓ promoted revision {target} beyond step 1 of 3" in result.output
    assert "next: it goes on to 50% of the traffic" in result.output


def test_what_makes_no_sense_sends_nothing_and_ends_with_1(
    server: ApiServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(server, world)
    for command in ("promote", "abort", "retry", "resume"):
        result = run(monkeypatch, command, "web")
        assert result.exit_code == 1, command
        assert "next:" in result.output
    assert server.patches == []


def test_status_without_a_name_shows_workloads_and_tiers(
    server: ApiServer, holding: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(server, holding)
    result = run(monkeypatch, "status")
    assert result.exit_code == 0, result.output
    assert "↻ Workload web" in result.output
    assert "RedisTier l2" in result.output


def test_history_asks_for_the_deployments_of_the_workload(
    server: ApiServer, holding: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(server, holding)
    found = [each for ref, each in holding.objects.items() if ref.kind == "Deployment"]
    server.objects["/apis/apps/v1/namespaces/shop/deployments"] = {"items": found}
    result = run(monkeypatch, "history", "web")
    assert result.exit_code == 0, result.output
    assert "example.com/web:v1" in result.output
    assert "example.com/web:v2" in result.output


def test_a_hand_over_goes_by_the_clusters_clock(
    server: ApiServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(server, world)
    result = run(monkeypatch, "redis", "handover", "l2", "--to", "l2-1")
    assert result.exit_code == 0, result.output
    ((path, _, body),) = server.patches
    assert path == f"{_TIERS}/l2"
    assert body["metadata"]["annotations"] == {
        "tenfold.dev/handover": "2026-01-01T12:00:05Z",
        "tenfold.dev/handover-to": "l2-1",
    }


@pytest.mark.parametrize(
    ("arguments", "namespace"),
    [
        (["status", "web"], "shop"),
        (["status", "web", "-n", "other"], "other"),
        (["--namespace=other", "status", "web"], "other"),
        (["status", "--context", "there", "web"], "elsewhere"),
        (["--context=there", "status", "web", "--namespace", "other"], "other"),
        (["status", "web", "--context=bare"], "default"),
    ],
)
def test_namespace_and_context_are_taken_in_any_place_as_by_kubectl(
    server: ApiServer,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    namespace: str,
) -> None:
    manifest = serve(server, world)
    server.objects = {_WORKLOADS.replace("/shop/", f"/{namespace}/") + "/web": manifest}
    result = run(monkeypatch, *arguments)
    assert result.exit_code == 0, result.output
    assert "✓ Workload web" in result.output


def test_other_arguments_keep_their_order() -> None:
    given = ["redis", "handover", "l2", "--to", "l2-1", "-nshop", "-w", "--help"]
    assert hoisted(given) == [
        "--namespace=shop", "redis", "handover", "l2", "--to", "l2-1", "-w", "--help",
    ]  # fmt: skip


class TestWithoutACluster:
    def test_no_kubeconfig_says_how_to_get_one(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        use_kubeconfig(monkeypatch, tmp_path / "missing")
        result = run(monkeypatch, "status")
        assert result.exit_code == 1
        assert "there is no cluster to talk to" in result.output
        assert 'next: eval "$(uv run tenfold env)" for the embedded cluster' in result.output

    def test_a_context_that_is_not_there_is_named(
        self, server: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = run(monkeypatch, "status", "--context", "nowhere")
        assert result.exit_code == 1
        assert "nowhere" in result.output

    def test_a_cluster_that_is_down_is_named_by_its_address(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        server = ApiServer()
        server.close()
        use_kubeconfig(monkeypatch, tmp_path / "config")
        write_kubeconfig(tmp_path / "config", server.address)
        result = run(monkeypatch, "status")
        assert result.exit_code == 1
        assert f"the cluster at {server.address} does not answer" in result.output

    def test_help_needs_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        use_kubeconfig(monkeypatch, tmp_path / "missing")
        assert run(monkeypatch, "promote", "--help").exit_code == 0


class TestRefusals:
    def test_a_workload_that_is_not_there(
        self, server: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = run(monkeypatch, "status", "nope")
        assert result.exit_code == 1
        assert "there is no workload nope in namespace shop" in result.output

    def test_a_cluster_without_tenfold(
        self, server: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = run(monkeypatch, "status")
        assert result.exit_code == 1
        assert "this cluster does not know workloads (tenfold.dev)" in result.output

    def test_an_empty_namespace(self, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
        server.objects |= {_WORKLOADS: {"items": []}, _TIERS: {"items": []}}
        result = run(monkeypatch, "status")
        assert result.exit_code == 1
        assert "no Workload and no RedisTier in namespace shop" in result.output

    def test_a_right_that_is_missing(
        self, server: ApiServer, holding: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        serve(server, holding)
        server.refusal = (403, 'User "eve" cannot patch resource "workloads"')
        result = run(monkeypatch, "abort", "web")
        assert result.exit_code == 1
        assert 'User "eve" cannot patch resource "workloads"' in result.output

    def test_a_resource_of_another_release(
        self, server: ApiServer, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifest = serve(server, world)
        manifest["spec"]["rollout"] = {"strategy": "rainbow"}
        result = run(monkeypatch, "status", "web")
        assert result.exit_code == 1
        assert "web is not as this version knows it" in result.output


def test_a_live_view_outlasts_an_api_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def look() -> Text:
        looks.append(len(looks))
        if len(looks) == 3:
            raise Failure("the cluster does not answer")
        if len(looks) == 4:
            raise KeyboardInterrupt
        return Text(f"look {len(looks)}")

    looks: list[int] = []
    monkeypatch.setattr(commands, "_LOOK_SECONDS", 0)
    with console.capture() as captured:
        commands._watch(look)
    assert captured.get().split("\n")[:2] == [
        "look 2",
        "the cluster does not answer; trying again",
    ]
