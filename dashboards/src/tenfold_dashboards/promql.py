"""PromQL that rules and panels have in common.

A ratio or quantile without traffic is NaN, which says so; it is never turned into 0 or 1.
"""

from __future__ import annotations

import re

_WORDS = {"by", "on", "and", "or", "unless", "ignoring", "without", "offset", "bool", "group_left"}


def rate(metric: str, by: str = "", where: str = "", window: str = "1m") -> str:
    """Return the sum of a counter's rates a second; `where` is a selector without braces."""
    selector = f"{{{where}}}" if where else ""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{selector}[{window}]))"


def share(part: str, whole: str) -> str:
    """Return part / whole; a part that never happened has no series, and counts as 0."""
    return f"({part} or 0 * {whole}) / {whole}"


def errors(requests: str, by: str, where: str = "", window: str = "1m") -> str:
    """Return the rate of answers with a 5xx code; 0 where there were none."""
    both = ",".join(each for each in ('code=~"5.."', where) if each)
    return f"{rate(requests, by, both, window)} or 0 * {rate(requests, by, where, window)}"


def error_ratio(requests: str, by: str, where: str = "", window: str = "1m") -> str:
    """Return the share of answers with a 5xx code."""
    return f"({errors(requests, by, where, window)}) / {rate(requests, by, where, window)}"


def mean(histogram: str, by: str = "", where: str = "", window: str = "1m") -> str:
    """Return the mean of a histogram's observations."""
    total = rate(f"{histogram}_sum", by, where, window)
    return f"{total} / {rate(f'{histogram}_count', by, where, window)}"


def quantile(
    level: float, histogram: str, by: str = "", where: str = "", window: str = "1m"
) -> str:
    """Return a quantile of a histogram's observations."""
    buckets = rate(f"{histogram}_bucket", f"{by}, le" if by else "le", where, window)
    return f"histogram_quantile({level}, {buckets})"


def happened(counter: str, by: str, window: str) -> str:
    """Return by how much a counter rose, its first appearance included: `increase` misses that."""
    before = f"{counter} offset {window}"
    return f"sum by ({by}) (({counter} unless {before}) or increase({counter}[{window}])) > 0"


def series_in(expression: str) -> set[str]:
    """Return the names of the series that an expression reads."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|on|ignoring|without|group_left)\s*\([^)]*\)", " ", bare)
    names = re.findall(r"(?<![\w:.$])[a-z][a-z0-9_:]*(?![\w:]|\s*\()", bare)
    return {each for each in names if each not in _WORDS}
