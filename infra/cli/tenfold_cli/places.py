"""Where the platform's entrances are, as seen from outside the cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tenfold_cli.target import Target

ENTRANCES = ("gateway", "prometheus", "console")
"""The stack's outputs that describe a Service which a person looks at."""


def find(target: Target, outputs: Mapping[str, Any]) -> dict[str, str]:
    """Return each entrance's address, or the command that opens it where it has none outside."""
    node = _node_address(target)
    return {name: _place(outputs[name], node) for name in ENTRANCES if name in outputs}


def _node_address(target: Target) -> str:
    nodes = json.loads(target.kubectl("get", "nodes", "--output=json"))["items"]
    addresses = nodes[0]["status"]["addresses"]
    internal: list[str] = [a["address"] for a in addresses if a["type"] == "InternalIP"]
    return internal[0]


def _place(output: Mapping[str, Any], node: str) -> str:
    if output.get("address"):
        return f"http://{output['address']}"
    if output.get("nodePort"):
        return f"http://{node}:{output['nodePort']}"
    service, namespace = output["service"], output["namespace"]
    port = output["url"].rpartition(":")[2]
    return f"kubectl port-forward --namespace {namespace} service/{service} {port}"
