"""A Kubernetes in small on this machine, around real servers.

It takes what the operator applies: Secrets and ConfigMaps become files, StatefulSets become pods,
Jobs run to their end, and deleting a pod runs its preStop and starts it again from the newest
template.
"""

from __future__ import annotations

import base64
import copy
import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenfold_operator.model.manifest import Ref, at, digest, ref_of
from tenfold_operator.plan.actions import Announce

from tests.redis.pods import Network, Pod

NAMESPACE = "shop"
POD_NAME = "statefulset.kubernetes.io/pod-name"
Manifest = dict[str, Any]


class Kubernetes:
    """Implements ports.Cluster, and plays the controllers and the kubelets."""

    def __init__(self, folder: Path) -> None:
        self.events: list[Announce] = []
        self.pods: dict[str, Pod] = {}
        self.on_change: Callable[[Manifest, bool], None] = lambda manifest, gone: None
        self.hooks_may_begin = threading.Event()
        """Set unless the kubelets are late with the preStop of pods that were deleted."""
        self.hooks_may_begin.set()
        self._folder = folder
        self._network = Network()
        self._objects: dict[Ref, Manifest] = {}
        self._lock = threading.RLock()
        self._versions = 0
        self._endings: list[threading.Thread] = []
        self._working: list[Pod] = []
        self._hosts: list[str] = []

    # ports.Cluster

    def get(self, ref: Ref) -> Any:
        with self._lock:
            return copy.deepcopy(self._objects.get(ref))

    def find(self, kind: str, namespace: str, selector: str) -> tuple[Any, ...]:
        label, _, value = selector.partition("=")
        with self._lock:
            return tuple(
                copy.deepcopy(each)
                for each in self._of(kind)
                if not selector or each["metadata"]["labels"].get(label) == value
            )

    def apply(self, manifest: Any) -> None:
        self._put(copy.deepcopy(manifest))

    def create(self, manifest: Any) -> None:
        if self.get(ref_of(manifest)) is None:
            self._put(copy.deepcopy(manifest))

    def apply_status(self, ref: Ref, status: Any) -> None:
        if known := self.get(ref):
            self._put({**known, "status": copy.deepcopy(status)})

    def scale(self, ref: Ref, replicas: int) -> None:
        self.edit(ref, lambda each: each["spec"].update(replicas=replicas))

    def merge(self, ref: Ref, patch: Any) -> None:
        raise AssertionError(f"nothing here was made by an earlier operator: {ref} {patch}")

    def delete(self, ref: Ref, *, alone: bool = False) -> None:
        assert not alone, "volumes of this machine are folders, and do not grow"
        if ref.kind == "Pod" and ref.name in self.pods:
            self.delete_pod(ref.name)
            return
        with self._lock:
            gone = self._objects.pop(ref, None)
            if gone and ref.kind == "StatefulSet":
                self._shrink(ref.name, 0)
        if gone:
            self.on_change(gone, True)

    def record(self, ref: Ref, uid: str, event: Announce, now: datetime) -> None:
        self.events.append(event)

    # What a person does.

    def edit(self, ref: Ref, change: Callable[[Manifest], object]) -> None:
        manifest = self.get(ref)
        assert manifest is not None, f"{ref} is not there"
        change(manifest)
        self._put(manifest)

    def delete_pod(self, name: str, *, wipe: bool = False) -> None:
        """Delete a pod in the background; its controller makes it again."""
        ending = threading.Thread(target=self._recreate, args=(name, wipe))
        ending.start()
        self._endings.append(ending)

    def lose(self, name: str) -> None:
        """End a pod for as long as a test wants, as a node that is gone does."""
        pod = self.pods[name]
        pod.end()
        pod.lost = True
        self._show(pod, self._owner(name))

    def bring_back(self, name: str) -> None:
        with self._lock:
            self._start(name, self._owner(name))

    def close(self) -> None:
        for ending in self._endings:
            ending.join()
        for pod in self.pods.values():
            pod.thaw()
            pod.end()
        self._network.remove()

    # Controllers and kubelets.

    def _of(self, kind: str) -> Iterator[Manifest]:
        yield from (each for ref, each in self._objects.items() if ref.kind == kind)

    def _put(self, manifest: Manifest) -> None:
        with self._lock:
            ref = ref_of(manifest)
            known = self._objects.get(ref, {})
            meta, before = manifest["metadata"], known.get("metadata", {})
            self._versions += 1
            changed = known.get("spec") != manifest.get("spec")
            meta["uid"] = before.get("uid", f"uid-{ref.kind}-{ref.name}")
            meta["resourceVersion"] = str(self._versions)
            meta["generation"] = before.get("generation", 0) + changed
            manifest.setdefault("status", known.get("status", {}))
            if ref.kind == "Secret":
                data = dict(manifest.get("data", {}))
                for name, value in manifest.pop("stringData", {}).items():
                    data[name] = base64.b64encode(value.encode()).decode()
                manifest["data"] = data
            self._objects[ref] = manifest
            if ref.kind in ("ConfigMap", "Secret"):
                self._mount(ref, manifest)
            if ref.kind == "StatefulSet":
                self._run(manifest)
            if ref.kind == "Service":
                self._write_hosts()
            if ref.kind == "Job" and not known:
                work = threading.Thread(target=self._work, args=(manifest,))
                work.start()
                self._endings.append(work)
        self.on_change(manifest, False)

    def _mount(self, ref: Ref, manifest: Manifest) -> None:
        folder = self._folder / ref.kind / ref.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in manifest.get("data", {}).items():
            text = base64.b64decode(value).decode() if ref.kind == "Secret" else value
            (folder / name).write_text(text)

    def _run(self, manifest: Manifest) -> None:
        size = manifest["spec"]["replicas"]
        for number in range(size):
            name = f"{manifest['metadata']['name']}-{number}"
            if name not in self.pods:
                self._start(name, manifest)
        self._shrink(manifest["metadata"]["name"], size)
        self._tell(manifest)

    def _shrink(self, owner: str, size: int) -> None:
        for name in [each for each in self.pods if each.startswith(f"{owner}-")]:
            ordinal = name.removeprefix(f"{owner}-")
            if ordinal.isdigit() and int(ordinal) >= size:
                self.pods.pop(name).end(5)
                self.on_change(self._objects.pop(Ref("Pod", NAMESPACE, name)), True)

    def _tell(self, manifest: Manifest) -> None:
        newest = digest(manifest["spec"]["template"])
        prefix = f"{manifest['metadata']['name']}-"
        own = [
            each for name, each in self.pods.items() if name.removeprefix(prefix).isdigit()
            and name.startswith(prefix)
        ]  # fmt: skip
        updated = sum(each.revision == newest for each in own)
        manifest["status"] = {
            "observedGeneration": manifest["metadata"]["generation"],
            "updateRevision": newest,
            "updatedReplicas": updated,
            "availableReplicas": len(own),
        }

    def _start(self, name: str, manifest: Manifest) -> None:
        template = manifest["spec"]["template"]
        container = template["spec"]["containers"][0]
        volumes = {each["name"]: each for each in template["spec"]["volumes"]}
        folder = self._folder / name
        (folder / "data").mkdir(parents=True, exist_ok=True)
        mounts = {
            name: ("ConfigMap", volume["configMap"]["name"])
            if "configMap" in volume
            else ("Secret", volume["secret"]["secretName"])
            for name, volume in volumes.items()
        }
        for mount, (kind, source) in mounts.items():
            target = self._folder / kind / source
            target.mkdir(parents=True, exist_ok=True)
            (folder / mount).unlink(missing_ok=True)
            (folder / mount).symlink_to(target)
        known = self.pods.get(name)
        namespace = known.namespace if known else self._network.add()
        fields = {"metadata.name": name, "status.podIP": namespace.address}
        environment = {
            each["name"]: each.get("value")
            or fields[str(at(each, "valueFrom", "fieldRef", "fieldPath"))]
            for each in container["env"]
        }
        pod = Pod(
            name,
            folder,
            namespace,
            container["command"],
            environment,
            digest(template),
            ("data", *mounts),
        )
        self.pods[name] = pod
        self._name_everybody()
        pod.start()
        self._show(pod, manifest)

    def _work(self, job: Manifest) -> None:
        """Run a Job's pod to its end."""
        name, spec = job["metadata"]["name"], job["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        folder = self._folder / f"job-{name}"
        folder.mkdir()
        for volume in spec["volumes"]:
            source = self._source(volume) or folder / f"empty-{volume['name']}"
            source.mkdir(parents=True, exist_ok=True)
            (folder / volume["name"]).symlink_to(source)
        environment = {each["name"]: each["value"] for each in container["env"]}
        for source in container["envFrom"]:
            secret = self.get(Ref("Secret", NAMESPACE, source["secretRef"]["name"]))
            for key, value in secret["data"].items():
                environment[key] = base64.b64decode(value).decode()
        environment["RESULT"] = "/scratch/result"
        mounts = [each["name"] for each in container["volumeMounts"]]
        pod = Pod(
            f"{name}-x", folder, self._network.add(), container["command"], environment, "", mounts
        )
        pod.restarts = False
        self._working.append(pod)
        self._write_hosts()
        pod.start()
        code = pod.wait()
        self._working.remove(pod)
        self._end(job, pod, code)

    def _source(self, volume: Manifest) -> Path | None:
        """Return the folder that a Job's volume shows; None for one that begins empty."""
        if source := volume.get("configMap"):
            return self._folder / "ConfigMap" / str(source["name"])
        if source := volume.get("secret"):
            return self._folder / "Secret" / str(source["secretName"])
        if source := volume.get("persistentVolumeClaim"):
            claim = str(source["claimName"])
            pod = claim.removeprefix("data-")
            if pod in self.pods:
                return self._folder / pod / "data"
            return self._folder / "claims" / claim
        return None

    def _end(self, job: Manifest, pod: Pod, code: int) -> None:
        """Show a Job whose pod has ended with this exit code."""
        result = pod.folder / "scratch/result"
        message = result.read_text() if result.exists() else ""
        terminated = {"state": {"terminated": {"message": message, "exitCode": code}}}
        labels = {"job-name": job["metadata"]["name"]}
        self._put(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": pod.name, "namespace": NAMESPACE, "labels": labels},
                "status": {"containerStatuses": [terminated]},
            }
        )
        condition = {
            "type": "Failed" if code else "Complete",
            "status": "True",
            "lastTransitionTime": datetime.now(UTC).isoformat(),
        }
        self._put({**self.get(ref_of(job)), "status": {"conditions": [condition]}})

    def _name_everybody(self) -> None:
        self._hosts = ["127.0.0.1 localhost"]
        for pod in self.pods.values():
            domain = pod.environment["SENTINELS" if "-sentinel-" in pod.name else "NODES"]
            self._hosts.append(f"{pod.namespace.address} {pod.name}.{domain} {pod.name}")
        self._write_hosts()

    def _write_hosts(self) -> None:
        with self._lock:
            services = [
                f"{pod['status']['podIP']} "
                f"{service['metadata']['name']}.{NAMESPACE}.svc.cluster.local"
                for service, pod in itertools.product(self._of("Service"), self._of("Pod"))
                if service["spec"]["selector"].items() <= pod["metadata"].get("labels", {}).items()
            ]
            for each in [*self.pods.values(), *self._working]:
                hosts = each.folder / "root/etc/hosts"
                hosts.parent.mkdir(parents=True, exist_ok=True)
                # Whoever looks a name up meanwhile must not find half of them.
                written = hosts.with_suffix(".new")
                written.write_text("\n".join([*self._hosts, *services]) + "\n")
                written.replace(hosts)

    def _show(self, pod: Pod, owner: Manifest) -> None:
        labels = {
            **owner["spec"]["template"]["metadata"]["labels"],
            POD_NAME: pod.name,
            "controller-revision-hash": pod.revision,
        }
        ready = {"type": "Ready", "status": "True"}
        status = {
            "phase": "Unknown" if pod.lost else "Running",
            "podIP": pod.namespace.address,
            "conditions": [] if pod.terminating or pod.lost else [ready],
        }
        meta = {"name": pod.name, "namespace": NAMESPACE, "labels": labels}
        if pod.terminating:
            meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self._put(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}, "status": status}
        )

    def _owner(self, name: str) -> Manifest:
        ref = Ref("StatefulSet", NAMESPACE, name.rpartition("-")[0])
        with self._lock:
            return self._objects[ref]

    def _recreate(self, name: str, wipe: bool) -> None:
        pod = self.pods[name]
        if pod.terminating:
            return
        pod.terminating = True
        self._show(pod, self._owner(name))
        (container, *_) = self._owner(name)["spec"]["template"]["spec"]["containers"]
        if hook := at(container, "lifecycle", "preStop", "exec", "command"):
            assert isinstance(hook, list)
            assert self.hooks_may_begin.wait(60)
            pod.execute(*map(str, hook))
        pod.end(grace_seconds=15)
        if wipe:
            pod.wipe()
        with self._lock:
            gone = self._objects.pop(Ref("Pod", NAMESPACE, name))
        self.on_change(gone, True)
        with self._lock:
            owner = self._owner(name)
            self._start(name, owner)
            self._tell(owner)
        self.on_change(owner, False)
