"""Alertmanager's configuration: alerts go where their severity says."""

from __future__ import annotations

import yaml
from tenfold_dashboards.rules import Severity

from tenfold_infra.config.models import Receivers

_NOWHERE = "nowhere"


def alertmanager_yaml(receivers: Receivers) -> str:
    """Return alertmanager.yml.

    A severity without a webhook is kept in Alertmanager and sent nowhere: its page shows it.
    """
    webhooks = {
        severity.value: str(url)
        for severity in Severity
        if (url := getattr(receivers, severity.value)) is not None
    }
    document = {
        "route": {
            "receiver": _NOWHERE,
            "group_by": ["alertname", "namespace"],
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "4h",
            "routes": [
                {"receiver": severity, "matchers": [f'severity="{severity}"']}
                for severity in webhooks
            ],
        },
        # What is already critical needs no warning beside it.
        "inhibit_rules": [
            {
                "source_matchers": [f'severity="{Severity.CRITICAL.value}"'],
                "target_matchers": [f'severity="{Severity.WARNING.value}"'],
                "equal": ["alertname", "namespace"],
            }
        ],
        "receivers": [
            {"name": _NOWHERE},
            *(
                {"name": severity, "webhook_configs": [{"url": url}]}
                for severity, url in webhooks.items()
            ),
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)
