"""The operator's environment."""

import json

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
    with pytest.raises(SystemExit, match="name the namespaces"):
        settings.load({})


def test_ports_can_be_moved() -> None:
    found = settings.load({**ENVIRONMENT, "TENFOLD_CONSOLE_PORT": "18081"})
    assert (found.console_port, found.metrics_port) == (18081, 9090)


def test_the_console_asks_for_no_token_unless_told_where_it_is() -> None:
    assert settings.load(ENVIRONMENT).console_token_file is None
    found = settings.load({**ENVIRONMENT, "TENFOLD_CONSOLE_TOKEN_FILE": "/etc/token"})
    assert str(found.console_token_file) == "/etc/token"


@pytest.mark.parametrize("url", ["", "prometheus:9090"])
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(SystemExit, match="http://prometheus:9090"):
        settings.load({**ENVIRONMENT, "TENFOLD_PROMETHEUS_URL": url})


def test_trainings_are_jobs_where_it_is_said_how() -> None:
    assert settings.load(ENVIRONMENT).training_jobs is None
    amounts = {"cpu": "1", "memory": "768Mi"}
    said = {
        "namespace": "tenfold-training",
        "image": "tenfold/operator:1",
        "parallel": 4,
        "resources": {"requests": amounts, "limits": amounts},
    }
    found = settings.load({**ENVIRONMENT, "TENFOLD_TRAINING_JOBS": json.dumps(said)})
    assert found.training_jobs is not None
    assert found.training_jobs.model_dump() == said
