"""Monitoring: Prometheus with its rules, Alertmanager, and Grafana where the stack has it."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, StatefulSet
from pulumi_kubernetes.core.v1 import Service

from tenfold_infra.components.monitoring import alertmanager, grafana, prometheus
from tenfold_infra.config import Platform


class Monitoring(pulumi.ComponentResource):
    """What collects the series that people and the operator decide from."""

    prometheus: StatefulSet
    prometheus_service: Service
    alertmanager: Deployment
    grafana: Deployment | None

    def __init__(self, platform: Platform) -> None:
        super().__init__("tenfold:infra:Monitoring", "monitoring")
        self.prometheus = prometheus.stateful_set(platform, self)
        self.prometheus_service = prometheus.service(platform, self.prometheus, self)
        self.alertmanager = alertmanager.deploy(platform.monitoring.alertmanager, self)
        section = platform.monitoring.grafana
        self.grafana = grafana.deploy(section, self) if section is not None else None
        self.register_outputs({"prometheus": self.prometheus_service.metadata.name})
