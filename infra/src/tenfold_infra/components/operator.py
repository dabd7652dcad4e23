"""The operator: its resource definitions, its rights, its one pod and its console."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import yaml
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs, DeploymentStrategyArgs
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPortArgs,
    EnvVarArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    SecretVolumeSourceArgs,
    Service,
    ServicePortArgs,
    ServiceSpecArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from tenfold_infra import images, naming
from tenfold_infra.components import access, pods
from tenfold_infra.components.gateway import GATEWAY_API
from tenfold_infra.components.guardrails import PLATFORM_PRIORITY
from tenfold_infra.config import Platform
from tenfold_infra.config.models import Training

DEFINITIONS = images.REPOSITORY / "operator" / "crds"
"""The single source of our resource definitions."""

_NAMESPACE = naming.SYSTEM_NAMESPACE
_MODELS = "/var/lib/tenfold/models"
_CONSOLE_VOLUME = "console"
_CONSOLE_FOLDER = "/etc/tenfold/console"
# A training's Job, the lesson that it is given, and the model that it prints.
_TRAINING_RIGHTS = (
    access.rule("batch", ["jobs"], ["get", "list", "create", "delete"]),
    access.rule("", ["configmaps"], ["create"]),
    access.rule("", ["pods"], ["list"]),
    access.rule("", ["pods/log"], ["get"]),
)


class Operator(pulumi.ComponentResource):
    """The operator and what it needs to act in each tenant's namespace."""

    definitions: list[CustomResource]
    deployment: Deployment
    console: Service

    def __init__(self, platform: Platform) -> None:
        super().__init__("tenfold:infra:Operator", "operator")
        self.definitions = [self._definition(path) for path in sorted(DEFINITIONS.glob("*.yaml"))]
        identity = self._identity(platform)
        if platform.operator.training.mode == "jobs":
            identity.may(_TRAINING_RIGHTS, [naming.TRAINING_NAMESPACE])
        self.deployment = self._deployment(platform, identity)
        self.console = self._console(platform)
        if platform.operator.console.gateway_port is not None:
            self._console_route()
        self.register_outputs({"console": self.console.metadata.name})

    def _definition(self, path: Path) -> CustomResource:
        document = yaml.safe_load(path.read_text())
        return CustomResource(
            f"definition-{path.stem}",
            api_version=document["apiVersion"],
            kind=document["kind"],
            metadata=ObjectMetaArgs(name=document["metadata"]["name"]),
            spec=document["spec"],
            opts=ResourceOptions(parent=self),
        )

    def _identity(self, platform: Platform) -> access.Identity:
        identity = access.Identity(naming.OPERATOR, _NAMESPACE, self)
        identity.may_everywhere(
            [
                access.rule("apiextensions.k8s.io", ["customresourcedefinitions"], access.READ),
                access.rule("", ["namespaces"], access.READ),
                # Whether a tier's volumes may grow.
                access.rule("storage.k8s.io", ["storageclasses"], ["get"]),
            ]
        )
        owned = (
            "workloads",
            "redistiers",
            "redisbackups",
            "redisrestores",
            "anomalydetectors",
        )
        changed = (*access.READ, *access.WRITE)
        identity.may(
            [
                access.rule(naming.API_GROUP, owned, access.READ),
                access.rule(naming.API_GROUP, [f"{kind}/status" for kind in owned], ["patch"]),
                # How many pods there are is all of a spec that the operator changes.
                access.rule(naming.API_GROUP, ["workloads/scale"], ["patch"]),
                access.rule("apps", ["deployments", "statefulsets"], changed),
                access.rule("apps", ["deployments/scale"], ["patch"]),
                access.rule("batch", ["jobs", "cronjobs"], changed),
                access.rule("", ["services", "configmaps"], changed),
                # A tier's password is read by its name or made; nothing lists Secrets.
                access.rule("", ["secrets"], ["get", "create"]),
                # Servers restart in an order that only the operator knows.
                access.rule("", ["pods"], (*access.READ, "delete")),
                # Volumes of Redis servers grow; the operator makes none and deletes none.
                access.rule("", ["persistentvolumeclaims"], (*access.READ, "patch")),
                access.rule("", ["events"], ["create"]),
                access.rule("discovery.k8s.io", ["endpointslices"], access.READ),
                access.rule(GATEWAY_API, ["httproutes"], changed),
                access.rule("policy", ["poddisruptionbudgets"], changed),
            ],
            platform.tenant_namespaces,
        )
        return identity

    def _deployment(self, platform: Platform, identity: access.Identity) -> Deployment:
        template = PodTemplateSpecArgs(
            metadata=ObjectMetaArgs(labels=pods.labels(naming.OPERATOR)),
            spec=PodSpecArgs(
                service_account_name=identity.name,
                automount_service_account_token=True,
                priority_class_name=PLATFORM_PRIORITY,
                security_context=pods.pod_security(),
                containers=[self._container(platform)],
                # Models of forecasts are fitted anew within minutes where a pod begins without:
                # a volume of one zone would keep the operator from moving when that zone fails.
                volumes=[
                    pods.scratch("tmp", "64Mi"),
                    pods.scratch("models", "1Gi"),
                    *_token_volumes(platform),
                ],
            ),
        )
        return Deployment(
            "operator",
            metadata=ObjectMetaArgs(name=naming.OPERATOR, namespace=_NAMESPACE),
            spec=DeploymentSpecArgs(
                replicas=1,
                # Two operators at once would act on each other's half-done work.
                strategy=DeploymentStrategyArgs(type="Recreate"),
                selector=pods.selector(naming.OPERATOR),
                template=template,
            ),
            opts=ResourceOptions(parent=self, depends_on=[*self.definitions, *identity.granted]),
        )

    def _container(self, platform: Platform) -> ContainerArgs:
        prometheus = naming.url(
            naming.PROMETHEUS, naming.MONITORING_NAMESPACE, naming.PROMETHEUS_PORT
        )
        settings = {
            "TENFOLD_PROMETHEUS_URL": prometheus,
            "TENFOLD_NAMESPACES": ",".join(platform.tenant_namespaces),
            "TENFOLD_MODELS_FOLDER": _MODELS,
            # A fit takes no more than one core, whatever the node has.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        mounts = [
            VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108
            VolumeMountArgs(name="models", mount_path=_MODELS),
        ]
        if platform.operator.console.token_secret:
            settings["TENFOLD_CONSOLE_TOKEN_FILE"] = f"{_CONSOLE_FOLDER}/token"
            mounts.append(
                VolumeMountArgs(name=_CONSOLE_VOLUME, mount_path=_CONSOLE_FOLDER, read_only=True)
            )
        image = images.OPERATOR.reference(platform.images.registry, platform.images.tag)
        if platform.operator.training.mode == "jobs":
            settings["TENFOLD_TRAINING_JOBS"] = _training_jobs(platform.operator.training, image)
        return ContainerArgs(
            name=naming.OPERATOR,
            image=image,
            image_pull_policy="IfNotPresent",
            command=["tenfold-operator"],
            env=[EnvVarArgs(name=name, value=value) for name, value in settings.items()],
            ports=[
                ContainerPortArgs(
                    name=naming.METRICS_PORT_NAME, container_port=naming.OPERATOR_METRICS_PORT
                ),
                ContainerPortArgs(name="health", container_port=naming.OPERATOR_HEALTH_PORT),
                ContainerPortArgs(name="console", container_port=naming.OPERATOR_CONSOLE_PORT),
            ],
            startup_probe=pods.http_probe(
                "/healthz", naming.OPERATOR_HEALTH_PORT, period=1, failures=120
            ),
            readiness_probe=pods.http_probe("/healthz", naming.OPERATOR_HEALTH_PORT, period=5),
            liveness_probe=pods.http_probe(
                "/healthz", naming.OPERATOR_HEALTH_PORT, period=10, failures=6
            ),
            resources=pods.requirements(platform.operator.resources),
            security_context=pods.container_security(),
            volume_mounts=mounts,
        )

    def _console(self, platform: Platform) -> Service:
        exposure = platform.operator.console
        return Service(
            "operator",
            metadata=ObjectMetaArgs(name=naming.OPERATOR, namespace=_NAMESPACE),
            spec=ServiceSpecArgs(
                type=exposure.type,
                selector=pods.labels(naming.OPERATOR),
                ports=[
                    ServicePortArgs(
                        name="console",
                        port=naming.OPERATOR_CONSOLE_PORT,
                        target_port="console",
                        node_port=exposure.node_port,
                    )
                ],
            ),
            opts=ResourceOptions(parent=self, depends_on=[self.deployment]),
        )

    def _console_route(self) -> None:
        backend = {"name": naming.OPERATOR, "port": naming.OPERATOR_CONSOLE_PORT}
        parent = {
            "name": naming.GATEWAY_NAME,
            "namespace": naming.GATEWAY_NAMESPACE,
            "sectionName": naming.CONSOLE_LISTENER,
        }
        CustomResource(
            "console-route",
            api_version=f"{GATEWAY_API}/v1",
            kind="HTTPRoute",
            metadata=ObjectMetaArgs(name="console", namespace=_NAMESPACE),
            spec={"parentRefs": [parent], "rules": [{"backendRefs": [backend]}]},
            opts=ResourceOptions(parent=self, depends_on=[self.console]),
        )


def _training_jobs(training: Training, image: str) -> str:
    """Return how the operator is to have forecasts fitted by Jobs, as it reads it."""
    chosen = training.model_dump(include={"parallel", "resources"})
    return json.dumps({"namespace": naming.TRAINING_NAMESPACE, "image": image, **chosen})


def _token_volumes(platform: Platform) -> list[VolumeArgs]:
    """Return the Secret with the console's token, where the stack names one."""
    secret = platform.operator.console.token_secret
    if secret is None:
        return []
    return [VolumeArgs(name=_CONSOLE_VOLUME, secret=SecretVolumeSourceArgs(secret_name=secret))]
