"""Redis tiers, their backups and the drills that prove them."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.alerts.words import DURATION, PERCENT, VALUE, place
from tenfold_dashboards.promql import happened
from tenfold_dashboards.rules import Alert, Group, Severity

_BOARD = "tenfold-redis"
_TIER = place("tier")
_DESCRIBE = "`kubectl describe redistier` says what the operator sees and does."
_NOEVICTION = f'{m.REDIS_INSTANCE_INFO}{{maxmemory_policy="noeviction"}}'
_NOT_READY = f'{m.TIER_CONDITION}{{condition="Ready"}} == 0'


def _is_false(condition: str) -> str:
    return f'max by ({m.PER_TIER}) ({m.TIER_CONDITION}{{condition="{condition}"}}) == 0'


GROUP = Group(
    name="redis-alerts",
    rules=(
        Alert(
            alert="RedisPrimaryMissing",
            # A tier without a primary has no series to compare, so it is told by its replicas.
            expr=f"0 * max by ({m.PER_TIER})"
            f' ({m.REDIS_INSTANCE_INFO}{{role="slave",redis_mode!="cluster"}})'
            f" unless on ({m.PER_TIER}) {m.TIER_PRIMARIES}",
            hold="30s",
            severity=Severity.CRITICAL,
            summary=f"Redis tier {_TIER} has {VALUE} primaries",
            description=f"Writes are refused. {_DESCRIBE}",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisTwoPrimaries",
            expr=f"{m.TIER_PRIMARIES} > 1",
            hold="30s",
            severity=Severity.CRITICAL,
            summary=f"Redis tier {_TIER} has {VALUE} primaries",
            description=f"One of them will lose its writes. {_DESCRIBE}",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisFenced",
            expr=happened(f'{m.ACTIONS}{{kind="RedisTier",action="Fence"}}', "kind", "15m"),
            hold="30s",
            severity=Severity.WARNING,
            summary=f"The operator fenced a Redis server {VALUE} times in 15 minutes",
            description="Two servers claimed to be primary. `status.lastSplit` of the tier says"
            " which one was fenced and how much it had taken alone.",
            board=_BOARD,
        ),
        Alert(
            alert="RedisReplicaMissing",
            expr=f"count by ({m.PER_TIER}) ({m.REDIS_UP}) - {m.TIER_PRIMARIES}"
            f" - {m.TIER_REPLICAS_CONNECTED} > 0",
            hold="2m",
            severity=Severity.WARNING,
            summary=f"{VALUE} replicas of Redis tier {_TIER} follow no primary",
            description="The tier survives one failure less. Look at its pods.",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisReplicaLagging",
            # min-replicas-max-lag is ten seconds: from there on the primary refuses writes.
            expr=f"{m.TIER_LAG} > 5",
            hold="1m",
            severity=Severity.WARNING,
            summary=f"A replica of Redis tier {_TIER} is {DURATION} behind",
            description="At ten seconds behind it does not count any more; without any that"
            " counts the primary refuses writes.",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisMemoryFull",
            # A cache is full when it works; a tier that evicts nothing refuses writes then.
            expr=f"max by ({m.PER_TIER}) ({m.REDIS_MEMORY_USED} / {m.REDIS_MEMORY_MAX}"
            f" and on ({m.PER_SERVER}) {_NOEVICTION}) > 0.9",
            hold="5m",
            severity=Severity.CRITICAL,
            summary=f"Redis tier {_TIER} has used {PERCENT} of its memory and evicts nothing",
            description="At 100% it refuses writes. Raise `spec.memory`: it changes while it runs.",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisTierNotReady",
            expr=f"({m.TIER_SERVERS} and on ({m.PER_TIER}) ({_NOT_READY}))"
            f" or on ({m.PER_TIER}) 0 * max by ({m.PER_TIER}) ({_NOT_READY})",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"Redis tier {_TIER} is not ready; {VALUE} of its servers answer",
            description=_DESCRIBE,
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisClusterUnbalanced",
            expr=_is_false("Balanced"),
            hold="30m",
            severity=Severity.WARNING,
            summary=f"Slots of the Redis Cluster {_TIER} are not where they belong",
            description=f"Moving them takes longer than it should. {_DESCRIBE}",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisUsersNotApplied",
            expr=_is_false("UsersApplied"),
            hold="15m",
            severity=Severity.WARNING,
            summary=f"Users of Redis tier {_TIER} are not as its spec and their Secrets want them",
            description=f"A password or rules that were changed may not count. {_DESCRIBE}",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisVolumesNotGrown",
            expr=_is_false("VolumesGrown"),
            hold="30m",
            severity=Severity.WARNING,
            summary=f"Volumes of Redis tier {_TIER} are smaller than they should be",
            description=f"They cannot grow, or it takes longer than it should. {_DESCRIBE}",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisCertificateExpiring",
            # cert-manager renews thirty days before the end.
            expr=f"min by ({m.PER_TIER}) ({m.TIER_CERTIFICATE_END}) - time() < 14 * 86400",
            hold="10m",
            severity=Severity.WARNING,
            summary=f"A certificate of Redis tier {_TIER} expires in {DURATION}",
            description="After that clients, replicas, Sentinels and the operator are turned away.",
            labels=m.PER_TIER,
            board=_BOARD,
        ),
        Alert(
            alert="RedisBackupOld",
            # A nightly backup that failed once, and half a day to look at it.
            expr=f"time() - max by ({m.PER_BACKUP}) ({m.BACKUP_TIME}) > 36 * 3600",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"The last backup of {place('backup')} is {DURATION} old",
            description="What was written since would be lost with the tier.",
            labels=m.PER_BACKUP,
            board=_BOARD,
        ),
        Alert(
            alert="RedisBackupFailing",
            expr=f'max by ({m.PER_BACKUP}) ({m.BACKUP_CONDITION}{{condition="Ready"}}) == 0',
            hold="30m",
            severity=Severity.WARNING,
            summary=f"The last run of backup {place('backup')} did not succeed",
            description="`kubectl describe redisbackup` has its last words.",
            labels=m.PER_BACKUP,
            board=_BOARD,
        ),
        Alert(
            alert="RedisDrillOld",
            # A weekly drill that was missed once.
            expr=f"time() - max by ({m.PER_RESTORE}) ({m.DRILL_TIME}) > 8 * 86400",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"Restore {place('restore')} last proved a backup {DURATION} ago",
            description="A backup that was never loaded is a hope.",
            labels=m.PER_RESTORE,
            board=_BOARD,
        ),
        Alert(
            alert="RedisDrillFailing",
            expr=f'max by ({m.PER_RESTORE}) ({m.RESTORE_CONDITION}{{condition="Ready"}}) == 0',
            hold="30m",
            severity=Severity.WARNING,
            summary=f"The last run of restore {place('restore')} did not succeed",
            description="The copy could not be loaded, or is not equal."
            " `kubectl describe redisrestore` says which.",
            labels=m.PER_RESTORE,
            board=_BOARD,
        ),
    ),
)
