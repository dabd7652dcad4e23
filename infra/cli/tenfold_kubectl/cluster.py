"""The cluster that kubectl would talk to, found in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import kubernetes.client
import kubernetes.config
import urllib3.exceptions
from pydantic import TypeAdapter, ValidationError
from tenfold_local.shell import Failure
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier, Workload
from tenfold_operator.model.manifest import objects_at, text_at
from tenfold_operator.model.names import WORKLOAD

_API = ("tenfold.dev", "v1alpha1")
_TIMEOUT_SECONDS = (3.0, 20.0)  # to connect, to read
_MANAGER = "kubectl-tenfold"
_OBJECT: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)
_NO_CLUSTER = 'eval "$(uv run tenfold env)" for the embedded cluster, or set KUBECONFIG'

_T = TypeVar("_T")


@dataclass(frozen=True)
class Place:
    """Where a person wants to look, as given to kubectl."""

    namespace: str | None = None
    """That of the context where not given."""
    context: str | None = None
    """The current one of KUBECONFIG where not given."""


class Cluster:
    """Reads and patches in one namespace. Every method raises Failure with the next step."""

    def __init__(self, place: Place) -> None:
        try:
            self._client = kubernetes.config.new_client_from_config(  # type: ignore[no-untyped-call]
                context=place.context
            )
            self.namespace = place.namespace or _namespace_of(place.context)
        except kubernetes.config.ConfigException as error:
            raise Failure(f"there is no cluster to talk to: {error}", hint=_NO_CLUSTER) from error
        self._objects = kubernetes.client.CustomObjectsApi(self._client)

    def workload(self, name: str) -> Workload:
        """Return the Workload."""
        return _parsed(Workload.model_validate, self._get("workloads", name))

    def workloads(self) -> tuple[Workload, ...]:
        """Return all Workloads, by name."""
        found = self._list(*_API, "workloads")
        return tuple(_parsed(Workload.model_validate, each) for each in found)

    def tier(self, name: str) -> RedisTier:
        """Return the RedisTier."""
        return _parsed(RedisTier.model_validate, self._get("redistiers", name))

    def tiers(self) -> tuple[RedisTier, ...]:
        """Return all RedisTiers, by name."""
        found = self._list(*_API, "redistiers")
        return tuple(_parsed(RedisTier.model_validate, each) for each in found)

    def deployments(self, workload: Workload) -> tuple[JsonObject, ...]:
        """Return the Deployments of the Workload's revisions."""
        selector = f"{WORKLOAD}={workload.metadata.name}"
        return self._list("apps", "v1", "deployments", selector)

    def patch(self, plural: str, name: str, patch: JsonObject) -> None:
        """Apply a merge patch to a resource of Tenfold's."""
        with self._failures(plural, name):
            self._objects.patch_namespaced_custom_object(
                *_API, self.namespace, plural, name, patch,
                field_manager=_MANAGER,
                _content_type="application/merge-patch+json",
                _request_timeout=_TIMEOUT_SECONDS,
            )  # fmt: skip

    def time(self) -> datetime:
        """Return the time of the API server's clock, in whole seconds."""
        with self._failures("version"):
            _, _, headers = kubernetes.client.VersionApi(self._client).get_code_with_http_info(
                _request_timeout=_TIMEOUT_SECONDS
            )
        return parsedate_to_datetime(headers["Date"])

    def _get(self, plural: str, name: str) -> JsonObject:
        with self._failures(plural, name):
            found = self._objects.get_namespaced_custom_object(
                *_API, self.namespace, plural, name, _request_timeout=_TIMEOUT_SECONDS
            )
        return _OBJECT.validate_python(found)

    def _list(
        self, group: str, version: str, plural: str, selector: str | None = None
    ) -> tuple[JsonObject, ...]:
        with self._failures(plural):
            found = self._objects.list_namespaced_custom_object(
                group, version, self.namespace, plural,
                label_selector=selector,
                _request_timeout=_TIMEOUT_SECONDS,
            )  # fmt: skip
        items = objects_at(_OBJECT.validate_python(found), "items")
        return tuple(sorted(items, key=lambda each: text_at(each, "metadata", "name")))

    @contextmanager
    def _failures(self, plural: str, name: str | None = None) -> Iterator[None]:
        server = self._client.configuration.host
        try:
            yield
        except kubernetes.client.ApiException as error:
            raise _refused(error, plural, name, self.namespace) from error
        except urllib3.exceptions.HTTPError as error:
            raise Failure(
                f"the cluster at {server} does not answer: {error}",
                hint=f"see whether it is up (make status); {_NO_CLUSTER}",
            ) from error


def _namespace_of(context: str | None) -> str:
    contexts, active = kubernetes.config.list_kube_config_contexts()  # type: ignore[no-untyped-call]
    chosen = next((each for each in contexts if each["name"] == context), active)
    return str(chosen["context"].get("namespace") or "default")


def _refused(
    error: kubernetes.client.ApiException, plural: str, name: str | None, namespace: str
) -> Failure:
    said = _message(error)
    if error.status == HTTPStatus.NOT_FOUND:
        if name and f'"{name}" not found' in said:
            return Failure(
                f"there is no {plural.removesuffix('s')} {name} in namespace {namespace}",
                hint=f"kubectl get {plural} --all-namespaces, then -n NAMESPACE",
            )
        return Failure(
            f"this cluster does not know {plural} (tenfold.dev)", hint="make up brings Tenfold up"
        )
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Failure(said, hint="Workloads are patched by developers, RedisTiers by admins")
    return Failure(f"the API server refuses: {said}")


def _message(error: kubernetes.client.ApiException) -> str:
    try:
        return text_at(_OBJECT.validate_json(error.body or ""), "message") or str(error.reason)
    except ValidationError:
        return str(error.reason)


def _parsed(parse: Callable[[JsonObject], _T], found: JsonObject) -> _T:
    try:
        return parse(found)
    except ValidationError as error:
        raise Failure(
            f"{text_at(found, 'metadata', 'name')} is not as this version knows it: {error}",
            hint="use the kubectl-tenfold of the release that the cluster runs",
        ) from error
