"""tenfold-operator: wires the parts together and hands over to kopf."""

import asyncio
import contextlib
import os
import platform
import signal
from collections.abc import Coroutine
from concurrent.futures import Executor

import kopf
import prometheus_client
import structlog

from tenfold_operator import logs, settings
from tenfold_operator.adapters.clock import SystemClock
from tenfold_operator.adapters.kubernetes import KubernetesCluster, load_configuration
from tenfold_operator.adapters.prometheus import Prometheus
from tenfold_operator.adapters.redis import RedisClients
from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier
from tenfold_operator.apply_redis import RedisApplier
from tenfold_operator.console import server
from tenfold_operator.console.anomalies import AnomalyCollector
from tenfold_operator.console.collector import ResourceCollector
from tenfold_operator.console.scaling import ScalingCollector
from tenfold_operator.forecast.store import FileStore
from tenfold_operator.handlers import watch
from tenfold_operator.handlers.anomalydetector import AnomalyDetectorHandler
from tenfold_operator.handlers.forecasts import Forecasts
from tenfold_operator.handlers.jobs import Jobs
from tenfold_operator.handlers.listeners import Listeners
from tenfold_operator.handlers.queue import Queue
from tenfold_operator.handlers.redisjobs import RedisJobsHandler
from tenfold_operator.handlers.redistier import RedisTierHandler
from tenfold_operator.handlers.scaling import Scaling
from tenfold_operator.handlers.trainers import Trainers
from tenfold_operator.handlers.training_jobs import JobTrainers
from tenfold_operator.handlers.workload import WorkloadHandler
from tenfold_operator.journal import Journal
from tenfold_operator.model.manifest import Ref

_log = structlog.get_logger()
_WORKERS = 8
"""Resources looked at side by side; most of the time goes into waiting for answers."""


class Operator:
    """The running parts."""

    def __init__(self, chosen: settings.Settings) -> None:
        self._settings = chosen
        self._cluster = KubernetesCluster()
        self._store = Store()
        self._journal = Journal()
        self._clock = clock = SystemClock()
        self._prometheus = prometheus = Prometheus(chosen.prometheus_url)
        applier, redis = Applier(self._cluster), RedisClients()
        self._queue = Queue(self._reconcile)
        self._trainers = _trainers(chosen, self._cluster)
        self._scaling = Scaling(
            prometheus=prometheus,
            clock=clock,
            forecasts=Forecasts(
                prometheus=prometheus,
                clock=clock,
                pool=self._trainers,
                store=FileStore(chosen.models_folder),
            ),
            wake=self._queue.wake,
        )
        workloads = WorkloadHandler(
            store=self._store,
            cluster=self._cluster,
            prometheus=prometheus,
            applier=applier,
            journal=self._journal,
            clock=clock,
            scaling=self._scaling,
        )
        tiers = RedisTierHandler(
            store=self._store,
            cluster=self._cluster,
            redis=redis,
            applier=applier,
            redis_applier=RedisApplier(redis, self._cluster),
            journal=self._journal,
            clock=clock,
            listeners=Listeners(redis, self._queue.wake),
        )
        detectors = AnomalyDetectorHandler(
            store=self._store,
            prometheus=prometheus,
            applier=applier,
            journal=self._journal,
            clock=clock,
            pool=self._trainers,
            wake=self._queue.wake,
        )
        jobs = RedisJobsHandler(
            store=self._store,
            jobs=Jobs(self._store, self._cluster),
            applier=applier,
            journal=self._journal,
            clock=clock,
        )
        self._handlers = {
            "Workload": workloads.reconcile,
            "RedisTier": tiers.reconcile,
            "AnomalyDetector": detectors.reconcile,
            "RedisBackup": jobs.reconcile,
            "RedisRestore": jobs.reconcile,
        }
        self._exits = contextlib.AsyncExitStack()

    def register(self, registry: kopf.OperatorRegistry) -> None:
        """Register everything with kopf."""
        kopf.on.login(registry=registry)(_login)
        kopf.on.startup(registry=registry)(self._start)
        kopf.on.cleanup(registry=registry)(self._stop)
        watch.register(registry, self._store, self._queue.wake)

    async def _reconcile(self, ref: Ref) -> float | None:
        return await self._handlers[ref.kind](ref)

    async def _start(self, **_: object) -> None:
        chosen = self._settings
        self._exits.callback(self._trainers.shutdown, wait=False, cancel_futures=True)
        prometheus_client.REGISTRY.register(ResourceCollector(self._store))
        prometheus_client.REGISTRY.register(AnomalyCollector(self._store))
        prometheus_client.REGISTRY.register(ScalingCollector(self._scaling.insights))
        prometheus_client.start_http_server(chosen.metrics_port)
        console = await server.start(
            store=self._store,
            journal=self._journal,
            prometheus=self._prometheus,
            clock=self._clock,
            port=chosen.console_port,
            token_file=chosen.console_token_file,
            begin=self._begin,
        )
        self._exits.push_async_callback(console.cleanup)
        is_fresh = asyncio.Event()
        refreshing = watch.keep_fresh(
            self._store, self._cluster, chosen.namespaces, self._queue.wake, is_fresh
        )
        self._begin(refreshing)
        for _number in range(_WORKERS):
            self._begin(self._work(is_fresh))

    async def _work(self, is_fresh: asyncio.Event) -> None:
        await is_fresh.wait()
        await self._queue.work()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_end_if_broken)
        self._exits.callback(task.cancel)

    async def _stop(self, **_: object) -> None:
        await self._exits.aclose()


def _trainers(chosen: settings.Settings, cluster: KubernetesCluster) -> Executor:
    """Return what fits models: a process of our own, or Jobs beside it."""
    process = Trainers()
    return JobTrainers(cluster, chosen.training_jobs, process) if chosen.training_jobs else process


def _end_if_broken(task: asyncio.Task[None]) -> None:
    """End the operator when a part of it has failed: started anew it works, half of it does not."""
    if not task.cancelled() and (error := task.exception()):
        _log.critical("a part of the operator failed", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


def _login(
    *, settings: kopf.OperatorSettings, logger: kopf.Logger, **_: object
) -> kopf.ConnectionInfo | None:
    within = kopf.login_with_service_account(settings=settings, logger=logger)
    return within or kopf.login_with_kubeconfig(settings=settings, logger=logger)


def main() -> None:
    """Run until told to end."""
    chosen = settings.load(os.environ)
    logs.configure()
    load_configuration()
    # kopf names itself after it, or after the user, who has no name in a pod.
    os.environ.setdefault("POD_ID", platform.node())
    registry = kopf.OperatorRegistry()
    Operator(chosen).register(registry)
    kopf.run(
        registry=registry,
        settings=watch.settings(),
        namespaces=chosen.namespaces,
        standalone=True,
        liveness_endpoint=f"http://0.0.0.0:{chosen.health_port}/healthz",
    )


if __name__ == "__main__":
    main()
