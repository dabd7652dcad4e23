"""The tenfold-local command."""

from __future__ import annotations

import fcntl
import functools
import subprocess
from collections.abc import Callable
from typing import Annotated, ParamSpec

import typer
from rich.table import Table

from tenfold_local import cluster, controlplane, images, kubernetes, layout, network, processes
from tenfold_local.shell import Failure
from tenfold_local.steps import console, reported

app = typer.Typer(
    help="A real Kubernetes of several nodes on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
node_app = typer.Typer(help="Fail and heal single nodes.", no_args_is_help=True)
app.add_typer(node_app, name="node")

_P = ParamSpec("_P")
_LOCK = layout.cache() / "tenfold-local.lock"


def _exclusive(action: Callable[_P, None]) -> Callable[_P, None]:
    """Let one command at a time change the cluster; a second one waits for the first."""

    @functools.wraps(action)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        _LOCK.parent.mkdir(parents=True, exist_ok=True)
        with _LOCK.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                console.print("waiting for another tenfold-local to finish")
                fcntl.flock(lock, fcntl.LOCK_EX)
            action(*args, **kwargs)

    return reported(wrapped)


@app.command()
@_exclusive
def up(
    nodes: Annotated[
        int, typer.Option(min=1, max=layout.MAX_NODES, help="Nodes, each a zone of its own.")
    ] = 3,
) -> None:
    """Bring the cluster up; harmless where it is up, and mends what has died."""
    cluster.up(nodes)
    console.print(f"export KUBECONFIG={layout.ADMIN_KUBECONFIG}", soft_wrap=True)


@app.command()
@_exclusive
def down() -> None:
    """End the cluster and remove everything of it; built binaries and images stay cached."""
    left = cluster.down()
    if left:
        raise Failure("still there: " + ", ".join(left), hint="tenfold-local down once more")


@app.command()
@reported
def status() -> None:
    """Show each component, and each node as the cluster sees it; exits 1 where one is down."""
    nodes = cluster.existing_nodes()
    if not nodes:
        raise Failure("there is no cluster", hint="tenfold-local up")
    components = cluster.status()
    table = Table("component", "up", box=None)
    for name, seconds in components:
        state = "[red]down[/]" if seconds is None else f"{seconds:.0f} s"
        table.add_row(name, state)
    console.print(table)
    if not controlplane.api_is_ready():
        raise Failure("the API server is not ready", hint="tenfold-local up")
    ready = kubernetes.ready_nodes()
    table = Table("node", "zone", "address", "ready", "link", box=None)
    for node in nodes:
        link = "[red]cut[/]" if network.is_cut(node) else "up"
        is_ready = "yes" if node.name in ready else "[red]no[/]"
        table.add_row(node.name, node.zone, node.address, is_ready, link)
    console.print(table)
    if any(seconds is None for _, seconds in components):
        raise Failure("components are down", hint="tenfold-local up")


@app.command()
@reported
def logs(
    component: Annotated[str, typer.Argument(help="Its name, as status shows it.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Lines from the end.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
) -> None:
    """Print the end of a component's log."""
    names = [name for name, _ in cluster.status()]
    log = processes.log_file(component)
    if component not in names or not log.exists():
        raise Failure(f"no log of {component!r}", hint=f"one of: {', '.join(names)}")
    subprocess.run(["tail", f"--lines={lines}", *(["--follow"] if follow else []), log], check=True)


@app.command("images")
@_exclusive
def load_images() -> None:
    """Build the images that are missing, load them into the nodes, and list them."""
    cluster.load_images()
    for reference, archive in images.archives().items():
        console.print(f"{reference}  [dim]{archive}[/]", soft_wrap=True)


_NodeName = Annotated[str, typer.Argument(metavar="NODE", help="Its name, as status shows it.")]


@node_app.command("stop")
@_exclusive
def node_stop(name: _NodeName) -> None:
    """Stop a node as a machine that loses power."""
    cluster.stop_node(cluster.find_node(name))


@node_app.command("start")
@_exclusive
def node_start(name: _NodeName) -> None:
    """Start a node that was stopped."""
    cluster.start_node(cluster.find_node(name))


@node_app.command("cut")
@reported
def node_cut(name: _NodeName) -> None:
    """Cut a node off the network: its processes go on, no packet passes."""
    network.cut(cluster.find_node(name))


@node_app.command("heal")
@reported
def node_heal(name: _NodeName) -> None:
    """Connect a node that was cut off."""
    network.heal(cluster.find_node(name))
