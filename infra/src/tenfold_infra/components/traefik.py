"""What Traefik is told: its arguments, its file and the environment of Go's runtime."""

from __future__ import annotations

import math
from collections.abc import Iterator

import yaml
from pulumi_kubernetes.core.v1 import EnvVarArgs

from tenfold_infra import naming
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Resources
from tenfold_infra.config.quantity import base_units

# The targets are stated in milliseconds: buckets around 10 and 20 ms tell them apart.
_LATENCY_BUCKETS = "0.001,0.0025,0.005,0.01,0.02,0.05,0.1,0.25,0.5,1,2.5,5,10"
_DIAL = "500ms"
# How long a change of a route or of endpoints may wait for others; 2 s by default.
_THROTTLE = "250ms"
IN_FLIGHT_SECONDS = 20
# Of the memory limit; the rest is for stacks and buffers.
_HEAP_SHARE = 0.8
FOLDER = "/etc/traefik"
# Not traefik.yaml: Traefik would take that for its arguments.
_FILE = "dynamic.yaml"
_RETRY = "unsent"
# Pods are taken in turn, with other requests between: where one of three is gone, three tries more
# meet it again and again for one request in 27, five for one in 243.
_ATTEMPTS = 6
_FIRST_PAUSE = "50ms"


def files() -> dict[str, str]:
    """Return what is mounted at `FOLDER`.

    It has a request sent to another pod where the first one cannot be reached: its node fell, or
    it is so new that policies do not know its address and refuse it yet. Traefik tries again only
    while nothing was written to a pod, so that no request is ever handled twice.
    """
    retry = {"attempts": _ATTEMPTS, "initialInterval": _FIRST_PAUSE}
    return {_FILE: yaml.safe_dump({"http": {"middlewares": {_RETRY: {"retry": retry}}}})}


def arguments(platform: Platform) -> list[str]:
    """Return the command line."""
    arguments = [
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--log.format=json",
        *_of_entry_points(platform),
        f"--entrypoints.metrics.address=:{naming.TRAEFIK_METRICS_PORT}",
        "--ping=true",
        "--ping.entrypoint=metrics",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=metrics",
        # Per-service series are what a rollout is judged by.
        "--metrics.prometheus.addserviceslabels=true",
        f"--metrics.prometheus.buckets={_LATENCY_BUCKETS}",
        # A pod whose node is gone answers no connection, and 30 s of waiting is an age.
        f"--serverstransport.forwardingtimeouts.dialtimeout={_DIAL}",
        f"--providers.providersthrottleduration={_THROTTLE}",
        f"--providers.file.filename={FOLDER}/{_FILE}",
        "--providers.file.watch=false",
        "--providers.kubernetesgateway=true",
        # Watched by name, so that Traefik needs no right on Secrets of other namespaces.
        f"--providers.kubernetesgateway.namespaces={','.join(watched(platform))}",
    ]
    if platform.gateway.service.type == "LoadBalancer":
        prefix = "--providers.kubernetesgateway.statusaddress.service"
        arguments += [
            f"{prefix}.name={naming.GATEWAY_SERVICE}",
            f"{prefix}.namespace={naming.GATEWAY_NAMESPACE}",
        ]
    return arguments


def go_runtime(resources: Resources) -> list[EnvVarArgs]:
    """Return what Go's runtime is told: it would take the whole machine for its own.

    Garbage is collected at five times what lives instead of twice, within the memory limit: Traefik
    holds some 30 MiB and makes as much garbage each second at 10x. Threads are as many as the cores
    that the pod asked for; more of them spend a fifth of its CPU on looking for work.
    """
    limit = int(float(base_units(resources.limits.memory)) * _HEAP_SHARE)
    threads = math.ceil(base_units(resources.requests.cpu))
    values = {"GOGC": "400", "GOMEMLIMIT": str(limit), "GOMAXPROCS": str(threads)}
    return [EnvVarArgs(name=name, value=value) for name, value in values.items()]


def entry_points(platform: Platform) -> dict[str, int]:
    """Return where Traefik listens for people, by name."""
    web = {naming.WEB_LISTENER: naming.TRAEFIK_WEB_PORT}
    if platform.operator.console.gateway_port is None:
        return web
    return {**web, naming.CONSOLE_LISTENER: naming.TRAEFIK_CONSOLE_PORT}


def watched(platform: Platform) -> tuple[str, ...]:
    """Return the namespaces that Traefik looks into: the operator's only for the console's route.

    Of its Secrets it then may read the console's token, which passes through it anyway.
    """
    own = (naming.GATEWAY_NAMESPACE, *platform.tenant_namespaces)
    is_routed = platform.operator.console.gateway_port is not None
    return (*own, naming.SYSTEM_NAMESPACE) if is_routed else own


def _of_entry_points(platform: Platform) -> Iterator[str]:
    for name, port in entry_points(platform).items():
        entry_point = f"--entrypoints.{name}"
        yield f"{entry_point}.address=:{port}"
        yield f"{entry_point}.http.middlewares={_RETRY}@file"
        yield f"{entry_point}.transport.lifecycle.gracetimeout={IN_FLIGHT_SECONDS}s"
