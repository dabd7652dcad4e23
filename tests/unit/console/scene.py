"""A platform for the console to show: rollouts by the real plan, the rest constructed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tenfold_operator.adapters.store import Store
from tenfold_operator.journal import Journal
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Reading
from tenfold_operator.plan.actions import HandOver, Refuse, Wait

from tests.unit.console.past import MEASURED, PastValues
from tests.unit.operator.answers import BAD, GOOD, answers
from tests.unit.operator.world import World, template

TIER = Ref("RedisTier", "shop", "l2")
CLUSTER = Ref("RedisTier", "shop", "l4")
DETECTOR = Ref("AnomalyDetector", "shop", "checkout")
CANARY: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 20, "holdSeconds": 10}, {"weight": 60, "holdSeconds": 10}],
    "analysis": {
        "intervalSeconds": 2,
        "windowSeconds": 10,
        "errorRatio": {"max": 0.01},
        "latency": {"quantile": 0.95, "maxSeconds": 0.1},
        "comparison": {},
    },
}


class Scene:
    """The store and the journal, and what happens to them."""

    def __init__(self) -> None:
        self.store = Store()
        self.journal = Journal()
        self.past = PastValues()
        self.world = World()
        self.world.now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
        self.world.edit(rollout=CANARY)
        self._go("RolledOut")

    def roll_back(self, image: str = "v2") -> str:
        """Roll out a revision that answers errors until it is given up; return its name."""
        self.begin(image)
        self.judge(BAD)
        self._go("AnalysisFailed")
        self.world.round(10)
        self.show()
        return str(self.world.status.target_revision)

    def begin(self, image: str) -> None:
        """Begin a rollout, and stop where its first step is judged well."""
        self.judge(GOOD)
        self.world.edit(template=template(image))
        self._go("Holding")

    def judge(self, seen: Any) -> None:
        """Have Prometheus say this of the target."""

        def said() -> Mapping[str, Reading]:
            status = self.world.status
            return answers({str(status.stable_revision): GOOD, str(status.target_revision): seen})

        self.world.prometheus = said

    def finish(self) -> None:
        """Let the rollout go on to its end."""
        self._go("RolledOut")

    def step(self) -> None:
        """Everybody does his part once."""
        plan = self.world.round(2)
        self.journal.write(self.world.ref, plan, self.world.now)
        self.show()

    def _go(self, reason: str) -> None:
        for _ in range(100):
            self.step()
            if self.world.condition("Progressing")[1] == reason:
                return
        raise AssertionError(f"it says {self.world.condition('Progressing')}, never {reason}")

    def show(self) -> None:
        """Have the store see the world as it is."""
        for manifest in self.world.objects.values():
            self.store.put(copy.deepcopy(manifest))
        status = self.world.status
        self.past.revisions = tuple(each.name for each in status.revisions)
        self.past.failed = next(reversed(status.failed_revisions), None)

    def add_tier(self, primary: str = "l2-0") -> None:
        """Put a tier, its pods, a backup of it and a drill into the store."""
        now = self.world.now.isoformat()
        status = {
            "primary": primary,
            "sentinelsAgreeing": 3,
            "replicas": [
                {"name": name, "role": "primary"}
                if name == primary
                else {"name": name, "role": "replica", "lag": 0}
                for name in ("l2-0", "l2-1", "l2-2")
            ],
            "conditions": [
                condition("Ready", "True", "InSync", f"{primary} is primary, 2 of 2 replicas", now),
                condition("HandOverDue", "False", "NotDue", "the primary may stay", now),
            ],
        }
        if primary != "l2-0":
            status["lastFailover"] = {"time": now, "from": "l2-0", "to": primary}
        self.store.put(resource(TIER, {"memory": "64Mi"}, status))
        for app, names in (
            ("redis", ("l2-0", "l2-1", "l2-2")),
            ("redis-sentinel", ("l2-sentinel-0", "l2-sentinel-1", "l2-sentinel-2")),
        ):
            for name in names:
                self.store.put(pod(name, app))
        self._add_copies(now)

    def _add_copies(self, now: str) -> None:
        backup = {
            "tier": "l2",
            "schedule": "17 3 * * *",
            "repository": {"url": "s3:https://example.com/l2", "secretName": "l2-repository"},
        }
        last = {"job": "nightly-1", "time": now, "snapshot": "deadbeef", "keys": 1200}
        good = [condition("Ready", "True", "Succeeded", "1200 keys", now)]
        self.store.put(
            resource(
                Ref("RedisBackup", "shop", "nightly"),
                backup,
                {"lastBackup": {**last, "bytes": 70_000, "seconds": 4.2, "kept": 7}}
                | {"conditions": good},
            )
        )
        run = {**last, "equal": True, "found": 1200, "sampled": 900, "different": 0}
        self.store.put(
            resource(
                Ref("RedisRestore", "shop", "drill"),
                {"backup": "nightly", "mode": "drill", "schedule": "47 4 * * 0"},
                {"lastRun": run, "lastGood": now, "conditions": good},
            )
        )

    def add_cluster(self) -> None:
        """Put a tier of three shards into the store, one of which has lost its primary."""
        now = self.world.now.isoformat()
        shards = [
            {"number": n, "primary": f"l4-{n}-0", "slots": 5461, "replicas": 1} for n in range(2)
        ]
        names = [f"l4-{n}-{m}" for n in range(2) for m in range(2)]
        status = {
            "replicas": [
                {"name": each, "role": "primary" if each.endswith("-0") else "replica"}
                for each in names
            ],
            "shards": [*shards, {"number": 2, "slots": 5462, "replicas": 0}],
            "conditions": [condition("Ready", "False", "SlotsNotServed", "5462 slots", now)],
        }
        spec = {"memory": "64Mi", "topology": "cluster", "shards": 3, "replicas": 1}
        self.store.put(resource(CLUSTER, spec, status))

    def scale(self) -> None:
        """Have the Workload scaled by a forecast, as its status says."""
        workload: dict[str, Any] = copy.deepcopy(self.world.objects[self.world.ref])
        now = self.world.now.isoformat()
        model = {"version": "0a1b2c3d4e5f", "trainedTime": now, "challenger": "f5e4d3c2b1a0"}
        workload["status"]["scaling"] = {
            "replicas": 7,
            "wantedReplicas": 9,
            "reactiveReplicas": 4,
            "predictedReplicas": 9,
            "horizonSeconds": 120,
            "confidencePercent": 81,
            "held": "ScaleOutLimit",
            "message": "7 pods; 4 for the load; 9 for the next 120 s",
            "reasons": ["the morning's rise, as on other Mondays"],
            "model": {**model, "message": "the challenger is better by 1%"},
            "time": now,
        }
        self.store.put(workload)

    def hand_over(self) -> None:
        """Move the primary from l2-0 to l2-1, after it was refused once."""
        now = self.world.now
        refused = Refuse(reason="CoolDown", message="the primary moved 20 s ago")
        self.journal.write(TIER, [refused, Wait(reason="the cool-down", until=now)], now)
        moved = HandOver(primary="l2-0", target="l2-1", service={}, why="it was asked for")
        self.journal.write(TIER, [moved], now)
        self.add_tier("l2-1")

    def add_detector(self, verdict: str = "Normal") -> None:
        """Put a detector into the store."""
        now = self.world.now.isoformat()
        is_bad = verdict == "Anomalous"
        status: dict[str, Any] = {
            "verdict": verdict,
            "score": 1.7 if is_bad else 0.4,
            "band": {"expected": 100.0, "lower": 80.0, "upper": 120.0},
            "rowTime": now,
            "reasons": ["the mean of 4 rows has no like"] if is_bad else [],
            "model": {"version": "series-0a1b2c", "trainedAt": now, "rows": 4000},
            "conditions": [
                condition("Ready", "True", "Scoring", "rows are read and scored", now),
                condition("Anomalous", str(is_bad), "Persistent", "3 of 5 rows score above 1", now),
            ],
        }
        spec = {"queries": [{"name": "requests", "expr": MEASURED}]}
        self.store.put(resource(DETECTOR, spec, status))


def condition(type_: str, status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": now,
    }


def resource(ref: Ref, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": spec,
        "status": status,
    }


def pod(name: str, app: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": app, "tenfold.dev/tier": "l2"}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"nodeName": f"node-{name[-1]}"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
