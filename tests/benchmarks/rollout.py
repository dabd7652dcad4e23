"""Rollouts in a row under load, good and bad ones: a Workload, a plain Deployment and Flagger.

All get the same revisions in the same order and the same load, one after the
other in one run.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table
from tenfold_local import layout

from tests.benchmarks import report
from tests.benchmarks.rollout_load import Recording, locust_load
from tests.benchmarks.rollout_peers import FlaggerSubject, PlainSubject
from tests.benchmarks.rollout_subjects import Outcome, Subject, TenfoldSubject
from tests.support import Kubectl, run_command

_NAMESPACE = "marketplace"
_REQUESTS_PER_SECOND = 834
_CALM_SECONDS = 20
_BAD = {
    "crashes at start": {"CRASH": "1"},
    "30% errors": {"ERROR_RATIO": "0.3"},
    "200 ms slower": {"DELAY_SECONDS": "0.2"},
    "memory grows": {"LEAK_BYTES": "60000"},
    "never ready": {"NEVER_READY": "1"},
}


@dataclass(frozen=True)
class Revision:
    """What one rollout brings."""

    behaviour: str
    environment: dict[str, str]

    @property
    def is_good(self) -> bool:
        """Whether it should stay."""
        return self.behaviour not in _BAD


@dataclass(frozen=True)
class Row:
    """One rollout and the requests sent from its start to the start of the next."""

    revision: Revision
    outcome: Outcome
    requests: int
    failed: int
    slow: int
    bound: float
    """Requests that the new revision may have got until the verdict."""


def revisions(good: int, seed: int) -> Sequence[Revision]:
    """Return the rollouts in a random order, the bad ones among the good."""
    order = [Revision(name, environment) for name, environment in _BAD.items()]
    order += [Revision("good", {"V": str(number)}) for number in range(good)]
    random.Random(seed).shuffle(order)
    return order


def measure(
    subject: Subject, order: Sequence[Revision], url: str
) -> tuple[list[Row], tuple[int, int, int], Recording]:
    """Roll all of them out under load; return rows, counts of a calm stretch before, and all."""
    subject.install()
    try:
        with locust_load(f"{url}/{subject.name}", _REQUESTS_PER_SECOND) as recording:
            time.sleep(5)  # all users have begun
            calm = time.time()
            time.sleep(_CALM_SECONDS)
            outcomes = []
            for number, each in enumerate(order, 1):
                outcomes.append(subject.roll_out(each.environment))
                _say(subject, number, len(order), each, outcomes[-1])
            time.sleep(2)
            ends = [*(each.start for each in outcomes[1:]), time.time()]
    finally:
        subject.remove()
    rows = [
        _row(each, outcome, end, recording)
        for each, outcome, end in zip(order, outcomes, ends, strict=True)
    ]
    return rows, recording.count(calm, outcomes[0].start), recording


def _say(subject: Subject, number: int, count: int, each: Revision, outcome: Outcome) -> None:
    result = "rolled out" if outcome.rolled_out else f"given up ({outcome.message})"
    seconds = outcome.end - outcome.start
    Console().print(
        f"{subject.name} {number} of {count}, {each.behaviour}: {result} in {seconds:.1f} s"
    )


def _row(revision: Revision, outcome: Outcome, end: float, recording: Recording) -> Row:
    requests, failed, slow = recording.count(outcome.start, end)
    bound = outcome.exposed_seconds * recording.requests_per_second
    return Row(revision, outcome, requests, failed, slow, bound)


def print_rows(subject: Subject, rows: Sequence[Row]) -> None:
    """Print one line for each rollout."""
    names = (
        "revision",
        "result",
        "seconds",
        "verdict after",
        "requests",
        "failed",
        "bound",
        "> 1 s",
    )
    table = Table(*names, title=subject.name, title_justify="left")
    for row in rows:
        outcome = row.outcome
        verdict = f"{outcome.verdict - outcome.start:.1f} s" if outcome.verdict else ""
        table.add_row(
            row.revision.behaviour,
            outcome.reason or ("rolled out" if outcome.rolled_out else "undone"),
            f"{outcome.end - outcome.start:.1f}",
            verdict,
            str(row.requests),
            str(row.failed),
            f"{row.bound:.0f}" if row.bound else "",
            str(row.slow),
        )
    Console().print(table)


def _operator(prometheus: str, seconds: float) -> dict[str, float | None]:
    """Return what the operator needed during the last `seconds`, from Prometheus."""
    window = f"{seconds:.0f}s"
    pods = 'namespace="tenfold-system",pod=~"operator-.*"'

    def latency(quantile: float) -> str:
        parts = (
            f"histogram_quantile({quantile}, sum by (le) (rate({name}_bucket{labels}[{window}])))"
            for name, labels in (
                ("tenfold_queue_wait_seconds", ""),
                ("tenfold_reconcile_duration_seconds", '{kind="Workload"}'),
            )
        )
        return " + ".join(parts)

    queries = {
        # The sum of two quantiles: not below the quantile of the sum where they move together.
        "event_to_action_seconds_p50": latency(0.5),
        "event_to_action_seconds_p99": latency(0.99),
        "operator_cpu_cores": f"sum(rate(pod_cpu_usage_seconds_total{{{pods}}}[{window}]))",
        "operator_memory_bytes_max": (
            f"max(max_over_time(pod_memory_working_set_bytes{{{pods}}}[{window}]))"
        ),
    }
    found: dict[str, float | None] = {}
    for name, query in queries.items():
        answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}).json()
        result = answer["data"]["result"]
        found[name] = float(result[0]["value"][1]) if result else None
    return found


def _failed(rows: Sequence[Row], *, good: bool) -> int:
    return sum(row.failed for row in rows if row.revision.is_good is good)


def _wrong(rows: Sequence[Row]) -> int:
    return sum(row.outcome.rolled_out is not row.revision.is_good for row in rows)


def _verdict_seconds(rows: Sequence[Row]) -> list[float]:
    return [row.outcome.verdict - row.outcome.start for row in rows if row.outcome.verdict]


def _good_seconds(rows: Sequence[Row]) -> list[float]:
    return [row.outcome.end - row.outcome.start for row in rows if row.outcome.rolled_out]


def _middle(seconds: Sequence[float]) -> float | None:
    return statistics.median(seconds) if seconds else None


def _undone_after(rows: Sequence[Row]) -> dict[str, float]:
    return {
        json.dumps(row.revision.environment): row.outcome.verdict - row.outcome.start
        for row in rows
        if row.outcome.verdict
    }


def main(
    good: Annotated[int, typer.Option(help="Good revisions among the five bad ones.")] = 15,
    flagger: Annotated[bool, typer.Option(help="Measure Flagger too.")] = True,
    seed: Annotated[int, typer.Option(help="Of the order.")] = 10,
) -> None:
    """Measure on the running platform and write out/bench/rollout.json."""
    entrances = json.loads(run_command("tenfold", "status", "--json").stdout)["entrances"]
    kubectl, url = Kubectl(layout.ADMIN_KUBECONFIG), entrances["gateway"]
    order = revisions(good, seed)
    peer = FlaggerSubject(kubectl, _NAMESPACE, entrances["prometheus"])
    peer_rows = measure(peer, order, url)[0] if flagger else []
    tenfold = TenfoldSubject(kubectl, _NAMESPACE)
    began = time.monotonic()
    rows, calm, recording = measure(tenfold, order, url)
    operator = _operator(entrances["prometheus"], time.monotonic() - began)
    plain = PlainSubject(kubectl, _NAMESPACE, _undone_after(rows))
    plain_rows, plain_calm, plain_recording = measure(plain, order, url)
    for subject, found in ((tenfold, rows), (plain, plain_rows), (peer, peer_rows)):
        print_rows(subject, found)
    bad = [row for row in rows if not row.revision.is_good]
    verdicts = _verdict_seconds(rows)
    figures = {
        "good_rollouts": sum(row.revision.is_good for row in rows),
        "bad_rollouts": len(bad),
        "wrong_verdicts": _wrong(rows),
        "good_failed_requests": _failed(rows, good=True),
        "good_requests_over_1s": sum(row.slow for row in rows if row.revision.is_good),
        "calm_failed_requests": calm[1],
        "calm_requests_over_1s": calm[2],
        "bad_failed_requests": _failed(rows, good=False),
        "bad_failed_requests_bound": sum(row.bound for row in bad),
        "plain_deployment_failed_requests": sum(row.failed for row in plain_rows),
        "plain_deployment_good_failed_requests": _failed(plain_rows, good=True),
        "plain_deployment_calm_failed_requests": plain_calm[1],
        "flagger_good_failed_requests": _failed(peer_rows, good=True) if flagger else None,
        "flagger_bad_failed_requests": _failed(peer_rows, good=False) if flagger else None,
        "flagger_wrong_verdicts": _wrong(peer_rows) if flagger else None,
        "flagger_verdict_seconds_p50": _middle(_verdict_seconds(peer_rows)),
        "flagger_good_rollout_seconds_p50": _middle(_good_seconds(peer_rows)),
        "good_rollout_seconds_p50": _middle(_good_seconds(rows)),
        "verdict_seconds_p50": _middle(verdicts),
        "verdict_seconds_max": max(verdicts, default=None),
        **operator,
        "requests": sum(row.requests for row in rows),
        "requests_per_second": _REQUESTS_PER_SECOND,
        "generator_saturated": str(recording.is_saturated).lower(),
        "generator_late_seconds_p95": recording.late_seconds_p95,
        "plain_generator_saturated": str(plain_recording.is_saturated).lower(),
        "seed": seed,
    }
    for name, seen in (("tenfold", recording), ("plain", plain_recording)):
        print(name, dict(seen.failures))
    print(report.write("rollout", figures))


if __name__ == "__main__":
    typer.run(main)
