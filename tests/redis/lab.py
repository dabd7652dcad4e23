"""A RedisTier on this machine: the operator itself, on the Kubernetes in small of cluster.py."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import threading
from collections.abc import Callable, Iterable
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
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.plan.redis_slots import COUNT

from tests.redis.cluster import NAMESPACE, POD_NAME, Kubernetes, Manifest
from tests.support import is_ready, wait_until

_SURVIVOR_SECONDS = 6


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
