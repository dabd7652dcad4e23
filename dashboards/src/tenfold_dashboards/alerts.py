"""The first set of alerts. Thresholds are the platform's targets (docs: design, figures)."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.rules import Alert, Group, Severity

_TIER = "{{ $labels.namespace }}/{{ $labels.tier }}"
_PERCENT = "{{ $value | humanizePercentage }}"
_SECONDS = "{{ $value | humanizeDuration }}"

GATEWAY = Group(
    name="gateway-alerts",
    rules=(
        Alert(
            alert="GatewayErrorRatioHigh",
            expr=f"{m.GATEWAY_ERROR_RATIO} > 0.01",
            hold="1m",
            severity=Severity.CRITICAL,
            summary=f"{_PERCENT} of the requests through the gateway fail",
            description="Customers see 5xx answers. Compare the backends by"
            f" {m.BACKEND_ERROR_RATIO}: one of them, or all?",
        ),
        Alert(
            alert="GatewaySlow",
            expr=f"{m.GATEWAY_P95_SECONDS} > 0.02",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"One in twenty requests takes more than {_SECONDS}",
            description="The target is a 95th percentile of 20 ms. Compare the backends by"
            f" {m.BACKEND_P95_SECONDS} and the nodes by {m.NODE_CPU_RATIO}.",
        ),
        Alert(
            alert="GatewayAbsent",
            expr=f'absent(up{{job="{m.JOB_PODS}",app="{m.APP_TRAEFIK}"}} == 1)',
            hold="1m",
            severity=Severity.CRITICAL,
            summary="No gateway pod answers Prometheus",
            description="Nothing may be getting in. Look at the pods in tenfold-gateway.",
        ),
    ),
)

REDIS = Group(
    name="redis-alerts",
    rules=(
        Alert(
            alert="RedisPrimaryCount",
            # A tier without a primary has no series to compare, so it is told by its servers.
            expr=f"{m.TIER_PRIMARIES} != 1 or 0 * ({m.TIER_SERVERS} unless {m.TIER_PRIMARIES})",
            hold="30s",
            severity=Severity.CRITICAL,
            summary=f"Redis tier {_TIER} has {{{{ $value }}}} primaries",
            description="With none, writes are refused; with two, one of them loses its writes."
            " Read `kubectl describe redistier`: the operator says what it sees and does.",
        ),
        Alert(
            alert="RedisReplicaMissing",
            expr=f"count by (namespace, tier) ({m.REDIS_UP}) - 1 > {m.TIER_REPLICAS_CONNECTED}",
            hold="2m",
            severity=Severity.WARNING,
            summary=f"A replica of Redis tier {_TIER} follows no primary",
            description="The tier survives one failure less. Look at the pods of the tier and at"
            " `kubectl describe redistier`.",
        ),
    ),
)

OPERATOR = Group(
    name="operator-alerts",
    rules=(
        Alert(
            alert="OperatorAbsent",
            expr=f'absent(up{{job="{m.JOB_PODS}",app="{m.APP_OPERATOR}"}} == 1)',
            hold="2m",
            severity=Severity.WARNING,
            summary="The operator does not answer Prometheus",
            description="Services go on as they are: nothing rolls out, scales or moves a primary"
            " Service. Look at the pod in tenfold-system.",
        ),
        Alert(
            alert="OperatorFailing",
            expr=f"{m.RECONCILE_ERROR_RATIO} > 0.1",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{_PERCENT} of the operator's looks at {{{{ $labels.kind }}}} resources fail",
            description="Its logs say why, and so do the events of the resources.",
        ),
        Alert(
            alert="WorkloadNotReady",
            expr=f'{m.WORKLOAD_CONDITION}{{condition="Ready"}} == 0',
            hold="10m",
            severity=Severity.WARNING,
            summary="Workload {{ $labels.namespace }}/{{ $labels.workload }} is not ready",
            description="`kubectl describe workload` says what it waits for.",
        ),
        Alert(
            alert="RedisTierNotReady",
            expr=f'{m.TIER_CONDITION}{{condition="Ready"}} == 0',
            hold="5m",
            severity=Severity.WARNING,
            summary=f"Redis tier {_TIER} is not ready",
            description="`kubectl describe redistier` says what it waits for.",
        ),
    ),
)

PLATFORM = Group(
    name="platform-alerts",
    rules=(
        Alert(
            alert="TargetDown",
            expr="up == 0",
            hold="1m",
            severity=Severity.WARNING,
            summary="{{ $labels.job }} target {{ $labels.instance }} does not answer",
            description="Whatever is decided from its series is decided blindly. Its pod is"
            " {{ $labels.namespace }}/{{ $labels.pod }}, where it is one.",
        ),
        Alert(
            alert="ContainerRestarting",
            expr="sum by (namespace, pod, container)"
            f" (changes({m.CONTAINER_START_SECONDS}[15m])) > 2",
            hold="1m",
            severity=Severity.WARNING,
            summary="{{ $labels.namespace }}/{{ $labels.pod }} restarts over and over",
            description="Read the last words of {{ $labels.container }} with"
            " `kubectl logs --previous`.",
        ),
        Alert(
            alert="NodeBusy",
            expr=f"{m.NODE_CPU_RATIO} > 0.9",
            hold="10m",
            severity=Severity.WARNING,
            summary=f"Node {{{{ $labels.node }}}} uses {_PERCENT} of its cores",
            description=f"Latency grows from here. The pods that use most are told by"
            f" {m.POD_CPU_RATE}.",
        ),
    ),
)

GROUPS = (GATEWAY, REDIS, OPERATOR, PLATFORM)
