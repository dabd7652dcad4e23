"""The gateway at ten times the expected traffic, through Traefik: the load gate's own run.

Needs the platform to be up. The gate judges; here its figures are kept beside other benchmarks'.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tenfold_loadtests import measurement, reports

from tests.benchmarks import report

_OUT = report.OUT.parent / "load"
_SUITE = "10x"


def main() -> None:
    """Run the gate, write out/bench/gateway.json, and end as the gate did."""
    program = Path(sys.executable).with_name("tenfold-load")
    done = subprocess.run([program, "run", "--suite", _SUITE, "--out", _OUT])
    found = reports.read(_SUITE, _OUT)
    if found is None:
        sys.exit(done.returncode)
    every = measurement.Selection()
    figures = {
        name: found.measured.figure(name, every)
        for name in ("error_ratio", "mean_seconds", "p95_seconds", "p99_seconds")
    }
    per_second = found.measured.figure("requests_per_second", every) or 0.0
    observed = {
        each.target.name: each.measured
        for each in found.judgements
        if each.target.name not in (*figures, "requests_per_second")
    }
    path = report.write(
        "gateway",
        {
            "requests_per_minute": 60 * per_second,
            **figures,
            "generator_saturated": found.generator_saturated,
            "outcome": found.outcome.value,
            **observed,
        },
    )
    print(path)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
