"""Prometheus, or whatever speaks its API, through prometheus-api-client."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

import requests
import urllib3
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect

from tenfold_operator.model.observed import Sample, Series
from tenfold_operator.ports import Rejected, Unavailable

_TIMEOUT_SECONDS = 5
_INVALID = f"HTTP Status Code {HTTPStatus.BAD_REQUEST.value} "
Answer = TypeVar("Answer")


class Prometheus:
    """Implements ports.Metrics. The client blocks: it is called in threads."""

    def __init__(self, url: str) -> None:
        # It would try again five times: whoever plans on the answer knows better when.
        self._client = PrometheusConnect(
            url=url, timeout=_TIMEOUT_SECONDS, retry=urllib3.Retry(total=0)
        )

    async def query(self, expression: str) -> tuple[Sample, ...]:
        """Return the values of an instant vector or a scalar, none when it is empty."""
        found = await _ask(lambda: self._client.custom_query(expression))
        try:
            if found and not isinstance(found[0], dict):  # a scalar: its time and value
                return (Sample({}, float(found[0]), float(found[1])),)
            return tuple(
                Sample(each["metric"], float(each["value"][0]), float(each["value"][1]))
                for each in found
            )
        except (KeyError, ValueError) as error:
            message = f"it answers ranges or text, not numbers: {expression}"
            raise Rejected("InvalidQuery", message) from error

    async def query_range(
        self, expression: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """Return the series of the range, none when there is no data."""
        found = await _ask(
            lambda: self._client.custom_query_range(expression, start, end, f"{step_seconds}")
        )
        return tuple(
            Series(
                each["metric"],
                tuple(float(time) for time, _ in each["values"]),
                tuple(float(value) for _, value in each["values"]),
            )
            for each in found
        )


async def _ask(question: Callable[[], Answer]) -> Answer:
    try:
        return await asyncio.to_thread(question)
    except PrometheusApiClientException as error:
        if str(error).startswith(_INVALID):
            raise Rejected("InvalidQuery", str(error).removeprefix(_INVALID)) from error
        raise Unavailable(f"Prometheus: {error}") from error
    except requests.RequestException as error:
        raise Unavailable(f"Prometheus: {error}") from error
