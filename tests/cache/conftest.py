from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.cache.servers import Cluster, Server


@pytest.fixture
def l2(tmp_path: pathlib.Path) -> Iterator[Server]:
    server = Server(tmp_path).start()
    yield server
    server.kill()


@pytest.fixture
def l3(tmp_path: pathlib.Path) -> Iterator[Server]:
    server = Server(tmp_path).start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def l4(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster")).start()
    yield cluster
    cluster.kill()
