"""Waiting until an object is ready, or gone."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tenfold_pulumi_plugins.kubernetes import cluster, errors, readiness, trouble, waitfor
from tenfold_pulumi_plugins.kubernetes.values import JsonObject

_DEFAULT_SECONDS: Final = 600.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 1.0
_EXPLAIN_EVERY_SECONDS: Final = 5.0

SKIP_AWAIT: Final = "pulumi.com/skipAwait"
TIMEOUT_SECONDS: Final = "pulumi.com/timeoutSeconds"
DELETION_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"


@dataclass(frozen=True)
class _Surroundings:
    api: cluster.Cluster
    before: JsonObject

    def ready_endpoints(self, service: JsonObject) -> int:
        metadata = service["metadata"]
        slices = self.api.objects(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            metadata["namespace"],
            labelSelector=f"kubernetes.io/service-name={metadata['name']}",
        )
        return sum(
            len(endpoint.get("addresses") or [])
            for found in slices
            for endpoint in found.get("endpoints") or []
            if readiness.at(endpoint, "conditions", "ready") is not False
        )

    def binds_on_first_use(self, claim: JsonObject) -> bool:
        name = readiness.at(claim, "spec", "storageClassName")
        if not name:
            return False
        found = self.api.get(cluster.Reference("storage.k8s.io/v1", "StorageClass", "", name))
        return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def annotation(inputs: JsonObject, name: str) -> str:
    """The annotation that the program gave the object, empty where it gave none."""
    return str(readiness.at(inputs, "metadata", "annotations", name) or "")


def timeout_seconds(requested: float, inputs: JsonObject) -> float:
    """How long to wait: the resource option customTimeouts, the annotation, or ten minutes."""
    if requested:
        return requested
    text = annotation(inputs, TIMEOUT_SECONDS)
    return float(text) if text.isdigit() else _DEFAULT_SECONDS


def _without_repeats(report: Callable[[str], None]) -> Callable[[str], None]:
    """The report without what it said last: each line is a new one on a CI job's output."""
    last: list[str] = []

    def report_news(message: str) -> None:
        if last != [message]:
            last[:] = [message]
            report(message)

    return report_news


class Waiter:
    """Waits with regular looks at the API server, until `cancelled` is set.

    It looks rather than watches: a look cannot miss a change, needs no resumption when the server
    restarts, and one request a second for each object waited for is nothing to the server.
    """

    def __init__(self, api: cluster.Cluster, cancelled: threading.Event) -> None:
        self._api = api
        self._cancelled = cancelled

    def until_ready(
        self,
        inputs: JsonObject,
        obj: JsonObject,
        seconds: float,
        report: Callable[[str], None],
    ) -> JsonObject:
        """The object once it is ready; NotReadyError when it fails or time is up."""
        if annotation(inputs, SKIP_AWAIT) == "true":
            return obj
        wanted = annotation(inputs, waitfor.ANNOTATION)
        check = waitfor.parse(wanted) if wanted else readiness.check_for(obj)
        if check is None:
            return obj
        reference, reason = cluster.Reference.of(obj), "it is not ready"
        around, report = _Surroundings(self._api, obj), _without_repeats(report)
        looks = self._looks(seconds, lambda: self._report_trouble(obj, reason, report))
        try:
            for _ in looks:
                obj, verdict = self._look(reference, check, around, obj)
                if isinstance(verdict, readiness.Ready):
                    report("")
                    return obj
                if verdict.reason != reason:
                    report(f"waiting: {verdict.reason}")
                reason = verdict.reason
                if isinstance(verdict, readiness.Failed):
                    raise errors.NotReadyError(self._message(f"{reference}: {reason}", obj), obj)
        except errors.InterruptedWaitError:
            raise errors.NotReadyError(
                f"{reference}: cancelled while waiting: {reason}", obj
            ) from None
        message = f"{reference} is not ready after {seconds:g} s: {reason}"
        raise errors.NotReadyError(self._message(message, obj), obj)

    def _look(
        self,
        reference: cluster.Reference,
        check: readiness.Check,
        around: _Surroundings,
        last: JsonObject,
    ) -> tuple[JsonObject, readiness.Verdict]:
        try:
            found = self._api.get(reference)
            if found is None:
                return last, readiness.Failed("it was deleted while waiting for it")
            return found, check(found, around)
        except errors.UnreachableError as error:
            # A server that restarts comes back.
            return last, readiness.Waiting(str(error))

    def until_gone(
        self, reference: cluster.Reference, uid: str, seconds: float, report: Callable[[str], None]
    ) -> None:
        """Return once the object is gone; NotReadyError when time is up."""
        held: list[str] = []
        obj: JsonObject = {}
        for _ in self._looks(seconds, lambda: None):
            found = self._api.get(reference)
            if found is None or found["metadata"]["uid"] != uid:
                report("")
                return
            obj, blockers = found, trouble.blockers(found)
            if blockers and blockers != held:
                report("waiting for its deletion: " + "; ".join(blockers))
            held = blockers
        message = f"{reference} is not gone {seconds:g} s after its deletion"
        raise errors.NotReadyError("\n    ".join([message, *held]), obj)

    def until_applied(
        self, attempt: Callable[[], JsonObject], seconds: float, report: Callable[[str], None]
    ) -> JsonObject:
        """What the attempt returns, tried again while a namespace or kind it needs is missing."""
        problem: Exception = errors.UnknownKindError()
        for _ in self._looks(seconds, lambda: None):
            try:
                return attempt()
            except errors.UnknownKindError as error:
                problem = error
            except errors.ApiError as error:
                if error.status != 404:
                    raise
                problem = error
            report(f"trying again: {problem}")
        raise problem

    def _looks(self, seconds: float, every_few_seconds: Callable[[], None]) -> Iterator[None]:
        """Yields at once and then at growing pauses, until the time is up."""
        start = explained = time.monotonic()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            yield
            now = time.monotonic()
            if now - start >= seconds:
                return
            if now - explained >= _EXPLAIN_EVERY_SECONDS:
                explained = now
                every_few_seconds()
            if self._cancelled.wait(min(pause, seconds - (now - start))):
                raise errors.InterruptedWaitError("cancelled while waiting")
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)

    def _report_trouble(self, obj: JsonObject, reason: str, report: Callable[[str], None]) -> None:
        for line in trouble.explain(self._api, obj)[:1]:
            report(f"waiting: {reason} ({line})")

    def _message(self, headline: str, obj: JsonObject) -> str:
        return "\n    ".join([headline, *trouble.explain(self._api, obj)])
