"""The commands."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from tenfold_infra import images
from tenfold_local import layout
from tenfold_local.shell import Failure
from tenfold_local.steps import console, reported, step

from tenfold_cli import places
from tenfold_cli import target as targets
from tenfold_cli.target import Target

app = typer.Typer(
    help="Tenfold: an e-commerce platform through ten times its traffic.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_Stack = Annotated[
    str | None,
    typer.Option(help="Stack; `local` on the embedded cluster, to be named on any other."),
]


@app.command()
@reported
def up(stack: _Stack = None) -> None:
    """Bring the platform up, on KUBECONFIG's cluster or on the embedded one."""
    start = time.monotonic()
    target = targets.find(stack)
    if target.embedded:
        _local("up")
    else:
        _require_gateway_api(target)
    targets.ensure_pulumi()
    targets.ensure_stack(target)
    # Refreshed first: what somebody deleted is made again.
    target.pulumi(
        "up",
        "--yes",
        "--skip-preview",
        "--suppress-outputs",
        "--refresh",
        "--stack",
        target.stack,
        shown=True,
    )
    console.print(f"[green]✓[/] up in {time.monotonic() - start:.0f} s\n")
    _print_where_to_look(target, _outputs(target))


@app.command()
@reported
def down(
    stack: _Stack = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove the platform; the embedded cluster goes with it, any other stays."""
    target = targets.find(stack)
    if target.embedded:
        _local("down")
        return
    if not yes:
        typer.confirm(f"remove stack {target.stack} from {target.kubeconfig}?", abort=True)
    target.pulumi("destroy", "--yes", "--stack", target.stack, shown=True)


@app.command()
@reported
def status(
    stack: _Stack = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The entrances and the stack's outputs as JSON.")
    ] = False,
) -> None:
    """Show how the cluster and the platform on it are, and where to look."""
    target = targets.find(stack)
    if target.embedded and not layout.ADMIN_KUBECONFIG.exists():
        raise Failure("there is no embedded cluster", hint="make up")
    outputs = _outputs(target)
    if as_json:
        print(json.dumps({"entrances": places.find(target, outputs), "outputs": outputs}, indent=2))
        return
    if target.embedded:
        _local("status")
    console.print(_resources(target))
    _print_where_to_look(target, outputs)


@app.command()
@reported
def env(stack: _Stack = None) -> None:
    """Print shell exports for pulumi and kubectl: eval "$(tenfold env)"."""
    for name, value in targets.find(stack).environment().items():
        print(f"export {name}={shlex.quote(value)}")


@app.command("images")
def list_images(
    registry: Annotated[str, typer.Argument(help="Registry and path, as in tenfold:images.")],
) -> None:
    """List our own images, each with its Dockerfile and build arguments, to build and push them."""
    for image in images.OWN:
        arguments = (f"--build-arg={name}={value}" for name, value in image.arguments.items())
        print(image.reference(registry, images.SOURCE_TAG), image.dockerfile, *arguments)


def _local(command: str) -> None:
    program = Path(sys.executable).with_name("tenfold-local")
    if subprocess.run([program, command]).returncode != 0:
        raise typer.Exit(1)


def _require_gateway_api(target: Target) -> None:
    with step("check the cluster"):
        resources = target.kubectl("api-resources", "--output=name")
    if "httproutes.gateway.networking.k8s.io" not in resources.split():
        raise Failure(
            "this cluster does not serve the Gateway API (gateway.networking.k8s.io)",
            hint="install its standard CRDs, v1.4.0: https://gateway-api.sigs.k8s.io/guides/",
        )


def _outputs(target: Target) -> dict[str, Any]:
    shown = target.pulumi("stack", "output", "--json", "--stack", target.stack)
    outputs: dict[str, Any] = json.loads(shown)
    return outputs


def _resources(target: Target) -> Table:
    """Everything that reports a Ready condition of ours, with what it says of itself."""
    shown = target.kubectl(
        "get", "workloads.tenfold.dev,redistiers.tenfold.dev", "--all-namespaces",
        "--output=json",
    )  # fmt: skip
    table = Table("resource", "ready", "says", box=None)
    for item in json.loads(shown)["items"]:
        metadata, status = item["metadata"], item.get("status", {})
        conditions = status.get("conditions", [])
        ready: Mapping[str, str] = next((c for c in conditions if c["type"] == "Ready"), {})
        name = f"{metadata['namespace']}/{item['kind'].lower()}/{metadata['name']}"
        table.add_row(name, ready.get("status", "Unknown"), ready.get("message", ""))
        if "scaling" in status:
            table.add_row("", "", f"scaling: {status['scaling'].get('message', '')}")
    return table


def _print_where_to_look(target: Target, outputs: Mapping[str, Any]) -> None:
    entrances = places.find(target, outputs)
    table = Table(box=None, show_header=False)
    for name, place in entrances.items():
        table.add_row(name, place)
    table.add_row("kubeconfig", target.kubeconfig)
    console.print(table)
    console.print("\nTry next:")
    console.print(f"  curl -X POST {entrances['gateway']}/v1/counters/visits", soft_wrap=True)
    console.print('  eval "$(uv run tenfold env)" && kubectl get workloads,redistiers -A')
    console.print("  make load-smoke")
