"""The API server, as plain REST: objects are JSON of any kind, so no typed client fits."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

import urllib3
from kubernetes import client

from tenfold_pulumi_plugins.kubernetes.errors import (
    ApiError,
    RefusedError,
    UnknownKindError,
    UnreachableError,
)
from tenfold_pulumi_plugins.kubernetes.kubeconfig import Connection
from tenfold_pulumi_plugins.kubernetes.values import Json, JsonObject

_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 60.0
_RETRIES: Final = 5
_APPLY: Final = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Reference:
    """One object: what to ask the API server for."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: JsonObject) -> "Reference":
        """The reference to an object."""
        metadata = obj.get("metadata", {})
        return cls(
            obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata.get("name", "")
        )

    @property
    def identifier(self) -> str:
        """Namespace and name: Pulumi's resource id."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.identifier}"


@dataclass(frozen=True)
class _Kind:
    plural: str
    namespaced: bool


class Cluster:
    """A connection to one API server, safe for many threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        configuration = connection.configuration
        # All requests here may be sent twice: a connection may be dropped while it is idle.
        configuration.retries = urllib3.Retry(
            connect=1,
            read=2,
            redirect=0,
            backoff_factor=0.2,
            allowed_methods=None,
            respect_retry_after_header=False,
        )
        configuration.connection_pool_maxsize = 64
        self._client = client.ApiClient(configuration)
        self._kinds: dict[str, dict[str, _Kind]] = {}
        self._lock = threading.Lock()

    def probe(self) -> None:
        """Raise UnreachableError or RefusedError unless the server answers and knows us."""
        try:
            self._request("GET", "/version")
        except ApiError as error:
            raise RefusedError(
                f"the Kubernetes API server {self.connection.server} does not take the "
                f"credentials from {self.connection.source}: {error}"
            ) from error

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Whether objects of the kind live in namespaces; raises UnknownKindError."""
        return self._kind(api_version, kind).namespaced

    def forget_kinds(self) -> None:
        """Ask the server anew which kinds it serves: a CustomResourceDefinition has changed."""
        with self._lock:
            self._kinds.clear()

    def get(self, reference: Reference) -> JsonObject | None:
        """The object, or None where there is none."""
        try:
            return self._request("GET", self._path(reference))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def objects(
        self, api_version: str, kind: str, namespace: str, **selectors: str
    ) -> list[JsonObject]:
        """The objects of a kind in a namespace (labelSelector, fieldSelector)."""
        path = self._path(Reference(api_version, kind, namespace, ""))
        items: list[JsonObject] = self._request("GET", path, query=selectors)["items"]
        return items

    def apply(
        self,
        obj: JsonObject,
        manager: str,
        *,
        dry_run: bool,
        warn: Callable[[str], None],
    ) -> JsonObject:
        """Apply on the server's side and take ownership of every field that the object names."""
        query = {"fieldManager": manager, "force": "true", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        path = self._path(Reference.of(obj))
        return self._request("PATCH", path, query=query, body=obj, media=_APPLY, warn=warn)

    def validate_new(
        self, obj: JsonObject, manager: str, *, warn: Callable[[str], None]
    ) -> JsonObject:
        """What creating the object would make, without creating it."""
        reference = Reference.of(obj)
        path = self._path(Reference(reference.api_version, reference.kind, reference.namespace, ""))
        query = {"fieldManager": manager, "fieldValidation": "Strict", "dryRun": "All"}
        return self._request("POST", path, query=query, body=obj, warn=warn)

    def delete(self, reference: Reference, propagation: str) -> None:
        """Ask for the object's deletion; one that is gone already is fine."""
        try:
            self._request(
                "DELETE",
                self._path(reference),
                body={
                    "apiVersion": "v1",
                    "kind": "DeleteOptions",
                    "propagationPolicy": propagation,
                },
            )
        except ApiError as error:
            if error.status != 404:
                raise

    def _path(self, reference: Reference) -> str:
        kind = self._kind(reference.api_version, reference.kind)
        path = _group_path(reference.api_version)
        if kind.namespaced:
            path += f"/namespaces/{quote(reference.namespace)}"
        path += f"/{kind.plural}"
        return f"{path}/{quote(reference.name)}" if reference.name else path

    def _kind(self, api_version: str, kind: str) -> _Kind:
        known = self._kinds.get(api_version, {})
        if kind not in known:
            known = self._discover(api_version)
            with self._lock:
                self._kinds[api_version] = known
        if kind not in known:
            raise UnknownKindError(
                f"the API server serves no {kind} in {api_version}; is there a "
                "CustomResourceDefinition for it?"
            )
        return known[kind]

    def _discover(self, api_version: str) -> dict[str, _Kind]:
        try:
            answer = self._request("GET", _group_path(api_version))
        except ApiError as error:
            if error.status == 404:
                return {}
            raise
        return {
            entry["kind"]: _Kind(entry["name"], entry["namespaced"])
            for entry in answer["resources"]
            if "/" not in entry["name"]
        }

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Json = None,
        media: str = "application/json",
        warn: Callable[[str], None] | None = None,
    ) -> JsonObject:
        url = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": "application/json", "Content-Type": media}
        payload = None if body is None else json.dumps(body)
        for attempt in range(_RETRIES):
            status, content, warnings = self._send(method, url, headers, payload)
            # The server has not begun to act on these: it is starting, or sheds load.
            if status not in (429, 503) or attempt == _RETRIES - 1:
                break
            time.sleep(0.2 * 2**attempt)
        if warn is not None:
            for warning in warnings:
                warn(warning)
        if status >= 400:
            raise _api_error(status, content)
        answer: JsonObject = json.loads(content)
        return answer

    def _send(
        self, method: str, url: str, headers: dict[str, str], payload: str | None
    ) -> tuple[int, bytes, list[str]]:
        configuration = self._client.configuration
        authenticated = dict(headers)
        self._client.update_params_for_auth(
            authenticated, [], list(configuration.auth_settings()), "", method, payload
        )
        try:
            response = self._client.rest_client.pool_manager.request(
                method,
                configuration.host + url,
                body=payload,
                headers=authenticated,
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            )
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise UnreachableError(
                f"the Kubernetes API server {self.connection.server} "
                f"(from {self.connection.source}) cannot be reached; is the cluster up? {cause}"
            ) from error
        warnings = [_warning_text(raw) for raw in response.headers.getlist("Warning")]
        return response.status, response.data, warnings


def _group_path(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _api_error(status: int, content: bytes) -> ApiError:
    try:
        answer = json.loads(content)
        return ApiError(status, answer["message"])
    except (ValueError, KeyError, TypeError):
        return ApiError(status, content.decode(errors="replace").strip())


def _warning_text(header: str) -> str:
    # 299 - "the text"
    return header.partition('"')[2].rstrip('"').replace('\\"', '"')
