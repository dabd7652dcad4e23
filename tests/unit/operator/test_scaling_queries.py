"""What Prometheus is asked for scaling, and how its answers are read."""

import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tenfold_operator.plan.scaling import queries
from tenfold_operator.plan.scaling.capacity import Usage

ASKED = queries.queries("shop", "cart")


def pattern(name: str, label: str) -> str:
    (found,) = re.findall(rf'{label}=~"([^"]*)"', ASKED[name])
    return str(found)


def test_the_load_is_that_of_every_revision_and_of_no_other_workload() -> None:
    service = pattern(queries.LOAD, "service")
    route = "httproute-shop-cart-gw-tenfold-gateway-tenfold-ep-web-0"
    mine = f"{route}-svc-shop-cart-0123456789-8080@kubernetesgateway"
    assert re.fullmatch(service, mine)
    assert not re.fullmatch(service, mine.replace("shop-cart", "shop-cart-api"))


def test_pods_are_those_of_every_revision_and_of_no_other_workload() -> None:
    pods = pattern(queries.CPU, "pod")
    assert re.fullmatch(pods, "cart-0123456789-6c8f7d9b5-x2x4z")
    assert not re.fullmatch(pods, "cart-api-0123456789-6c8f7d9b5-x2x4z")


@pytest.mark.parametrize("name", sorted(ASKED))
def test_prometheus_takes_every_query(name: str, tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    rules = tmp_path / "rules.yaml"
    rule = f"record: a\n    expr: |\n      {ASKED[name]}\n"
    rules.write_text(f"groups:\n- name: all\n  rules:\n  - {rule}")
    checked = subprocess.run([promtool, "check", "rules", rules], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_usage_is_for_each_pod_where_load_and_pods_are_known() -> None:
    found = queries.usages(
        load={0.0: 30.0, 15.0: 40.0, 30.0: 50.0},
        pods={0.0: 3.0, 15.0: 4.0, 45.0: 4.0},
        latency={0.0: 0.1},
        cpu={0.0: 0.6, 15.0: 0.8},
        cores=0.5,
    )
    assert found[0] == Usage(load=10.0, latency=0.1, cpu=0.6 / 3.0 / 0.5)
    assert found[1].load == 10.0
    assert math.isnan(found[1].latency)
    assert len(found) == 2


def test_without_a_cpu_limit_or_request_the_share_is_not_known() -> None:
    (found,) = queries.usages({0.0: 3.0}, {0.0: 3.0}, {0.0: 0.1}, {0.0: 0.6}, cores=None)
    assert math.isnan(found.cpu)
