"""The commands of kubectl tenfold."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text
from tenfold_local.shell import Failure
from tenfold_local.steps import console, reported
from tenfold_operator.model.generated import Workload

from tenfold_kubectl import history as histories
from tenfold_kubectl import orders, tree
from tenfold_kubectl.cluster import Cluster, Place
from tenfold_kubectl.orders import Order

_LOOK_SECONDS = 1.0

app = typer.Typer(
    help="Rollouts and Redis tiers of Tenfold.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
redis = typer.Typer(help="Redis tiers.", no_args_is_help=True)
app.add_typer(redis, name="redis")

_Name = Annotated[str, typer.Argument(metavar="WORKLOAD", help="Name of the Workload.")]


def main() -> None:
    """Run the command."""
    app(hoisted(sys.argv[1:]), prog_name="kubectl tenfold")


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with those that say where first: kubectl takes them in any place."""
    parser = argparse.ArgumentParser("kubectl tenfold", add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--namespace")
    parser.add_argument("--context")
    found, rest = parser.parse_known_args(arguments)
    given: dict[str, str | None] = vars(found)
    return [*(f"--{name}={value}" for name, value in given.items() if value is not None), *rest]


@app.callback()
def say_where(
    context: typer.Context,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Namespace; the context's by default.")
    ] = None,
    kube_context: Annotated[
        str | None, typer.Option("--context", help="Context of KUBECONFIG; the current by default.")
    ] = None,
) -> None:
    """See and steer rollouts and Redis tiers on the cluster that kubectl talks to."""
    context.obj = Place(namespace, kube_context)


@app.command()
@reported
def status(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[WORKLOAD]", help="Name; everything when left out.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it live.")] = False,
) -> None:
    """Show what serves, what rolls out, what it waits for and why revisions failed."""
    cluster = _cluster(context)
    if watch:
        _watch(lambda: _look(cluster, name))
    else:
        console.print(_look(cluster, name))


@app.command()
@reported
def promote(
    context: typer.Context,
    name: _Name,
    full: Annotated[bool, typer.Option("--full", help="All steps that are left.")] = False,
) -> None:
    """Pass the present step now, whatever it holds or pauses for."""
    _order(context, name, lambda workload: orders.promote(workload, full=full))


@app.command()
@reported
def abort(context: typer.Context, name: _Name) -> None:
    """Give the rollout up: the traffic goes back to the stable revision."""
    _order(context, name, orders.abort)


@app.command()
@reported
def retry(context: typer.Context, name: _Name) -> None:
    """Try the revision that failed again."""
    _order(context, name, orders.retry)


@app.command()
@reported
def pause(context: typer.Context, name: _Name) -> None:
    """Keep the rollout at its present step."""
    _order(context, name, orders.pause)


@app.command()
@reported
def resume(context: typer.Context, name: _Name) -> None:
    """Let the rollout go on."""
    _order(context, name, orders.resume)


@app.command()
@reported
def restart(context: typer.Context, name: _Name) -> None:
    """Replace all pods, by a rollout of the same template."""
    _order(context, name, lambda workload: orders.restart(workload, datetime.now(UTC)))


@app.command()
@reported
def history(context: typer.Context, name: _Name) -> None:
    """Show the revisions: when they were made, of which images, and why they failed."""
    cluster = _cluster(context)
    workload = cluster.workload(name)
    found = histories.entries(workload, cluster.deployments(workload))
    console.print(histories.table(workload, found, datetime.now(UTC)))


@redis.command("handover")
@reported
def hand_over(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="TIER", help="Name of the RedisTier.")],
    to: Annotated[
        str | None, typer.Option(metavar="POD", help="The replica; the best one by default.")
    ] = None,
) -> None:
    """Move a tier's primary on purpose, without losing a write."""
    cluster = _cluster(context)
    order = orders.hand_over(cluster.tier(name), to, cluster.time())
    cluster.patch("redistiers", name, order.patch)
    _tell(order)


def _cluster(context: typer.Context) -> Cluster:
    return Cluster(context.ensure_object(Place))


def _order(context: typer.Context, name: str, make: Callable[[Workload], Order]) -> None:
    cluster = _cluster(context)
    order = make(cluster.workload(name))
    cluster.patch("workloads", name, order.patch)
    _tell(order)


def _tell(order: Order) -> None:
    said = Text.assemble(("✓", "green"), f" {order.done}\n  next: {order.next}")
    console.print(said, soft_wrap=True)


def _look(cluster: Cluster, name: str | None) -> RenderableType:
    now = datetime.now(UTC)
    if name:
        return tree.workload_tree(cluster.workload(name), now)
    workloads, tiers = cluster.workloads(), cluster.tiers()
    if not workloads and not tiers:
        raise Failure(
            f"there is no Workload and no RedisTier in namespace {cluster.namespace}",
            hint="kubectl get workloads,redistiers --all-namespaces, then -n NAMESPACE",
        )
    return tree.overview(workloads, tiers, now)


def _watch(look: Callable[[], RenderableType]) -> None:
    """Show `look` until a person ends it; a cluster that is away for a while does not end it."""
    shown = look()
    with Live(shown, console=console, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(_LOOK_SECONDS)
                try:
                    shown = look()
                    live.update(shown, refresh=True)
                except Failure as failure:
                    trouble = Text(f"{failure.what}; trying again", "red")
                    live.update(Group(shown, trouble), refresh=True)
        except KeyboardInterrupt:
            return
