"""The operator's environment."""

import pytest
from tenfold_operator import settings

ENVIRONMENT = {
    "TENFOLD_NAMESPACES": "shop, market,",
    "TENFOLD_PROMETHEUS_URL": "http://prometheus:9090",
}


def test_the_namespaces_are_a_list_with_commas() -> None:
    found = settings.load(ENVIRONMENT)
    assert found.namespaces == ("shop", "market")


def test_no_namespace_is_refused_with_the_next_step() -> None:
    with pytest.raises(SystemExit, match="name the tenant namespaces"):
        settings.load({})


def test_ports_can_be_moved() -> None:
    found = settings.load({**ENVIRONMENT, "TENFOLD_CONSOLE_PORT": "18081"})
    assert (found.console_port, found.metrics_port) == (18081, 9090)


@pytest.mark.parametrize("url", ["", "prometheus:9090"])
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(SystemExit, match="http://prometheus:9090"):
        settings.load({**ENVIRONMENT, "TENFOLD_PROMETHEUS_URL": url})
