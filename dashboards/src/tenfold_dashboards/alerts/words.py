"""How summaries say a value and a place."""

from __future__ import annotations

VALUE = "{{ $value }}"
PERCENT = "{{ $value | humanizePercentage }}"
DURATION = "{{ $value | humanizeDuration }}"
ROUGHLY = '{{ $value | printf "%.2f" }}'


def place(last: str) -> str:
    """Return namespace and name, by the labels."""
    return f"{{{{ $labels.namespace }}}}/{{{{ $labels.{last} }}}}"
