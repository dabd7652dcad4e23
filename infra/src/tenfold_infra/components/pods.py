"""What every pod of the platform has in common, so that each passes Pod Security `restricted`."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    HTTPGetActionArgs,
    LifecycleArgs,
    LifecycleHandlerArgs,
    PodSecurityContextArgs,
    ProbeArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
    SleepActionArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs

from tenfold_infra import naming
from tenfold_infra.config.models import Resources

NOBODY = 65532
"""The user of images that fix none: distroless' `nonroot`, which owns no file."""

SCRATCH = "tmp"
"""The volume of what our own services write."""

_SPREAD_OVER = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")


def labels(name: str) -> dict[str, str]:
    """Return the labels that a pod is selected by."""
    return {naming.NAME_LABEL: name}


def selector(name: str) -> LabelSelectorArgs:
    """Return the selector of the pods of that name."""
    return LabelSelectorArgs(match_labels=labels(name))


def pod_security(user: int = NOBODY) -> PodSecurityContextArgs:
    """Return the pod's security context: a fixed user who is not root, owning its volumes."""
    return PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> SecurityContextArgs:
    """Return the container's security context: nothing to write to, nothing to gain."""
    return SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=CapabilitiesArgs(drop=["ALL"]),
    )


def requirements(resources: Resources) -> ResourceRequirementsArgs:
    """Return requests and limits as Kubernetes takes them."""
    return ResourceRequirementsArgs(
        requests=resources.requests.model_dump(), limits=resources.limits.model_dump()
    )


def http_probe(path: str, port: int, *, period: int, failures: int = 3) -> ProbeArgs:
    """Return a probe that asks `path` every `period` seconds."""
    return ProbeArgs(
        http_get=HTTPGetActionArgs(path=path, port=port),
        period_seconds=period,
        timeout_seconds=2,
        failure_threshold=failures,
    )


def drain(seconds: int) -> LifecycleArgs:
    """Keep serving for `seconds` after the pod is told to go, until nobody sends to it any more."""
    return LifecycleArgs(
        pre_stop=LifecycleHandlerArgs(sleep=SleepActionArgs(seconds=seconds)),
    )


def spread(name: str) -> Sequence[TopologySpreadConstraintArgs]:
    """Spread the pods of that name over zones, then nodes.

    A wish, not a demand: with a zone gone its pods have to start in the others.
    """
    return [
        TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=selector(name),
        )
        for key in _SPREAD_OVER
    ]


def scratch(name: str, size: str) -> VolumeArgs:
    """Return an empty volume for what a program must write although its root is read-only."""
    return VolumeArgs(name=name, empty_dir=EmptyDirVolumeSourceArgs(size_limit=size))


def service_container(
    name: str,
    image: str,
    command: Sequence[str],
    env: Sequence[EnvVarArgs],
    resources: Resources,
) -> ContainerArgs:
    """Return the container of one of our services; its pod needs the volume `SCRATCH`."""
    return ContainerArgs(
        name=name,
        image=image,
        image_pull_policy="IfNotPresent",
        command=list(command),
        env=list(env),
        ports=[
            ContainerPortArgs(name="http", container_port=naming.SERVICE_HTTP_PORT),
            ContainerPortArgs(
                name=naming.METRICS_PORT_NAME, container_port=naming.SERVICE_METRICS_PORT
            ),
        ],
        startup_probe=http_probe("/healthz", naming.SERVICE_HTTP_PORT, period=1, failures=60),
        readiness_probe=http_probe("/readyz", naming.SERVICE_HTTP_PORT, period=2),
        liveness_probe=http_probe("/healthz", naming.SERVICE_HTTP_PORT, period=10, failures=6),
        resources=requirements(resources),
        security_context=container_security(),
        volume_mounts=[VolumeMountArgs(name=SCRATCH, mount_path="/tmp")],  # noqa: S108
    )
