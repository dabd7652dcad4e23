"""The judgement of a run: pure, from what was measured and what is demanded.

A generator that was itself the bottleneck must not fail the service. It is held to have been
one where it could have caused the miss:

- the rate: when a worker was out of CPU, or when users were waiting for their turn and still
  too few requests were sent (a slow service keeps them busy instead);
- a latency: when a worker was out of CPU, or when the miss is no larger than the lateness of
  the workers' own timers, which is part of every latency they measure.

It never causes errors, and it can only make figures worse: a target that was held is held. A
figure that nobody could tell (Prometheus has no data, a count could not be taken) is neither held
nor missed.
"""

import enum
from collections.abc import Mapping

import pydantic

from tenfold_loadtests import measurement, suites, targets

# A worker above this had no rest left to be on time.
MAX_CPU_DEMAND = 0.9
# Users that were busy for less of their time than this were not held up by the service.
MAX_IDLE_USERS_BUSY = 0.9


class Outcome(enum.StrEnum):
    """What is known of one target, or of a run."""

    HELD = "held"
    MISSED = "missed"
    NOT_JUDGED = "not judged"


class Judgement(pydantic.BaseModel):
    """One target beside what was measured; None where there was nothing to measure."""

    model_config = pydantic.ConfigDict(frozen=True)

    target: targets.Target
    measured: float | None
    outcome: Outcome
    reason: str


class Verdict(pydantic.BaseModel):
    """All judgements of a run."""

    model_config = pydantic.ConfigDict(frozen=True)

    judgements: tuple[Judgement, ...]
    generator_saturated: bool

    @property
    def outcome(self) -> Outcome:
        """A missed target fails the run, whatever else could not be judged."""
        outcomes = {judgement.outcome for judgement in self.judgements}
        for decisive in (Outcome.MISSED, Outcome.NOT_JUDGED):
            if decisive in outcomes:
                return decisive
        return Outcome.HELD


def judge(
    suite: suites.Suite, run: measurement.Measurement, others: Mapping[str, float | None]
) -> Verdict:
    """Judge every target of the suite; `others` are the figures that were not generated."""
    return Verdict(
        judgements=tuple(_judge_one(target, suite, run, others) for target in suite.targets),
        generator_saturated=_saturated(run),
    )


def _judge_one(
    target: targets.Target,
    suite: suites.Suite,
    run: measurement.Measurement,
    others: Mapping[str, float | None],
) -> Judgement:
    by = target.measured_by
    if isinstance(by, targets.Generated):
        measured = run.figure(by.figure, by.of)
        nothing = Outcome.MISSED, "no request was answered: there is nothing to measure"
    else:
        measured = others.get(target.name)
        nothing = Outcome.NOT_JUDGED, "there is no figure: the service told nothing of it"
    if measured is None:
        outcome, reason = nothing
    elif _holds(target, measured):
        outcome, reason = Outcome.HELD, ""
    elif excuse := _excuse(target, measured, suite, run):
        outcome, reason = Outcome.NOT_JUDGED, excuse
    else:
        outcome, reason = Outcome.MISSED, ""
    return Judgement(target=target, measured=measured, outcome=outcome, reason=reason)


def _holds(target: targets.Target, measured: float) -> bool:
    match target.bound:
        case targets.Bound.AT_LEAST:
            return measured >= target.limit
        case targets.Bound.AT_MOST:
            return measured <= target.limit
        case targets.Bound.BELOW:
            return measured < target.limit


def _saturated(run: measurement.Measurement) -> bool:
    return any(worker.cpu_demand >= MAX_CPU_DEMAND for worker in run.workers)


def _excuse(
    target: targets.Target,
    measured: float,
    suite: suites.Suite,
    run: measurement.Measurement,
) -> str | None:
    by = target.measured_by
    if not isinstance(by, targets.Generated) or by.figure == "error_ratio":
        return None
    if _saturated(run):
        worst = max(worker.cpu_demand for worker in run.workers)
        return f"the generator was out of CPU (a worker wanted {worst:.0%} of a core)"
    if by.figure == targets.RATE:
        # There is a user for each request a second.
        users = suites.HEADROOM * suite.shape.mean
        waiting = run.counts(measurement.Selection()).seconds_sum
        busy = waiting / (users * run.window_seconds)
        if busy < MAX_IDLE_USERS_BUSY:
            return (
                f"the generator sent too few: its users waited for an answer {busy:.0%} of the time"
            )
        return None
    late = max((worker.late_p95_seconds for worker in run.workers), default=0.0)
    if _holds(target, measured - late):
        return f"the generator itself was up to {late * 1000:.0f} ms late"
    return None
