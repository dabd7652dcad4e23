"""Each stack, run once against mocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tenfold_infra.config import parse

from tests.infra.rendering import Run, run_program, stack_config


@pytest.fixture(scope="session", params=["local", "production"])
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def rendered() -> Callable[[str], Run]:
    """Return the run of a stack by its name; each stack is run once."""
    runs: dict[str, Run] = {}

    def of(name: str) -> Run:
        if name not in runs:
            runs[name] = run_program(parse(stack_config(name)), name)
        return runs[name]

    return of


@pytest.fixture(scope="session")
def run(stack: str, rendered: Callable[[str], Run]) -> Run:
    return rendered(stack)


@pytest.fixture
def config() -> dict[str, str]:
    """Return the local stack's configuration, to be spoilt by a test."""
    return stack_config("local")
