"""A RedisTier on this machine: the operator itself, and a Kubernetes in small around real
servers.

The small Kubernetes takes what the operator applies: Secrets and ConfigMaps become files,
StatefulSets become pods, deleting a pod runs its preStop and starts it again from the newest
template.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tenfold_operator.adapters.clock import SystemClock
from tenfold_operator.adapters.redis import RedisClients
from tenfold_operator.adapters.store import Store, owner_of
from tenfold_operator.apply import Applier
from tenfold_operator.apply_redis import RedisApplier
from tenfold_operator.handlers import watch
from tenfold_operator.handlers.jobs import Jobs
from tenfold_operator.handlers.listeners import Listeners
from tenfold_operator.handlers.queue import Queue
from tenfold_operator.handlers.redisjobs import RedisJobsHandler
from tenfold_operator.handlers.redistier import RedisTierHandler
from tenfold_operator.journal import Journal
from tenfold_operator.model.manifest import Ref, at, digest, ref_of
from tenfold_operator.plan.actions import Announce
from tenfold_operator.plan.redis_slots import COUNT

from tests.redis.pods import Network, Pod
from tests.support import is_ready, wait_until

NAMESPACE = "shop"
_SURVIVOR_SECONDS = 6
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
        for volume in spec["volumes"]:
            place = folder / volume["name"]
            kinds = {"configMap": "ConfigMap", "secret": "Secret"}
            source = next((volume[each], kinds[each]) for each in kinds if each in volume) if (
                kinds.keys() & volume.keys()
            ) else None  # fmt: skip
            if source is None and (claim := volume.get("persistentVolumeClaim")):
                pod_of_claim = claim["claimName"].removeprefix("data-")
                target = (
                    self._folder / pod_of_claim / "data"
                    if pod_of_claim in self.pods
                    else self._folder / "claims" / claim["claimName"]
                )
            elif source is None:
                target = folder / f"empty-{volume['name']}"
            else:
                target = self._folder / source[1] / (
                    source[0].get("name") or source[0]["secretName"]
                )  # fmt: skip
            target.mkdir(parents=True, exist_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
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
        self._write_hosts([pod])
        pod.start()
        code = pod.wait()
        result = folder / "scratch/result"
        message = result.read_text() if result.exists() else ""
        terminated = {"state": {"terminated": {"message": message, "exitCode": code}}}
        labels = {"job-name": name}
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
        self._write_hosts(self.pods.values())

    def _write_hosts(self, pods: Iterable[Pod]) -> None:
        with self._lock:
            pairs = list(itertools.product(self._of("Service"), self._of("Pod")))
        services = [
            f"{each['status']['podIP']} {service['metadata']['name']}.{NAMESPACE}.svc.cluster.local"
            for service, each in pairs
            if service["spec"]["selector"].items() <= each["metadata"].get("labels", {}).items()
        ]
        for pod in pods:
            (pod.folder / "root/etc").mkdir(parents=True, exist_ok=True)
            (pod.folder / "root/etc/hosts").write_text("\n".join([*self._hosts, *services]) + "\n")

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


class Operator:
    """The operator's own handler, queue and listeners for RedisTiers, in a thread."""

    def __init__(self, cluster: Kubernetes) -> None:
        self._cluster = cluster
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()

    def end(self) -> None:
        self._cluster.on_change = lambda manifest, gone: None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self) -> None:
        cluster, store, clients = self._cluster, Store(), RedisClients()
        self.journal = Journal()
        queue = Queue(lambda ref: handlers[ref.kind](ref))
        listeners = Listeners(clients, queue.wake)
        applier, clock, jobs = Applier(cluster), SystemClock(), Jobs(store, cluster)
        tiers = RedisTierHandler(
            store=store,
            cluster=cluster,
            redis=clients,
            applier=applier,
            redis_applier=RedisApplier(clients, cluster),
            journal=self.journal,
            clock=clock,
            listeners=listeners,
        )
        works = RedisJobsHandler(
            store=store, jobs=jobs, applier=applier, journal=self.journal, clock=clock
        )
        handlers = {
            "RedisTier": tiers.reconcile,
            "RedisBackup": works.reconcile,
            "RedisRestore": works.reconcile,
        }

        async def take(manifest: Manifest, gone: bool) -> None:
            (store.drop(ref_of(manifest)) if gone else store.put(manifest))
            if owner := owner_of(manifest):
                await queue.wake(owner)

        def on_change(manifest: Manifest, gone: bool) -> None:
            asyncio.run_coroutine_threadsafe(take(copy.deepcopy(manifest), gone), self._loop)

        cluster.on_change = on_change
        for kind in watch.SELECTORS:
            for manifest in cluster.find(kind, NAMESPACE, ""):
                await take(manifest, False)
        work = asyncio.create_task(queue.work())
        await self._stop.wait()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        for ref in {ref_of(each) for each in cluster.find("RedisTier", NAMESPACE, "")}:
            listeners.stop(ref)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left, return_exceptions=True)


class Tier:
    """A RedisTier that runs in the lab."""

    def __init__(
        self, folder: Path, name: str = "l2", secrets: Iterable[Manifest] = (), **spec: Any
    ) -> None:
        self.name = name
        self.ref = Ref("RedisTier", NAMESPACE, name)
        self.cluster = Kubernetes(folder)
        for each in secrets:
            self.cluster.apply(each)
        self.operator: Operator | None = Operator(self.cluster)
        self.cluster.apply(
            {
                "apiVersion": "tenfold.dev/v1alpha1",
                "kind": "RedisTier",
                "metadata": {"name": name, "namespace": NAMESPACE, "annotations": {}},
                "spec": {"memory": "64Mi", **spec},
            }
        )

    def wait_until_ready(self, seconds: float = 60) -> float:
        try:
            return wait_until(
                lambda: is_ready(self.manifest), seconds=seconds, what="a tier in sync", every=0.05
            )
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.status.get('message')}") from error

    def wait_until_grown(self) -> None:
        """Wait until servers count as survivors for one that restarts (see start-redis.sh)."""

        if self.manifest["spec"].get("shards"):
            return  # the servers of a cluster ask each other for what they wait for

        def grown() -> bool:
            names = [each for each in self.cluster.pods if "-sentinel-" not in each]
            uptimes = [self.server(each).info("server")["uptime_in_seconds"] for each in names]
            return all(int(each) > _SURVIVOR_SECONDS for each in uptimes)

        self.wait_until(grown, "servers that have run for a while")

    def close(self) -> None:
        self.stop_operator()
        self.cluster.close()

    def stop_operator(self) -> None:
        if self.operator:
            self.operator.end()
            self.operator = None

    def start_operator(self) -> None:
        self.operator = Operator(self.cluster)

    @property
    def manifest(self) -> Manifest:
        found: Manifest = self.cluster.get(self.ref)
        return found

    @property
    def status(self) -> Manifest:
        found: Manifest = self.manifest["status"]
        return found

    def condition(self, kind: str) -> str:
        conditions = self.status["conditions"]
        return str(next(each["reason"] for each in conditions if each["type"] == kind))

    def annotate(self, **values: str) -> None:
        """Set annotations of tenfold.dev/."""
        names = {f"tenfold.dev/{name}": value for name, value in values.items()}
        self.cluster.edit(
            self.ref, lambda each: each["metadata"].setdefault("annotations", {}).update(names)
        )

    def edit(self, **spec: Any) -> None:
        self.cluster.edit(self.ref, lambda each: each["spec"].update(spec))

    def shard(self, number: int) -> Manifest:
        """What the status says of a cluster's shard."""
        found: Manifest = self.status["shards"][number]
        return found

    def is_settled(self, shards: int) -> bool:
        """Whether a cluster's slots are shared equally among so many shards, all of them whole."""
        sizes = [each["slots"] for each in self.status["shards"]]
        fair = len(sizes) == shards and sum(sizes) == COUNT and max(sizes) - min(sizes) <= 1
        reasons = self.condition("Balanced"), self.condition("Ready")
        return fair and reasons == ("Balanced", "InSync")

    @property
    def service(self) -> str | None:
        """The pod that the tier's Service leads to."""
        found = self.cluster.get(Ref("Service", NAMESPACE, self.name))
        return str(found["spec"]["selector"][POD_NAME]) if found else None

    def named_by(self, number: int) -> str:
        """The pod that a Sentinel names as the primary."""
        with self.sentinel(number) as client:
            host, _ = client.sentinel_get_master_addr_by_name(self.name)
        return str(host).partition(".")[0]

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        wait_until(condition, seconds=seconds, what=what, every=0.05)

    def role(self, pod: str) -> str:
        """What a server says that it is; empty when it does not answer."""
        with contextlib.suppress(redis.RedisError), self.server(pod) as client:
            return str(client.info("replication")["role"])
        return ""

    def online_replicas(self, pod: str) -> int:
        """How many replicas a server says are online; 0 when it does not answer."""
        with contextlib.suppress(redis.RedisError), self.server(pod) as client:
            info = client.info("replication")
            followers = [info.get(f"slave{n}", {}) for n in range(int(info["connected_slaves"]))]
            return sum(each.get("state") == "online" for each in followers)
        return 0

    def run_id(self, pod: str) -> str:
        """What a server calls this run of it; empty when it does not answer."""
        with contextlib.suppress(redis.RedisError), self.server(pod) as client:
            return str(client.info("server")["run_id"])
        return ""

    @property
    def password(self) -> str:
        secret = self.cluster.get(Ref("Secret", NAMESPACE, f"{self.name}-auth"))
        return base64.b64decode(secret["data"]["password"]).decode()

    @property
    def authority(self) -> str:
        """Who signed the certificates; empty without TLS."""
        if not (tls := self.manifest["spec"].get("tls")):
            return ""
        secret = self.cluster.get(Ref("Secret", NAMESPACE, tls["secretName"]))
        return base64.b64decode(secret["data"]["ca.crt"]).decode()

    @property
    def hosts(self) -> dict[str, str]:
        """The servers' addresses by their names."""
        domain = f"{self.name}-nodes.{NAMESPACE}.svc.cluster.local"
        pods = {name: each for name, each in self.cluster.pods.items() if "-sentinel-" not in name}
        return {f"{name}.{domain}": each.namespace.address for name, each in pods.items()}

    def server(
        self, pod: str, *, port: int = 6379, timeout: float = 1.0, decode: bool = True
    ) -> redis.Redis:
        """A client of one server, without a second try of its own."""
        authority = self.authority
        return redis.Redis(
            host=self.cluster.pods[pod].namespace.address,
            port=port,
            password=self.password,
            decode_responses=decode,
            socket_timeout=timeout,
            socket_connect_timeout=0.3,
            retry=Retry(NoBackoff(), 0),
            ssl=bool(authority),
            ssl_ca_data=authority or None,
            ssl_check_hostname=False,
        )

    def sentinel(self, number: int) -> redis.Redis:
        return self.server(f"{self.name}-sentinel-{number}", port=26379)

    def replica(self) -> str:
        """One of the servers that are not the primary."""
        return next(
            name for name in sorted(self.cluster.pods)
            if "-sentinel-" not in name and name != self.service
        )  # fmt: skip
