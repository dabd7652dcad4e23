"""The boards: one module each, one function a panel."""

from __future__ import annotations

from tenfold_dashboards.boards import (
    anomalies,
    loadtests,
    models,
    operator,
    overview,
    redis,
    services,
    workload,
)
from tenfold_dashboards.panels import Board

BOARDS: tuple[Board, ...] = (
    overview.BOARD,
    workload.BOARD,
    redis.BOARD,
    anomalies.BOARD,
    models.BOARD,
    operator.BOARD,
    services.BOARD,
    loadtests.BOARD,
)
