"""What somebody is told of. Thresholds are the platform's targets, or said why beside them."""

from __future__ import annotations

from tenfold_dashboards.alerts import (
    gateway,
    operator,
    platform,
    redis,
    services,
    workloads,
)
from tenfold_dashboards.rules import Alert

GROUPS = (
    gateway.GROUP,
    workloads.GROUP,
    redis.GROUP,
    services.GROUP,
    operator.GROUP,
    platform.GROUP,
)
ALERTS = tuple(rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert))
