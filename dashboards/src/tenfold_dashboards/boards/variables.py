"""What readers choose on several boards."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.panels import Variable

NAMESPACE = Variable("namespace", m.REVISION_WEIGHT)
WORKLOAD = Variable("workload", m.REVISION_WEIGHT)
TIER = Variable("tier", m.TIER_CONDITION)
DETECTOR = Variable("detector", m.DETECTOR_CONDITION)
