"""What detectors and probes say of a primary that may soon fail.

A detector sees that something is unlike before, not that the primary is to blame: it raises
suspicion, and only probes that show the primary slow beside a replica are a reason to move it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tenfold_operator.model.generated import AnomalyDetector
from tenfold_operator.model.observed import Probe, TierView
from tenfold_operator.plan.conditions import Verdict


@dataclass(frozen=True)
class Failing:
    """A primary that the probes show slow."""

    why: str
    quick: tuple[str, ...]
    """The servers that were quick in every probe."""


def suspecting(detectors: Mapping[str, AnomalyDetector | None]) -> tuple[str, ...]:
    """Return what raises suspicion now, in words; nothing while no detector sees an anomaly."""
    return tuple(
        f"{name}: {'; '.join(found.status.reasons) or 'an anomaly'}"
        for name, found in detectors.items()
        if found and found.status.verdict == "Anomalous" and _is_current(found)
    )


def failing(view: TierView, primary: str) -> Failing | None:
    """Return why the primary is about to fail; None while that is not shown."""
    suspicions, settings = suspecting(view.detectors), view.tier.spec.handover.suspicion
    slow, probes = _slow(view, primary), view.probes[-settings.of :]
    if not suspicions or slow < settings.wanted:
        return None
    limit = settings.slow_milliseconds / 1000
    others = {pod for probe in probes for pod in probe} - {primary}
    return Failing(
        f"{suspicions[0]}; and {primary} {_slow_in_words(view, slow)}",
        tuple(
            sorted(
                pod for pod in others if all(each.get(pod, math.inf) <= limit for each in probes)
            )
        ),
    )


def verdicts(view: TierView, primary: str | None) -> Iterator[Verdict]:
    """Return the condition Suspected, where the spec names detectors."""
    if not view.detectors:
        return
    missing = sorted(name for name, found in view.detectors.items() if found is None)
    blind = sorted(
        name for name, found in view.detectors.items() if found and not _is_current(found)
    )
    if suspicions := suspecting(view.detectors):
        probed = f"; {primary} {_slow_in_words(view, _slow(view, primary))}" if primary else ""
        yield Verdict("Suspected", "True", "Anomaly", "; ".join(suspicions) + probed)
    elif missing:
        message = f"there is no AnomalyDetector {', '.join(missing)} in this namespace"
        yield Verdict("Suspected", "Unknown", "DetectorMissing", message)
    elif blind:
        message = f"{', '.join(blind)} cannot tell: see the condition Ready there"
        yield Verdict("Suspected", "Unknown", "DetectorNotReady", message)
    else:
        yield Verdict("Suspected", "False", "NoAnomaly", f"{', '.join(view.detectors)}: no anomaly")


def _is_current(detector: AnomalyDetector) -> bool:
    """Whether it judges: without data it holds its last verdict."""
    return any(
        each.type == "Ready" and each.status == "True" for each in detector.status.conditions
    )


def _slow(view: TierView, primary: str) -> int:
    settings = view.tier.spec.handover.suspicion
    limit = settings.slow_milliseconds / 1000
    return sum(_is_slow(each, primary, limit) for each in view.probes[-settings.of :])


def _is_slow(probe: Probe, primary: str, limit: float) -> bool:
    """Whether the primary was slow; not when everybody was: then the operator or the network is."""
    others = [seconds for pod, seconds in probe.items() if pod != primary]
    return probe.get(primary, math.inf) > limit >= min(others, default=math.inf)


def _slow_in_words(view: TierView, slow: int) -> str:
    settings = view.tier.spec.handover.suspicion
    probes = min(len(view.probes), settings.of)
    return f"took more than {settings.slow_milliseconds} ms in {slow} of {probes} probes"
