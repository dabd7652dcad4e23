"""The console behind the gateway, as in production: by a port of its own, and with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from tenfold_cli import target as targets
from tenfold_local import layout

from tests.support import Kubectl, run_command, wait_until

pytestmark = pytest.mark.cluster
TOKEN = "a-token-of-the-test"
SECRET = ("console", "--namespace=tenfold-system")
PORT = 8081
SECONDS = 60.0


@pytest.fixture
def console(
    kubectl: Kubectl, entrances: dict[str, str], tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """The console's address behind the gateway, and its own on the nodes."""
    target = targets.find(None)
    stack = f"Pulumi.{target.stack}.yaml"
    config = yaml.safe_load((layout.REPOSITORY / "infra/stacks" / stack).read_text())
    behind = {"tokenSecret": "console", "gatewayPort": PORT}
    config["config"]["tenfold:operator"]["console"] |= behind
    (tmp_path / stack).write_text(yaml.safe_dump(config))
    kubectl("create", "secret", "generic", *SECRET, f"--from-literal=token={TOKEN}")
    try:
        changed = f"--config-file={tmp_path / stack}"
        target.pulumi("up", "--yes", "--skip-preview", "--stack", target.stack, changed)
        ports = kubectl.get("service", "gateway", "--namespace=tenfold-gateway")["spec"]["ports"]
        (node_port,) = (each["nodePort"] for each in ports if each["port"] == PORT)
        url = httpx.URL(entrances["gateway"])
        yield str(url.copy_with(port=node_port)), entrances["console"]
    finally:
        done = run_command("tenfold", "up")
        kubectl("delete", "secret", *SECRET)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_gateway_leads_those_with_the_token_to_the_console(
    console: tuple[str, str], entrances: dict[str, str]
) -> None:
    behind, direct = console
    login = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(timeout=10) as client:
        page = f"{behind}/api/v1/overview"

        def is_led() -> bool:
            return client.get(page).status_code == 401

        wait_until(is_led, seconds=SECONDS, what="the console's question for a token", every=1)
        assert client.get(page, headers={"Authorization": "Bearer other"}).status_code == 401
        # The way that goes round the gateway asks as well.
        assert client.get(f"{direct}/api/v1/overview").status_code == 401
        answer = client.get(page, headers=login)
        assert answer.status_code == 200
        assert answer.json()["resources"]
        with client.stream("GET", f"{behind}/api/v1/events", headers=login) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert next(stream.iter_lines())
        # Customers' port leads to no console, with a token or without.
        customers = client.get(f"{entrances['gateway']}/api/v1/overview", headers=login)
        assert customers.status_code == 404
