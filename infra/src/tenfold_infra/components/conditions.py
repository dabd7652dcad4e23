"""Custom resources count as created once they say so themselves."""

from __future__ import annotations

WAIT_FOR = "pulumi.com/waitFor"


def wait_for(condition: str) -> dict[str, str]:
    """Return the annotation that makes Pulumi wait until `condition` is True."""
    return {WAIT_FOR: f"condition={condition}"}
