"""For each alert: series on which it fires and what it then says, and series on which it must not.

A value is `START+STEPxCOUNT`, one every ten seconds unless the case says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Samples = Mapping[str, str]
DAY = 86400


@dataclass(frozen=True, kw_only=True)
class Case:
    """When an alert fires."""

    fires: Samples
    says: str
    """Its summary."""
    labels: Mapping[str, str]
    quiet: Mapping[str, Samples]
    """By the reason why it does not."""
    after: str = "20m"
    every: str = "10s"


def steady(value: float) -> str:
    return f"{value:g}x1000"


def rising(step: float) -> str:
    return f"0+{step:g}x1000"


OK = 'traefik_entrypoint_requests_total{entrypoint="web",code="200"}'
BAD = 'traefik_entrypoint_requests_total{entrypoint="web",code="502"}'
COUNT = 'traefik_entrypoint_request_duration_seconds_count{entrypoint="web"}'
IN_TIME = 'traefik_entrypoint_request_duration_seconds_bucket{entrypoint="web",le="0.02"}'
WEB = {"entrypoint": "web"}
TRAEFIK = 'up{job="pods",app="traefik"}'
OPERATOR = 'up{job="pods",app="operator"}'

SHOP = 'namespace="shop",workload="web"'
A_WORKLOAD = {"namespace": "shop", "workload": "web"}
READY = f'tenfold_workload_revision_ready_replicas{{{SHOP},revision="one"}}'


def condition(type_: str) -> str:
    return f'tenfold_workload_condition{{{SHOP},condition="{type_}"}}'


def weight(revision: str) -> str:
    return f'tenfold_workload_revision_weight{{{SHOP},revision="{revision}"}}'


def forecast_errors(model: str) -> str:
    return f'tenfold_forecast_error_ratio{{{SHOP},model="{model}"}}'


def held(reason: str) -> str:
    return f'tenfold_scaling_held{{{SHOP},reason="{reason}"}}'


L2 = 'namespace="shop",tier="l2"'
A_TIER = {"namespace": "shop", "tier": "l2"}
TIER_READY = f'tenfold_redistier_condition{{{L2},condition="Ready"}}'


def server(
    pod: str, role: str, replicas: int = 0, policy: str = "allkeys-lfu", mode: str = "standalone"
) -> Samples:
    labels = f'{L2},pod="{pod}"'
    what = f'role="{role}",maxmemory_policy="{policy}",redis_mode="{mode}"'
    return {
        f"redis_up{{{labels}}}": steady(1),
        f"redis_instance_info{{{labels},{what}}}": steady(1),
        f"redis_connected_slaves{{{labels}}}": steady(replicas),
    }


def memory(policy: str, used: float) -> Samples:
    return {
        **server("l2-0", "master", policy=policy),
        f'redis_memory_used_bytes{{{L2},pod="l2-0"}}': steady(used),
        f'redis_memory_max_bytes{{{L2},pod="l2-0"}}': steady(100),
    }


PRIMARY = server("l2-0", "master", 2)
REPLICAS = {**server("l2-1", "slave"), **server("l2-2", "slave")}
WHOLE_TIER = {**PRIMARY, **REPLICAS}
LAG = f'redis_connected_slave_lag_seconds{{{L2},pod="l2-0",slave_ip="l2-1"}}'
FENCES = 'tenfold_actions_total{kind="RedisTier",action="Fence"}'
BACKUP = 'namespace="shop",backup="nightly"'
A_BACKUP = {"namespace": "shop", "backup": "nightly"}
BACKUP_TIME = f"tenfold_redis_backup_last_timestamp_seconds{{{BACKUP}}}"
BACKUP_READY = f'tenfold_redisbackup_condition{{{BACKUP},condition="Ready"}}'
DRILL = 'namespace="shop",restore="drill"'
A_DRILL = {"namespace": "shop", "restore": "drill"}
DRILL_TIME = f"tenfold_redis_restore_last_good_timestamp_seconds{{{DRILL}}}"
DRILL_READY = f'tenfold_redisrestore_condition{{{DRILL},condition="Ready"}}'

IN_SHOP = {"namespace": "shop"}


def breaker(pod: str) -> str:
    return f'tenfold_gateway_breaker_open{{namespace="shop",pod="{pod}",marketplace="n11"}}'


def letters(place: str, pod: str = "a") -> str:
    return f'tenfold_webhooks_letters{{namespace="shop",pod="{pod}",place="{place}"}}'


UNCHECKED = 'tenfold_gateway_rate_limit_unchecked_total{namespace="shop"}'


def listening(pod: str) -> str:
    return f'tenfold_cache_listening{{{SHOP},pod="{pod}"}}'


LOOKS = 'tenfold_reconcile_duration_seconds_count{kind="Workload"}'
FAILED_LOOKS = 'tenfold_reconcile_errors_total{kind="Workload",cause="bug"}'


def waits(le: str) -> str:
    return f'tenfold_queue_wait_seconds_bucket{{le="{le}"}}'


DETECTOR = 'namespace="shop",detector="checkout"'
A_DETECTOR = {"namespace": "shop", "detector": "checkout"}
SCORE = f"tenfold_anomaly_score{{{DETECTOR}}}"
VERDICT = f"tenfold_anomaly_verdict{{{DETECTOR}}}"
SEES = f'tenfold_anomalydetector_condition{{{DETECTOR},condition="Ready"}}'

BALANCED = f'tenfold_redistier_condition{{{L2},condition="Balanced"}}'
TIER_CERTIFICATE = f"tenfold_redis_tier_certificate_expires_timestamp_seconds{{{L2}}}"
USERS_APPLIED = f'tenfold_redistier_condition{{{L2},condition="UsersApplied"}}'
VOLUMES_GROWN = f'tenfold_redistier_condition{{{L2},condition="VolumesGrown"}}'


def reachable(guard: str) -> str:
    return f'tenfold_guard_node_reachable{{exported_node="one",pod="{guard}"}}'


NODE = 'node="one",zone="a"'
A_NODE = {"node": "one", "zone": "a"}
START = 'container_start_time_seconds{job="resource",namespace="shop",pod="a",container="web"}'
CERTIFICATE = 'traefik_tls_certs_not_after{cn="shop",sans="shop.example.com"}'


def left(le: str) -> str:
    name = "apiserver_client_certificate_expiration_seconds_bucket"
    return f'{name}{{job="apiserver",le="{le}"}}'


CASES: Mapping[str, Case] = {
    "GatewayErrorBudgetFast": Case(
        fires={OK: rising(98), BAD: rising(2)},
        says="2% of the requests through the gateway fail",
        labels=WEB,
        after="50m",
        quiet={
            "within the budget": {OK: rising(99_990), BAD: rising(1)},
            "one request at night": {OK: rising(0), BAD: "0x60 1x900"},
            "over by now": {OK: rising(100), BAD: "0+2x60 120x900"},
            "nobody came": {},
        },
    ),
    "GatewayErrorBudgetSlow": Case(
        fires={OK: rising(9_990), BAD: rising(10)},
        says="0.1% of the requests through the gateway have failed for hours",
        labels=WEB,
        every="30s",
        after="150m",
        quiet={
            "within the budget": {OK: rising(99_995), BAD: rising(5)},
            "five requests in all": {OK: rising(1), BAD: "0x10 5x900"},
        },
    ),
    "GatewayLatencyBudgetFast": Case(
        fires={OK: rising(100), COUNT: rising(100), IN_TIME: rising(20)},
        says="80% of the requests take more than 20 ms",
        labels=WEB,
        quiet={
            "one in ten": {OK: rising(100), COUNT: rising(100), IN_TIME: rising(90)},
            "three requests": {OK: "0x60 3x900", COUNT: "0x60 3x900", IN_TIME: rising(0)},
        },
    ),
    "GatewayLatencyBudgetSlow": Case(
        fires={OK: rising(100), COUNT: rising(100), IN_TIME: rising(80)},
        says="20% of the requests have taken more than 20 ms for hours",
        labels=WEB,
        every="30s",
        after="150m",
        quiet={
            "one in fifty": {OK: rising(100), COUNT: rising(100), IN_TIME: rising(98)},
        },
    ),
    "GatewayAbsent": Case(
        fires={TRAEFIK: steady(0), OPERATOR: steady(1)},
        says="0 gateway pods answer Prometheus",
        labels={},
        quiet={"one of two is enough": {TRAEFIK: steady(1), f"{TRAEFIK[:-1]},pod='b'}}": "0x9"}},
    ),
    "WorkloadNotReady": Case(
        fires={condition("Ready"): steady(0), READY: steady(1)},
        says="Workload shop/web is not ready; 1 of its pods are",
        labels=A_WORKLOAD,
        quiet={
            "ready": {condition("Ready"): steady(1), READY: steady(2)},
            "not for long": {condition("Ready"): "1x100 0x900", READY: steady(1)},
            "it only rolls out": {condition("Progressing"): steady(0), READY: steady(2)},
        },
    ),
    "RolloutFailed": Case(
        fires={condition("Progressing"): steady(0), READY: steady(2)},
        says="The rollout of shop/web was given up; 2 pods serve",
        labels=A_WORKLOAD,
        quiet={"rolled out": {condition("Progressing"): steady(1), READY: steady(2)}},
    ),
    "RolloutStuck": Case(
        fires={weight("one"): steady(90), weight("two"): steady(10)},
        says="2 revisions of shop/web have shared the traffic for two hours",
        labels=A_WORKLOAD,
        after="125m",
        quiet={
            "it went on": {weight("one"): "90x700 0x300", weight("two"): "10x700 100x300"},
            "one without traffic": {weight("one"): steady(100), weight("two"): steady(0)},
        },
    ),
    "ForecastSkillLost": Case(
        fires={forecast_errors("ensemble"): steady(0.3), forecast_errors("last_value"): "0.2x1000"},
        says="The forecast of shop/web errs by 30% of the load,"
        " more than repeating the last value would",
        labels=A_WORKLOAD,
        after="70m",
        quiet={
            "better than the last value": {
                forecast_errors("ensemble"): steady(0.1),
                forecast_errors("last_value"): steady(0.2),
            },
            "one family is worse": {
                forecast_errors("ensemble"): steady(0.1),
                forecast_errors("neural"): steady(0.4),
                forecast_errors("last_value"): steady(0.2),
            },
        },
    ),
    "ScalingHeld": Case(
        fires={held("NoData"): steady(1)},
        says="The number of pods of shop/web is held: NoData",
        labels={**A_WORKLOAD, "reason": "NoData"},
        quiet={
            "it scales": {held("NoData"): steady(0)},
            "a limit that was asked for": {held("Limited"): steady(1)},
        },
    ),
    "RedisPrimaryMissing": Case(
        fires={**server("l2-0", "slave"), **REPLICAS},
        says="Redis tier shop/l2 has 0 primaries",
        labels=A_TIER,
        quiet={
            "there is one": WHOLE_TIER,
            "a cluster counts otherwise": server("l2-0", "slave", mode="cluster"),
        },
    ),
    "RedisTwoPrimaries": Case(
        fires={**PRIMARY, **server("l2-1", "master"), **server("l2-2", "slave")},
        says="Redis tier shop/l2 has 2 primaries",
        labels=A_TIER,
        quiet={
            "there is one": WHOLE_TIER,
            "a cluster has several": {
                **server("l2-0", "master", mode="cluster"),
                **server("l2-1", "master", mode="cluster"),
            },
        },
    ),
    "RedisFenced": Case(
        fires={FENCES: "_x60 1x900"},
        says="The operator fenced a Redis server 1 times in 15 minutes",
        labels={"kind": "RedisTier"},
        quiet={
            "long ago": {FENCES: steady(3)},
            "something else was done": {FENCES.replace("Fence", "Apply"): rising(1)},
        },
    ),
    "RedisReplicaMissing": Case(
        fires={**server("l2-0", "master", 1), **REPLICAS},
        says="1 replicas of Redis tier shop/l2 follow no primary",
        labels=A_TIER,
        quiet={"all follow": WHOLE_TIER},
    ),
    "RedisReplicaLagging": Case(
        fires={LAG: steady(8)},
        says="A replica of Redis tier shop/l2 is 8s behind",
        labels=A_TIER,
        quiet={"a second is usual": {LAG: steady(1)}, "a moment": {LAG: "0x118 8 0x900"}},
    ),
    "RedisMemoryFull": Case(
        fires=memory("noeviction", 95),
        says="Redis tier shop/l2 has used 95% of its memory and evicts nothing",
        labels=A_TIER,
        quiet={
            "a cache is full": memory("allkeys-lfu", 100),
            "there is room": memory("noeviction", 80),
        },
    ),
    "RedisTierNotReady": Case(
        fires={TIER_READY: steady(0), **WHOLE_TIER},
        says="Redis tier shop/l2 is not ready; 3 of its servers answer",
        labels=A_TIER,
        quiet={"ready": {TIER_READY: steady(1), **WHOLE_TIER}},
    ),
    "RedisBackupOld": Case(
        # Time begins at 0 here, so a backup of long ago was before it.
        fires={BACKUP_TIME: steady(-2 * DAY)},
        says="The last backup of shop/nightly is 2d 0h 20m 0s old",
        labels=A_BACKUP,
        quiet={"of last night": {BACKUP_TIME: steady(-DAY)}},
    ),
    "RedisBackupFailing": Case(
        fires={BACKUP_READY: steady(0)},
        says="The last run of backup shop/nightly did not succeed",
        labels=A_BACKUP,
        after="40m",
        quiet={"it succeeded": {BACKUP_READY: steady(1)}, "just now": {BACKUP_READY: "1x180 0x99"}},
    ),
    "RedisDrillOld": Case(
        fires={DRILL_TIME: steady(-9 * DAY)},
        says="Restore shop/drill last proved a backup 9d 0h 20m 0s ago",
        labels=A_DRILL,
        quiet={"of last week": {DRILL_TIME: steady(-7 * DAY)}},
    ),
    "RedisDrillFailing": Case(
        fires={DRILL_READY: steady(0)},
        says="The last run of restore shop/drill did not succeed",
        labels=A_DRILL,
        after="40m",
        quiet={"it succeeded": {DRILL_READY: steady(1)}},
    ),
    "MarketplaceBreakerOpen": Case(
        fires={breaker("a"): steady(1), breaker("b"): "1 1 1 0 1 1 1 0x1 1x900"},
        says="The circuit to shop/n11 was open for 100% of 5 minutes",
        labels={**IN_SHOP, "marketplace": "n11"},
        quiet={"it opened once": {breaker("a"): "0x110 1x3 0x900", breaker("b"): steady(0)}},
    ),
    "RateLimitUnchecked": Case(
        fires={UNCHECKED: rising(20)},
        says="2.00 requests a second pass the rate limit of shop unchecked",
        labels=IN_SHOP,
        quiet={"long ago": {UNCHECKED: steady(7)}},
    ),
    "WebhookDeadLetters": Case(
        fires={letters("dead"): steady(3), letters("dead", "b"): steady(3)},
        says="3 webhooks of shop were given up",
        labels=IN_SHOP,
        quiet={"they are tried again": {letters("retry"): steady(3), letters("dead"): steady(0)}},
    ),
    "WebhooksBehind": Case(
        fires={letters("stream"): steady(5000)},
        says="5000 webhooks of shop wait",
        labels=IN_SHOP,
        quiet={"a few": {letters("stream"): steady(900)}},
    ),
    "CacheNotListening": Case(
        fires={listening("a"): steady(0), listening("b"): steady(1)},
        says="1 pods of shop/web hear no invalidations",
        labels=A_WORKLOAD,
        quiet={"all do": {listening("a"): steady(1), listening("b"): steady(1)}},
    ),
    "OperatorAbsent": Case(
        fires={TRAEFIK: steady(1)},
        says="0 operators answer Prometheus",
        labels={},
        quiet={"it answers": {OPERATOR: steady(1)}},
    ),
    "OperatorNotReconciling": Case(
        fires={OPERATOR: steady(1), LOOKS: steady(7), TIER_READY: steady(1)},
        says="The operator has looked at 0 resources a second for 5 minutes",
        labels={},
        quiet={
            "it works": {OPERATOR: steady(1), LOOKS: rising(1), TIER_READY: steady(1)},
            "there is nothing to do": {OPERATOR: steady(1), LOOKS: steady(7)},
        },
    ),
    "OperatorFailing": Case(
        fires={LOOKS: rising(10), FAILED_LOOKS: rising(5)},
        says="50% of the operator's looks at Workload resources fail",
        labels={"kind": "Workload"},
        quiet={
            "now and then": {LOOKS: rising(100), FAILED_LOOKS: rising(1)},
            "none failed": {LOOKS: rising(10)},
        },
    ),
    "OperatorSlow": Case(
        fires={waits("2"): rising(1), waits("5"): rising(100), waits("+Inf"): rising(100)},
        says="One in a hundred events waits 4.97s for the operator",
        labels={},
        quiet={"quick": {waits("2"): rising(100), waits("+Inf"): rising(100)}},
    ),
    "AnomalyFound": Case(
        fires={SCORE: steady(2.5), VERDICT: steady(1), SEES: steady(1)},
        says="What shop/checkout watches is unusual: its score is 2.50",
        labels=A_DETECTOR,
        quiet={
            "one row alone": {SCORE: steady(2.5), VERDICT: steady(0), SEES: steady(1)},
            "a verdict that is only held": {
                SCORE: steady(2.5),
                VERDICT: steady(1),
                SEES: steady(0),
            },
        },
    ),
    "DetectorBlind": Case(
        fires={SEES: steady(0), VERDICT: steady(0)},
        says="Detector shop/checkout has had no data to judge for half an hour",
        labels=A_DETECTOR,
        after="40m",
        quiet={
            "it warms up": {SEES: steady(0)},
            "it sees": {SEES: steady(1), VERDICT: steady(0)},
        },
    ),
    "TargetDown": Case(
        fires={'up{job="pods",namespace="shop",app="web",pod="a"}': steady(0)},
        says="1 pods targets do not answer shop web",
        labels={"job": "pods", "namespace": "shop", "app": "web"},
        quiet={"up": {'up{job="pods",namespace="shop",app="web",pod="a"}': steady(1)}},
    ),
    "ContainerRestarting": Case(
        fires={START: "0+30x1000"},
        says="shop/a restarted 90 times in 15 minutes",
        labels={"namespace": "shop", "pod": "a", "container": "web"},
        quiet={
            "once": {START: "5x60 600x900"},
            "the node itself": {'container_start_time_seconds{job="cadvisor"}': rising(30)},
        },
    ),
    "NodeBusy": Case(
        fires={
            f"node_cpu_usage_seconds_total{{{NODE}}}": rising(19),
            f"machine_cpu_cores{{{NODE}}}": steady(2),
        },
        says="Node one uses 95% of its cores",
        labels=A_NODE,
        quiet={
            "half": {
                f"node_cpu_usage_seconds_total{{{NODE}}}": rising(10),
                f"machine_cpu_cores{{{NODE}}}": steady(2),
            }
        },
    ),
    "NodeMemoryShort": Case(
        fires={
            f"node_memory_working_set_bytes{{{NODE}}}": steady(95),
            f"machine_memory_bytes{{{NODE}}}": steady(100),
        },
        says="Node one uses 95% of its memory",
        labels=A_NODE,
        quiet={
            "half": {
                f"node_memory_working_set_bytes{{{NODE}}}": steady(50),
                f"machine_memory_bytes{{{NODE}}}": steady(100),
            }
        },
    ),
    "NodeCutOff": Case(
        fires={reachable("a"): steady(0), reachable("b"): steady(0)},
        says="Node one answers nobody",
        labels={"exported_node": "one"},
        quiet={"one guard reaches it": {reachable("a"): steady(0), reachable("b"): steady(1)}},
    ),
    "RedisClusterUnbalanced": Case(
        fires={BALANCED: steady(0)},
        says="Slots of the Redis Cluster shop/l2 are not where they belong",
        labels=A_TIER,
        after="40m",
        quiet={"for some minutes": {BALANCED: "1x180 0x900"}, "balanced": {BALANCED: steady(1)}},
    ),
    "RedisUsersNotApplied": Case(
        fires={USERS_APPLIED: steady(0)},
        says="Users of Redis tier shop/l2 are not as its spec and their Secrets want them",
        labels=A_TIER,
        quiet={
            "for ten minutes": {USERS_APPLIED: "1x60 0x900"},
            "applied": {USERS_APPLIED: steady(1)},
        },
    ),
    "RedisVolumesNotGrown": Case(
        fires={VOLUMES_GROWN: steady(0)},
        says="Volumes of Redis tier shop/l2 are smaller than they should be",
        labels=A_TIER,
        after="40m",
        quiet={
            "for some minutes": {VOLUMES_GROWN: "1x180 0x900"},
            "grown": {VOLUMES_GROWN: steady(1)},
        },
    ),
    "RedisCertificateExpiring": Case(
        fires={TIER_CERTIFICATE: steady(10 * DAY)},
        says="A certificate of Redis tier shop/l2 expires in 9d 23h 40m 0s",
        labels=A_TIER,
        quiet={"in a month": {TIER_CERTIFICATE: steady(30 * DAY)}},
    ),
    "ScalingFailing": Case(
        fires={"tenfold_scaling_errors_total": rising(1)},
        says="0.10 decisions a second about a number of pods fail by a bug",
        labels={},
        quiet={"long ago": {"tenfold_scaling_errors_total": steady(3)}},
    ),
    "CertificateExpiring": Case(
        fires={CERTIFICATE: steady(10 * DAY)},
        says="The gateway's certificate for shop.example.com expires in 9d 23h 40m 0s",
        labels={"cn": "shop", "sans": "shop.example.com"},
        quiet={"in a month": {CERTIFICATE: steady(30 * DAY)}},
    ),
    "ClientCertificateExpiring": Case(
        fires={left("86400"): rising(5), left("2592000"): rising(100), left("+Inf"): rising(100)},
        says="A client certificate that the API server is shown expires in 4h 48m 0s",
        labels={"job": "apiserver"},
        quiet={"in a year": {left("2592000"): rising(0), left("+Inf"): rising(100)}},
    ),
    "RulesFailing": Case(
        fires={'prometheus_rule_evaluation_failures_total{rule_group="redis"}': rising(1)},
        says="0.10 rules a second of redis cannot be evaluated",
        labels={"rule_group": "redis"},
        quiet={
            "long ago": {'prometheus_rule_evaluation_failures_total{rule_group="redis"}': "4x1000"}
        },
    ),
    "AlertsUndelivered": Case(
        fires={'prometheus_notifications_errors_total{alertmanager="am"}': rising(1)},
        says="0.10 alerts a second do not reach Alertmanager",
        labels={"alertmanager": "am"},
        quiet={"long ago": {'prometheus_notifications_errors_total{alertmanager="am"}': "4x1000"}},
    ),
}
