"""A writer that counts every acknowledged write, and a reader that looks for them."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field

import redis
from redis.cluster import ClusterNode, RedisCluster

from tests.redis.lab import Tier

_ANSWER_SECONDS = 0.5
_COUNTERS = 200


@dataclass
class Writer:
    """Writes key after key, each until it is acknowledged.

    A connection leads to the pod that the tier's Service named when it was opened, as with
    kube-proxy.
    """

    tier: Tier
    prefix: str = "w"
    wait_replicas: int = 0
    """With 1 a write counts only when a replica has acknowledged it too (WAIT)."""
    pace_seconds: float = 0.0
    """Rest after each write; without one the writer itself takes a core from the servers."""
    asks_sentinels: bool = False
    """Whether it finds the primary by the Sentinels, as clients do that know no operator."""
    acknowledged: list[float] = field(default_factory=list)
    """Monotonic time of each acknowledgement, by number of the key."""

    def __enter__(self) -> Writer:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Write no more."""
        self._stop.set()
        self._thread.join()

    def longest_pause(self, since: float = 0.0) -> float:
        """Return the longest time between two acknowledgements after `since`, in seconds."""
        times = [each for each in list(self.acknowledged) if each >= since]
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0)

    def wrote_after(self, moment: float) -> bool:
        return bool(self.acknowledged) and self.acknowledged[-1] > moment

    def lost(self) -> int:
        """Return how many acknowledged writes the present primary lacks."""
        client = self.tier.server(self._primary(), timeout=10)
        count = len(self.acknowledged)
        missing = 0
        for start in range(0, count, 10_000):
            keys = [f"{self.prefix}{n}" for n in range(start, min(start + 10_000, count))]
            missing += sum(value is None for value in client.mget(keys))
        client.close()
        return missing

    def _primary(self) -> str:
        found = self.tier.named_by(0) if self.asks_sentinels else self.tier.service
        assert found
        return found

    def _write(self) -> None:
        client: redis.Redis | None = None
        while not self._stop.is_set():
            try:
                if client is None:
                    client = self.tier.server(self._primary(), timeout=_ANSWER_SECONDS)
                key = f"{self.prefix}{len(self.acknowledged)}"
                client.set(key, "1")
                if self.wait_replicas and client.wait(self.wait_replicas, 400) < self.wait_replicas:
                    continue
                self.acknowledged.append(time.monotonic())
                time.sleep(self.pace_seconds)
            except redis.RedisError:
                if client is not None:
                    client.close()
                client = None
                time.sleep(0.005)
        if client is not None:
            client.close()


@dataclass
class ClusterWriter:
    """Writes keys and counts up counters all over a cluster, as a cluster client does."""

    tier: Tier
    acknowledged: list[float] = field(default_factory=list)
    """Monotonic time of each acknowledgement, by number of the key."""
    failed: list[str] = field(default_factory=list)
    """Commands that the client gave up, however often it had tried."""

    def __enter__(self) -> ClusterWriter:
        self._stop = threading.Event()
        self._client = self.connect()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    def connect(self, answer_seconds: float = _ANSWER_SECONDS) -> RedisCluster:
        """A client that finds the other servers by the first ones that answer.

        With TLS it checks their names; the test says where these lead.
        """
        authority = self.tier.authority
        hosts = self.tier.hosts if authority else self.tier.hosts.values()
        nodes = [ClusterNode(each, 6379) for each in hosts]  # type: ignore[no-untyped-call]
        return RedisCluster(
            startup_nodes=nodes,
            password=self.tier.password,
            decode_responses=True,
            socket_timeout=answer_seconds,
            socket_connect_timeout=_ANSWER_SECONDS,
            ssl=bool(authority),
            ssl_ca_data=authority or None,
        )

    def wrote_after(self, moment: float) -> bool:
        return bool(self.acknowledged) and self.acknowledged[-1] > moment

    def longest_pause(self, since: float = 0.0) -> float:
        """Return the longest time without an acknowledgement after `since`, in seconds."""
        times = [since or self.acknowledged[0]]
        times += [each for each in list(self.acknowledged) if each >= since]
        return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0)

    def lost(self) -> int:
        """Return how many acknowledged writes the cluster lacks; call it after the end."""
        with self.connect() as client:
            count = len(self.acknowledged)
            values = client.mget_nonatomic([f"w{n}" for n in range(count)])
            return sum(value is None for value in values)

    def counted(self) -> int:
        """Return what the counters add up to: once for each write that was acknowledged."""
        with self.connect() as client:
            values = client.mget_nonatomic([f"c{n}" for n in range(_COUNTERS)])
            return sum(int(value or 0) for value in values)

    def _write(self) -> None:
        while not self._stop.is_set():
            number = len(self.acknowledged)
            try:
                self._client.incr(f"c{number % _COUNTERS}")
                self._client.set(f"w{number}", "1")
            except redis.RedisError as error:
                self.failed.append(repr(error))
                continue
            self.acknowledged.append(time.monotonic())
