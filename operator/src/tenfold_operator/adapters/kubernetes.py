"""The Kubernetes API through the official client."""

import json
import uuid
from datetime import datetime
from http import HTTPStatus
from typing import TypedDict, Unpack, cast

import kubernetes.client
import kubernetes.config
import urllib3

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, objects_at, ref_of, text_at
from tenfold_operator.model.names import API_VERSIONS, MANAGER
from tenfold_operator.plan.actions import Announce
from tenfold_operator.ports import Rejected, Unavailable

_PLURALS = {
    "HTTPRoute": "httproutes",
    "EndpointSlice": "endpointslices",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "StorageClass": "storageclasses",
}
_TIMEOUT_SECONDS = (3, 20)  # to connect, to read
_GONE_LATER = (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED)
_UNREADABLE = ("failed to convert new object", "failed to create typed patch object")
"""The API server says so with status 500 of an applied object with a value of a wrong form."""
_APPLY = "application/apply-patch+yaml"


class _Content(TypedDict, total=False):
    """What a request has beside its method and path."""

    query: list[tuple[str, str]]
    body: JsonObject | str
    content_type: str


def load_configuration() -> None:
    """Find the cluster: the pod's own account inside one, KUBECONFIG outside."""
    try:
        kubernetes.config.load_incluster_config()  # type: ignore[no-untyped-call]
    except kubernetes.config.ConfigException:
        kubernetes.config.load_kube_config()  # type: ignore[no-untyped-call]


def plural(kind: str) -> str:
    """Return the name of the kind in the API's paths."""
    return _PLURALS.get(kind, kind.lower() + "s")


class KubernetesCluster:
    """Implements ports.Cluster over one pool of connections."""

    def __init__(
        self, timeout_seconds: tuple[float, float] = _TIMEOUT_SECONDS, retries: int = 3
    ) -> None:
        """Take how long connecting and reading may last, and how often a call is tried again."""
        configuration = kubernetes.client.Configuration.get_default_copy()
        configuration.retries = retries
        self._client = kubernetes.client.ApiClient(configuration)
        self._timeout_seconds = timeout_seconds

    def get(self, ref: Ref) -> JsonObject | None:
        """Return the object, None when there is none."""
        return self._call("GET", _path(ref))

    def find(self, kind: str, namespace: str, selector: str) -> tuple[JsonObject, ...]:
        """Return the objects that the label selector matches; none when the kind is unknown."""
        path = _path(Ref(kind, namespace, ""))
        found = self._call("GET", path, query=[("labelSelector", selector)]) or {}
        # Items of a list do not say what they are.
        head: JsonObject = {"apiVersion": API_VERSIONS[kind], "kind": kind}
        return tuple({**head, **item} for item in objects_at(found, "items"))

    def apply(self, manifest: JsonObject) -> None:
        """Apply on the server, as the field manager tenfold-operator."""
        self._apply(_path(ref_of(manifest)), manifest)

    def apply_status(self, ref: Ref, status: JsonObject) -> None:
        """Set the status of a custom resource; nothing when it is gone."""
        body: JsonObject = {
            "apiVersion": API_VERSIONS[ref.kind],
            "kind": ref.kind,
            "metadata": {"name": ref.name},
            "status": status,
        }
        self._apply(f"{_path(ref)}/status", body)

    def _apply(self, path: str, body: JsonObject) -> None:
        query = [("fieldManager", MANAGER), ("force", "true")]
        self._call("PATCH", path, query=query, body=json.dumps(body), content_type=_APPLY)

    def create(self, manifest: JsonObject) -> None:
        """Create the object; nothing when it exists."""
        ref = ref_of(manifest)
        query = [("fieldManager", MANAGER)]
        self._call("POST", _path(Ref(ref.kind, ref.namespace, "")), query=query, body=manifest)

    def scale(self, ref: Ref, replicas: int) -> None:
        """Set spec.replicas; nothing when the object is gone."""
        self._merge(f"{_path(ref)}/scale", {"spec": {"replicas": replicas}})

    def merge(self, ref: Ref, patch: JsonObject) -> None:
        """Merge a patch into an object, null removes a field; nothing when the object is gone."""
        self._merge(_path(ref), patch)

    def merge_status(self, ref: Ref, status: JsonObject) -> None:
        """Merge into the status of a built-in object, lists by key; nothing when it is gone."""
        self._merge(f"{_path(ref)}/status", {"status": status}, "strategic-merge-patch")

    def _merge(self, path: str, patch: JsonObject, form: str = "merge-patch") -> None:
        query, content_type = [("fieldManager", MANAGER)], f"application/{form}+json"
        self._call("PATCH", path, query=query, body=patch, content_type=content_type)

    def delete(self, ref: Ref, *, alone: bool = False) -> None:
        """Delete the object with what it owns, or alone; nothing when it is gone."""
        policy = "Orphan" if alone else "Background"
        self._call("DELETE", _path(ref), query=[("propagationPolicy", policy)])

    def read_log(self, pod: Ref, most_bytes: int) -> str:
        """Return what a pod's only container has printed, cut at so many bytes."""
        path = f"{_path(pod)}/log"
        status, data = self._send("GET", path, query=[("limitBytes", str(most_bytes))])
        if status != HTTPStatus.OK:
            _answer(f"GET {path}", status, data)
            raise Rejected("NotFound", f"{pod} is gone, and its log with it")
        return data.decode(errors="replace")

    def record(self, ref: Ref, uid: str, event: Announce, now: datetime) -> None:
        """Record a Kubernetes Event about the object."""
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{ref.name}.{uuid.uuid4().hex[:16]}", "namespace": ref.namespace},
            "involvedObject": {
                "apiVersion": API_VERSIONS[ref.kind],
                "kind": ref.kind,
                "name": ref.name,
                "namespace": ref.namespace,
                "uid": uid,
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:1024],
            "source": {"component": MANAGER},
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        }
        self._call("POST", f"/api/v1/namespaces/{ref.namespace}/events", body=body)

    def _call(self, method: str, path: str, **content: Unpack[_Content]) -> JsonObject | None:
        return _answer(f"{method} {path}", *self._send(method, path, **content))

    def _send(self, method: str, path: str, **content: Unpack[_Content]) -> tuple[int, bytes]:
        """Return the status and the content of the answer."""
        content_type = content.get("content_type", "application/json")
        headers = {"Accept": "application/json", "Content-Type": content_type}
        request = self._client.param_serialize(
            method,
            path,
            query_params=content.get("query", []),
            header_params=headers,
            body=content.get("body"),
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=self._timeout_seconds)
            data = cast(bytes, response.read())  # type: ignore[no-untyped-call]
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{method} {path}: {error}") from error
        return response.status, data


def _answer(what: str, status: int, data: bytes) -> JsonObject | None:
    """Return the object answered; None for one that is gone or, created, is there already."""
    if status < HTTPStatus.BAD_REQUEST:
        return cast(JsonObject, json.loads(data))
    try:
        problem = cast(JsonObject, json.loads(data))
    except ValueError:
        problem = {"message": data.decode(errors="replace")}
    reason, message = text_at(problem, "reason"), text_at(problem, "message")
    if status == HTTPStatus.NOT_FOUND or reason == "AlreadyExists":
        return None
    if message.startswith(_UNREADABLE):
        raise Rejected("Invalid", message)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _GONE_LATER:
        raise Unavailable(f"{what}: {status} {message}")
    raise Rejected(reason or str(status), message)


def _path(ref: Ref) -> str:
    version = API_VERSIONS[ref.kind]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    scope = f"/namespaces/{ref.namespace}" if ref.namespace else ""
    return f"{root}{scope}/{plural(ref.kind)}/{ref.name}".rstrip("/")
