"""What only answers inside the platform: the simulated marketplaces and the webhooks' effects.

On a cluster they are reached through its API server, as `kubectl port-forward` and `exec` do it;
on one machine directly.
"""

import http.client
import json
import pathlib
import subprocess
import sys
import urllib.parse
from collections.abc import Sequence
from typing import Protocol

import kubernetes
import kubernetes.stream
import pydantic
import urllib3
import yaml
from kubernetes.client import exceptions

_SECONDS = 10
_SIMULATOR, _SIMULATOR_PORT = "marketplaces", 8080
_WEBHOOKS = "webhooks"
_NAME_LABEL = "app.kubernetes.io/name"

# Tokens of a run: as many tenants share the platform.
_TENANTS = 20
_SLACK_SECONDS = 900


class InsideError(Exception):
    """Something inside cannot be reached or refuses; the message says what to do."""


class Place(Protocol):
    """Where the platform is."""

    def ask_simulator(self, method: str, path: str, body: object = None) -> bytes:
        """Return the simulator's answer; raises InsideError."""

    def run_webhooks(self, arguments: Sequence[str]) -> str:
        """Return what `tenfold-webhooks` prints where it has its Redis; raises InsideError."""


class Here:
    """Processes on this machine: the simulator's URL, and REDIS_URL for the webhooks' Redis."""

    def __init__(self, simulator: str) -> None:
        parts = urllib.parse.urlsplit(simulator)
        self._host, self._port = parts.hostname or "", parts.port or 80

    def ask_simulator(self, method: str, path: str, body: object = None) -> bytes:
        """Return the simulator's answer; raises InsideError."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
        return _ask(connection, method, path, body)

    def run_webhooks(self, arguments: Sequence[str]) -> str:
        """Return what `tenfold-webhooks` prints; raises InsideError."""
        program = pathlib.Path(sys.executable).with_name("tenfold-webhooks")
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise InsideError(f"tenfold-webhooks {arguments[0]}: {done.stderr.strip()}")
        return done.stdout


class Cluster:
    """A tenant's namespace of the cluster that a kubeconfig names."""

    def __init__(self, kubeconfig: pathlib.Path, namespace: str) -> None:
        """Connect; raises InsideError."""
        try:
            client = kubernetes.config.new_client_from_config(  # type: ignore[no-untyped-call]
                str(kubeconfig)
            )
        except (OSError, kubernetes.config.ConfigException, yaml.YAMLError) as error:
            raise InsideError(f"{kubeconfig} names no cluster: {error}. Set KUBECONFIG.") from error
        self._core = kubernetes.client.CoreV1Api(client)
        self._objects = kubernetes.client.CustomObjectsApi(client)
        self._namespace = namespace

    def ask_simulator(self, method: str, path: str, body: object = None) -> bytes:
        """Return the simulator's answer; raises InsideError."""
        try:
            forwarded = kubernetes.stream.portforward(
                self._core.connect_get_namespaced_pod_portforward,
                self.pods(_SIMULATOR)[0],
                self._namespace,
                ports=str(_SIMULATOR_PORT),
            )
        except _UNREACHABLE as error:
            raise InsideError(f"The simulator cannot be reached: {error}") from error
        connection = http.client.HTTPConnection("localhost", timeout=_SECONDS)
        connection.sock = forwarded.socket(_SIMULATOR_PORT)
        connection.sock.settimeout(_SECONDS)
        return _ask(connection, method, path, body)

    def run_webhooks(self, arguments: Sequence[str]) -> str:
        """Return what `tenfold-webhooks` prints in one of its pods; raises InsideError."""
        try:
            printed: str = kubernetes.stream.stream(
                self._core.connect_get_namespaced_pod_exec,
                self.pods(_WEBHOOKS)[0],
                self._namespace,
                command=["tenfold-webhooks", *arguments],
                stdout=True,
                stderr=True,
            )
        except _UNREACHABLE as error:
            raise InsideError(f"tenfold-webhooks {arguments[0]}: {error}") from error
        return printed

    def pods(self, name: str) -> list[str]:
        """Return the ready pods of a service; raises InsideError where there is none."""
        try:
            found = self._core.list_namespaced_pod(
                self._namespace, label_selector=f"{_NAME_LABEL}={name}", _request_timeout=_SECONDS
            ).items
        except _UNREACHABLE as error:
            raise InsideError(f"The cluster's API does not answer: {error}") from error
        ready = list(filter(None, map(_name_if_ready, found)))
        if not ready:
            raise InsideError(f"No pod of {name} is ready in {self._namespace}: `tenfold status`.")
        return ready

    def kill(self, pod: str) -> None:
        """End a pod at once, as a crash does; raises InsideError."""
        try:
            self._core.delete_namespaced_pod(pod, self._namespace, grace_period_seconds=0)
        except _UNREACHABLE as error:
            raise InsideError(f"{pod} cannot be killed: {error}") from error

    def primary(self, tier: str) -> str:
        """Return the pod that is a Redis tier's primary; raises InsideError."""
        try:
            found = self._objects.get_namespaced_custom_object(
                "tenfold.dev", "v1alpha1", self._namespace, "redistiers", tier
            )
        except _UNREACHABLE as error:
            raise InsideError(f"The tier {tier} cannot be read: {error}") from error
        return _Tier.model_validate(found).status.primary


def _name_if_ready(pod: kubernetes.client.V1Pod) -> str | None:
    conditions = (pod.status and pod.status.conditions) or []
    ready = any(each.type == "Ready" and each.status == "True" for each in conditions)
    return pod.metadata.name if ready and pod.metadata else None


_UNREACHABLE = (exceptions.ApiException, urllib3.exceptions.HTTPError, OSError)


class _TierStatus(pydantic.BaseModel):
    primary: str


class _Tier(pydantic.BaseModel):
    status: _TierStatus


class _Token(pydantic.BaseModel):
    access_token: str


class _References(pydantic.BaseModel):
    references: list[str]


def tokens(place: Place, seconds: float) -> tuple[str, ...]:
    """Return a token for each of the run's tenants, valid longer than the run lasts."""
    kept = {"expires_seconds": min(86_400, round(seconds + _SLACK_SECONDS))}
    return tuple(
        _Token.model_validate_json(
            place.ask_simulator("POST", "/identity/token", {"tenant": f"load-{number}", **kept})
        ).access_token
        for number in range(_TENANTS)
    )


def orders(place: Place, marketplace: str) -> list[str]:
    """Return the references of all orders that came to a marketplace, repeated ones repeatedly."""
    answer = place.ask_simulator("GET", f"/admin/{marketplace}/references")
    return _References.model_validate_json(answer).references


def sold(place: Place, marketplace: str, sku: str) -> int:
    """Return how many pieces of a product the webhooks of a marketplace have sold."""
    printed = place.run_webhooks(["sold", marketplace, sku])
    try:
        return int(printed)
    except ValueError as error:
        raise InsideError(f"tenfold-webhooks sold: {printed.strip()}") from error


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: object) -> bytes:
    content = None if body is None else json.dumps(body)
    try:
        connection.request(method, path, content)
        answer = connection.getresponse()
        found = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise InsideError(f"The simulator does not answer {method} {path}: {error!r}") from error
    finally:
        connection.close()
    if answer.status >= 300:
        reason = found.decode(errors="replace")
        raise InsideError(f"The simulator answered {answer.status} to {method} {path}: {reason}")
    return found
