"""What is sent in a run, and which targets it has to hold."""

import enum
import pathlib

import pydantic

from tenfold_loadtests import plan as planning
from tenfold_loadtests import shapes, targets
from tenfold_loadtests.measurement import Selection

# Offered a little above the target: a user that waits its turn never catches up a late start.
HEADROOM = 1.02

_EXPECTED = targets.EXPECTED_REQUESTS_PER_MINUTE / 60
_TENFOLD = targets.FACTOR * _EXPECTED
# Long enough for the browsing users to have asked for each product once (users.py).
_WARM_UP_SECONDS = 40.0


class Fault(enum.StrEnum):
    """What is broken after a third of the measured time."""

    KILL_POD = "kill-pod"
    REDIS_PRIMARY = "redis-primary"
    MARKETPLACE_DOWN = "marketplace-down"


# The marketplace of that fault. The other five have to keep their targets.
DOWN = "trendyol"


class Suite(pydantic.BaseModel):
    """What is sent for how long, and what has to come of it."""

    model_config = pydantic.ConfigDict(frozen=True)

    name: str
    shape: shapes.Shape
    rate_source: str
    other_targets: tuple[targets.Target, ...]
    products: int = planning.PRODUCTS
    """How many products are looked at, the most popular ones."""

    @property
    def targets(self) -> tuple[targets.Target, ...]:
        """All targets: the rate is the shape's, whatever it was scaled to."""
        return (targets.rate(self.shape.mean, self.rate_source), *self.other_targets)

    def scaled(self, per_second: float) -> "Suite":
        """Return the suite with another highest rate, offered and demanded."""
        shape = self.shape.scaled(per_second / self.shape.peak)
        return self.model_copy(update={"shape": shape})

    def under(self, fault: Fault) -> "Suite":
        """Return the suite with the targets that still hold while this is broken."""
        return self.model_copy(
            update={"name": f"{self.name}-{fault}", "other_targets": _UNDER[fault]}
        )


def _holding_without(marketplace: str) -> tuple[targets.Target, ...]:
    others = Selection(without_marketplace=marketplace)
    source = "Issue: one marketplace down, the other five keep their targets"
    return (
        targets.errors(0.0, source, others, "others_error_ratio"),
        targets.latency(
            "mean_seconds", targets.MEAN_SECONDS, source, others, "others_mean_seconds"
        ),
        targets.latency("p95_seconds", targets.P95_SECONDS, source, others, "others_p95_seconds"),
        *targets.LOSSES,
    )


_AVAILABLE = "Seed, Production readiness: > 99.99% available"
_UNDER: dict[Fault, tuple[targets.Target, ...]] = {
    Fault.KILL_POD: (targets.errors(0.0001, _AVAILABLE), *targets.ANSWERS[1:], *targets.LOSSES),
    # Products come out of memory, and nobody is held back for want of a count.
    Fault.REDIS_PRIMARY: (
        targets.errors(
            0.0, "Design, cache: a get never raises because of a tier",
            Selection(user="browse"), "browse_error_ratio",
        ),
        *targets.LOSSES,
    ),
    Fault.MARKETPLACE_DOWN: _holding_without(DOWN),
}  # fmt: skip

_EVERYTHING = (*targets.ANSWERS, *targets.LOSSES)


def _tenfold(name: str, shape: shapes.Shape, *more: targets.Target) -> Suite:
    return Suite(
        name=name,
        shape=shape,
        rate_source=targets.TENFOLD_RATE,
        other_targets=(*_EVERYTHING, *more),
    )


SMOKE = Suite(
    name="smoke",
    # With the generator's start and end, a minute in all.
    shape=shapes.steady(_EXPECTED, seconds=44, ramp=5),
    rate_source=targets.EXPECTED_RATE,
    other_targets=_EVERYTHING,
    # As many as the ramp can warm at this rate.
    products=100,
)
STEADY = _tenfold("10x", shapes.steady(_TENFOLD, 300, _WARM_UP_SECONDS), *targets.INSIDE)
RAMP = _tenfold("ramp", shapes.ramp(_EXPECTED, _TENFOLD, seconds=300, start=10))
SPIKE = _tenfold("spike", shapes.spike(_EXPECTED, _TENFOLD, seconds=180, start=10))
SOAK = _tenfold("soak", shapes.steady(_TENFOLD, 3600, _WARM_UP_SECONDS), *targets.INSIDE)

SUITES = {suite.name: suite for suite in (SMOKE, STEADY, RAMP, SPIKE, SOAK)}


def replayed(trace: pathlib.Path) -> Suite:
    """Return the suite of a trace: its course in five minutes, 10x at its highest."""
    return _tenfold("replay", shapes.replay(trace, _TENFOLD, seconds=300, start=10))


def lasting(suite: Suite, seconds: float | None, ramp: float | None) -> Suite:
    """Return a steady suite with other times; raises ShapeError for any other shape."""
    if seconds is None and ramp is None:
        return suite
    shape = suite.shape
    if len(shape.points) != 3:
        raise shapes.ShapeError(
            f"{suite.name} has times of its own: leave --duration and --ramp out."
        )
    kept = shape.seconds - shape.measured_from
    times = (kept if seconds is None else seconds, shape.measured_from if ramp is None else ramp)
    return suite.model_copy(update={"shape": shapes.steady(shape.peak, *times)})
