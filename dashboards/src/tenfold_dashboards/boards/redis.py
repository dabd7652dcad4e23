"""Redis tiers: topology, lag, hit ratio, hand-overs, backups and the drills that prove them."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import promql
from tenfold_dashboards.boards import variables
from tenfold_dashboards.panels import (
    NAMESPACE,
    WINDOW,
    Board,
    Limit,
    Look,
    Panel,
    Query,
    Row,
    units,
)

_THIS = f'{NAMESPACE},tier=~"$tier"'
_TIER = "{{namespace}}/{{tier}}"
_HOUR = 3600


def roles() -> Panel:
    """Who is the primary."""
    return Panel(
        title="Primaries",
        description="Which server is the primary of each tier. A replicated tier has exactly one"
        " at any time.",
        unit=units.NoUnit,
        queries=(
            Query(
                f'max by ({m.PER_SERVER}) ({m.REDIS_INSTANCE_INFO}{{role="master",{_THIS}}})',
                "{{namespace}}/{{pod}}",
            ),
        ),
        look=Look.STATES,
    )


def servers() -> Panel:
    """Servers that answer."""
    return Panel(
        title="Servers",
        description="Servers of each tier that answer, and replicas that follow a primary.",
        unit=units.Short,
        queries=(
            Query(f"{m.TIER_SERVERS}{{{_THIS}}}", f"{_TIER} servers"),
            Query(f"{m.TIER_REPLICAS_CONNECTED}{{{_THIS}}}", f"{_TIER} following"),
        ),
    )


def conditions() -> Panel:
    """What the status says."""
    return Panel(
        title="Conditions",
        description="Ready: one primary, all replicas in sync, all Sentinels know. PrimaryAgreed:"
        " a majority of the Sentinels names one. HandOverDue: a hand-over was asked for and waits."
        " Suspected: a detector sees an anomaly, and the servers are probed. VolumesGrown: each"
        " volume has the size that the spec asks for.",
        unit=units.NoUnit,
        queries=(Query(f"{m.TIER_CONDITION}{{{_THIS}}}", "{{tier}} {{condition}}"),),
        look=Look.STATES,
    )


def lag() -> Panel:
    """How far replicas are behind."""
    return Panel(
        title="Lag",
        description="Time since the replica that is furthest behind acknowledged; once a second is"
        " usual. From ten seconds on a replica does not count, and without one that counts the"
        " primary refuses writes.",
        unit=units.Seconds,
        queries=(Query(f"{m.TIER_LAG}{{{_THIS}}}", _TIER),),
        limit=Limit(5),
    )


def hit_ratio() -> Panel:
    """How often a key is found."""
    return Panel(
        title="Hit ratio",
        description="Share of the keys asked for that were there. The tiers behind L1 see what it"
        " missed; the whole cache's ratio is on the board of the services.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.TIER_HIT_RATIO}{{{_THIS}}}", _TIER),),
    )


def commands() -> Panel:
    """How much is asked."""
    return Panel(
        title="Commands",
        description="Commands a second over all servers of a tier.",
        unit=units.OpsPerSecond,
        queries=(Query(f"{m.TIER_COMMANDS_RATE}{{{_THIS}}}", _TIER),),
    )


def command_seconds() -> Panel:
    """How long an answer takes in the server."""
    return Panel(
        title="Time of a command",
        description="Mean time that a server spends on a command. One that is about to fail takes"
        " longer than the others; a tier's detector looks at it.",
        unit=units.Seconds,
        queries=(
            Query(
                f"{promql.rate(m.REDIS_COMMAND_SECONDS, m.PER_SERVER, _THIS, WINDOW)}"
                f" / {promql.rate(m.REDIS_COMMANDS, m.PER_SERVER, _THIS, WINDOW)}",
                "{{namespace}}/{{pod}}",
            ),
        ),
    )


def fragmentation() -> Panel:
    """Memory that is held in vain."""
    return Panel(
        title="Fragmentation",
        description="Memory that the system gave to the server that is worst off, to what it uses."
        " Below 1 it is swapped out; small data sets show much, since the server itself counts.",
        unit=units.NoUnit,
        queries=(Query(f"max by ({m.PER_TIER}) ({m.REDIS_FRAGMENTATION}{{{_THIS}}})", _TIER),),
    )


def memory() -> Panel:
    """How full the tiers are."""
    return Panel(
        title="Memory",
        description="Share of its memory that the fullest server uses. A cache is full when it"
        " works; a tier that evicts nothing refuses writes at 100%.",
        unit=units.PercentUnit,
        queries=(Query(f"{m.TIER_MEMORY_RATIO}{{{_THIS}}}", _TIER),),
        limit=Limit(0.9),
    )


def evictions() -> Panel:
    """Keys given up."""
    return Panel(
        title="Evictions",
        description="Keys a second that were given up for others.",
        unit=units.OpsPerSecond,
        queries=(Query(promql.rate(m.REDIS_EVICTED, m.PER_TIER, _THIS, WINDOW), _TIER),),
    )


def clients() -> Panel:
    """Clients connected."""
    return Panel(
        title="Clients",
        description="Share of the clients that may connect to a server that are connected.",
        unit=units.PercentUnit,
        queries=(
            Query(
                f"max by ({m.PER_TIER}) ({m.REDIS_CLIENTS}{{{_THIS}}}"
                f" / {m.REDIS_MAX_CLIENTS}{{{_THIS}}})",
                _TIER,
            ),
        ),
        limit=Limit(0.9),
    )


def primary_changes() -> Panel:
    """Failovers and hand-overs."""
    return Panel(
        title="Primary moved",
        description="How often the primary Service moved since the operator started: failovers"
        " and hand-overs.",
        unit=units.Short,
        queries=(Query(f"sum by ({m.PER_TIER}) ({m.PRIMARY_CHANGES}{{{_THIS}}})", _TIER),),
    )


def operator_actions() -> Panel:
    """What the operator did to the servers."""
    actions = "HandOver|Fence|Promote|TellSentinels|Configure"
    return Panel(
        title="What the operator did",
        description="Hand-overs, fences, promotions without a quorum, words to the Sentinels and"
        " settings, since the operator started.",
        unit=units.Short,
        queries=(
            Query(
                f'sum by (action) ({m.ACTIONS}{{kind="RedisTier",action=~"{actions}"}})',
                "{{action}}",
                empty_until="a tier was handed over, fenced or configured anew",
            ),
        ),
        width=16,
    )


def shard_slots() -> Panel:
    """What each shard holds."""
    return Panel(
        title="Slots of shards",
        description="Slots that each shard of a Redis Cluster holds: a third each, of three.",
        unit=units.Short,
        queries=(Query(f"{m.SHARD_SLOTS}{{{_THIS}}}", "{{tier}} {{shard}}"),),
    )


def shard_replicas() -> Panel:
    """Who would take a shard over."""
    return Panel(
        title="Replicas of shards",
        description="Replicas connected to each shard's primary. A shard with none is lost with"
        " its primary.",
        unit=units.Short,
        queries=(Query(f"{m.SHARD_REPLICAS}{{{_THIS}}}", "{{tier}} {{shard}}"),),
    )


def slots_moved() -> Panel:
    """How fast a cluster is resharded."""
    return Panel(
        title="Slots moved",
        description="Slots a second that the operator moves to another shard.",
        unit=units.OpsPerSecond,
        queries=(Query(promql.rate(m.SLOTS_MOVED, m.PER_TIER, _THIS, WINDOW), _TIER),),
    )


def backup_age() -> Panel:
    """How old backups are."""
    return Panel(
        title="Age of the last backup",
        description="What was written since then is in no backup.",
        unit=units.Seconds,
        queries=(
            Query(
                f"time() - max by ({m.PER_BACKUP}) ({m.BACKUP_TIME}{{{NAMESPACE}}})",
                "{{namespace}}/{{backup}}",
            ),
        ),
        look=Look.NUMBER,
        limit=Limit(36 * _HOUR),
        width=6,
    )


def drill_age() -> Panel:
    """When a backup was last proved."""
    return Panel(
        title="Since a drill proved one",
        description="Time since a backup was loaded into a server and found equal.",
        unit=units.Seconds,
        queries=(
            Query(
                f"time() - max by ({m.PER_RESTORE}) ({m.DRILL_TIME}{{{NAMESPACE}}})",
                "{{namespace}}/{{restore}}",
            ),
        ),
        look=Look.NUMBER,
        limit=Limit(8 * 24 * _HOUR),
        width=6,
    )


def backup_size() -> Panel:
    """How large backups are."""
    return Panel(
        title="Size",
        description="Size of the last data set and of the whole repository, where equal parts"
        " are kept once.",
        unit=units.BytesIEC,
        queries=(
            Query(f"{m.BACKUP_BYTES}{{{NAMESPACE}}}", "{{backup}} data"),
            Query(f"{m.BACKUP_REPOSITORY_BYTES}{{{NAMESPACE}}}", "{{backup}} repository"),
        ),
        width=6,
    )


def backup_keys() -> Panel:
    """What is in backups."""
    return Panel(
        title="Keys",
        description="Keys in the last backup, and keys that differed after the last restore.",
        unit=units.Short,
        queries=(
            Query(f"{m.BACKUP_KEYS}{{{NAMESPACE}}}", "{{backup}} keys"),
            Query(f"{m.DRILL_DIFFERENT}{{{NAMESPACE}}}", "{{restore}} different"),
        ),
        width=6,
    )


def backup_time() -> Panel:
    """How long backups and restores take."""
    return Panel(
        title="Time taken",
        description="How long the last backup and the last restore or drill took: so long a real"
        " restore takes too.",
        unit=units.Seconds,
        queries=(
            Query(f"{m.BACKUP_SECONDS}{{{NAMESPACE}}}", "{{backup}} backup"),
            Query(f"{m.DRILL_SECONDS}{{{NAMESPACE}}}", "{{restore}} restore"),
        ),
        width=12,
    )


def backup_conditions() -> Panel:
    """Whether the last runs succeeded."""
    return Panel(
        title="Last runs",
        description="Whether the last run of each backup and restore succeeded.",
        unit=units.NoUnit,
        queries=(
            Query(f"{m.BACKUP_CONDITION}{{{NAMESPACE}}}", "{{backup}} {{condition}}"),
            Query(f"{m.RESTORE_CONDITION}{{{NAMESPACE}}}", "{{restore}} {{condition}}"),
        ),
        look=Look.STATES,
        width=12,
    )


BOARD = Board(
    uid="tenfold-redis",
    title="Tenfold / Redis tiers",
    description="Who is the primary, who follows how closely, what is found, and what would be"
    " left if all of it were lost.",
    variables=(variables.NAMESPACE, variables.TIER),
    rows=(
        Row("Topology", (roles(), servers(), conditions())),
        Row("Service", (lag(), hit_ratio(), commands(), command_seconds())),
        Row("Saturation", (memory(), fragmentation(), evictions(), clients())),
        Row("Hand-overs", (primary_changes(), operator_actions())),
        Row("Redis Cluster", (shard_slots(), shard_replicas(), slots_moved())),
        Row(
            "Backups and drills",
            (
                backup_age(),
                drill_age(),
                backup_size(),
                backup_keys(),
                backup_time(),
                backup_conditions(),
            ),
        ),
    ),
)
