"""Machines, certificates, and whether we would hear of trouble at all."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.alerts.words import DURATION, PERCENT, ROUGHLY, VALUE
from tenfold_dashboards.promql import quantile, rate
from tenfold_dashboards.rules import Alert, Group, Severity

_BOARD = "tenfold-overview"
_DAY = 86400

GROUP = Group(
    name="platform-alerts",
    rules=(
        Alert(
            alert="TargetDown",
            expr=f"count by (job, namespace, app) ({m.UP} == 0) > 0",
            hold="1m",
            severity=Severity.WARNING,
            summary=f"{VALUE} {{{{ $labels.job }}}} targets do not answer"
            " {{ $labels.namespace }} {{ $labels.app }}",
            description="Whatever is decided from their series is decided blindly.",
            labels="job, namespace, app",
            board=_BOARD,
        ),
        Alert(
            alert="ContainerRestarting",
            # cAdvisor tells the same of whole pods and of the node.
            expr=f"sum by ({m.PER_POD}, container)"
            f' (changes({m.CONTAINER_START_SECONDS}{{job="{m.JOB_RESOURCE}"}}[15m])) > 2',
            hold="1m",
            severity=Severity.WARNING,
            summary="{{ $labels.namespace }}/{{ $labels.pod }} restarted"
            f" {VALUE} times in 15 minutes",
            description="`kubectl logs --previous` has its last words.",
            labels=f"{m.PER_POD}, container",
            board=_BOARD,
        ),
        Alert(
            alert="NodeBusy",
            expr=f"{m.NODE_CPU_RATIO} > 0.9",
            hold="10m",
            severity=Severity.WARNING,
            summary=f"Node {{{{ $labels.node }}}} uses {PERCENT} of its cores",
            description=f"Latency grows from here. {m.POD_CPU_RATE} tells which pods use most.",
            labels=m.PER_NODE,
            board=_BOARD,
        ),
        Alert(
            alert="NodeMemoryShort",
            expr=f"{m.NODE_MEMORY_RATIO} > 0.9",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"Node {{{{ $labels.node }}}} uses {PERCENT} of its memory",
            description=f"Soon pods are evicted. {m.POD_MEMORY} tells which pods use most.",
            labels=m.PER_NODE,
            board=_BOARD,
        ),
        Alert(
            alert="NodeCutOff",
            # One guard that reaches it is enough: the other may be the one that is cut off.
            expr=f"max by (exported_node) ({m.NODE_REACHABLE}) == 0",
            hold="30s",
            severity=Severity.CRITICAL,
            summary="Node {{ $labels.exported_node }} answers nobody",
            description="The guard has taken the traffic from its pods. What is left carries all"
            " of it, and Redis primaries there are being replaced.",
            labels="exported_node",
            board=_BOARD,
        ),
        Alert(
            alert="CertificateExpiring",
            expr=f"min by (cn, sans) ({m.TRAEFIK_CERTIFICATE_END}) - time() < {14 * _DAY}",
            hold="10m",
            severity=Severity.WARNING,
            summary=f"The gateway's certificate for {{{{ $labels.sans }}}} expires in {DURATION}",
            description="After that customers' browsers refuse it.",
            labels="cn, sans",
            board=_BOARD,
        ),
        Alert(
            alert="ClientCertificateExpiring",
            expr=quantile(
                0.01,
                m.CLIENT_CERTIFICATE_SECONDS,
                "job",
                f'job="{m.JOB_APISERVER}"',
                "5m",
            )
            + f" < {7 * _DAY}",
            hold="10m",
            severity=Severity.WARNING,
            summary=f"A client certificate that the API server is shown expires in {DURATION}",
            description="A kubelet or a person is locked out after that.",
            labels="job",
            board=_BOARD,
        ),
        Alert(
            alert="RulesFailing",
            expr=f"{rate(m.RULE_FAILURES, 'rule_group', window='5m')} > 0",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{ROUGHLY} rules a second of {{{{ $labels.rule_group }}}} cannot be evaluated",
            description="The alerts of the group are silent, and its series have gaps.",
            labels="rule_group",
            board=_BOARD,
        ),
        Alert(
            alert="AlertsUndelivered",
            expr=f"{rate(m.NOTIFICATION_ERRORS, 'alertmanager', window='5m')} > 0",
            hold="5m",
            severity=Severity.CRITICAL,
            summary=f"{ROUGHLY} alerts a second do not reach Alertmanager",
            description="Nobody is told of anything. This alert too is seen only in Prometheus.",
            labels="alertmanager",
            board=_BOARD,
        ),
    ),
)
