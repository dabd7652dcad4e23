"""A request goes through Traefik and the gateway service to Redis and back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import TENANT
from tests.support import Kubectl, manifest, wait_until

pytestmark = pytest.mark.cluster
REQUESTS = 200


def test_a_counter_is_kept_in_redis_between_requests(gateway: httpx.Client) -> None:
    counter = f"/v1/counters/e2e-{uuid.uuid4().hex[:8]}"
    values = [gateway.post(counter).raise_for_status().json()["value"] for _ in range(3)]
    assert values == [1, 2, 3]
    # Two replicas answer: one value for all shows that none keeps it for itself.
    assert {gateway.get(counter).json()["value"] for _ in range(10)} == {3}


@pytest.fixture
def refusing_pod(kubectl: Kubectl) -> Iterator[None]:
    """One more pod behind the gateway's Service, whose connections a policy refuses."""
    namespace = f"--namespace={TENANT}"
    (real,) = kubectl.get("endpointslices", namespace, "--selector=app.kubernetes.io/name=gateway")[
        "items"
    ]
    monitored = "--selector=app.kubernetes.io/name=prometheus"
    (pod,) = kubectl.get("pods", "--namespace=tenfold-monitoring", monitored)["items"]
    name = "gateway-refusing"
    extra = manifest(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        TENANT,
        name,
        addressType="IPv4",
        ports=real["ports"],
        endpoints=[{"addresses": [pod["status"]["podIP"]], "conditions": {"ready": True}}],
    )
    service = real["metadata"]["labels"]["kubernetes.io/service-name"]
    extra["metadata"]["labels"] = {"kubernetes.io/service-name": service}
    kubectl.apply(extra)
    try:
        yield
    finally:
        kubectl("delete", "endpointslice", name, namespace)


def test_a_request_that_reaches_no_pod_goes_to_another_and_counts_once(
    gateway: httpx.Client, prometheus: httpx.Client, refusing_pod: None
) -> None:
    counter = f"/v1/counters/e2e-{uuid.uuid4().hex[:8]}"

    def is_refused() -> bool:
        # Each attempt counts for the service, and only the last one for the entry point.
        gateway.get(counter)
        refused = 'increase(traefik_service_requests_total{service=~".*gateway.*",code="502"}[30s])'
        result = prometheus.get("/query", params={"query": f"sum({refused})"}).json()["data"]
        return any(float(each["value"][1]) > 0 for each in result["result"])

    wait_until(is_refused, seconds=60, what="a refused connection")
    answers = [gateway.post(counter).status_code for _ in range(REQUESTS)]
    assert answers == [200] * REQUESTS
    assert gateway.get(counter).json()["value"] == REQUESTS
