"""Hit ratios of eviction policies on key traces, each object of one size."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Sequence

import libcachesim  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from tenfold_cache.policy import Adaptive

PEERS = {
    "lru": libcachesim.LRU,
    "arc": libcachesim.ARC,
    "sieve": libcachesim.Sieve,
    "s3fifo": libcachesim.S3FIFO,
    "wtinylfu": libcachesim.WTinyLFU,
}
POLICIES = ("tenfold", *PEERS, "belady")

Keys = NDArray[np.int64]

# libCacheSim's oracleGeneral: one of these a request, next_access -1 for the last of a key.
_REQUEST = np.dtype([("time", "<u4"), ("key", "<u8"), ("size", "<u4"), ("next_access", "<i8")])


def hit_ratios(keys: Keys, capacity: int) -> dict[str, float]:
    """Return each policy's hit ratio in [0, 1] on keys of shape (n,), with room for `capacity`."""
    ratios = {"tenfold": _tenfold([str(key) for key in keys.tolist()], capacity)}
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "trace"
        _requests(keys).tofile(trace)
        for name, policy in {**PEERS, "belady": libcachesim.Belady}.items():
            reader = libcachesim.TraceReader(
                str(trace),
                libcachesim.TraceType.ORACLE_GENERAL_TRACE,
                libcachesim.ReaderInitParam(ignore_obj_size=True),
            )
            miss_ratio, _ = policy(capacity).process_trace(reader)
            ratios[name] = 1 - float(miss_ratio)
    return ratios


def _tenfold(keys: Sequence[str], capacity: int) -> float:
    policy = Adaptive(capacity)
    hits = 0
    for key in keys:
        if policy.touch(key):
            hits += 1
        else:
            policy.insert(key, 1)
    return hits / len(keys)


def _requests(keys: Keys) -> NDArray[np.void]:
    position = np.arange(len(keys))
    order = np.lexsort((position, keys))
    again = keys[order][1:] == keys[order][:-1]
    next_access = np.full(len(keys), -1, dtype=np.int64)
    next_access[order[:-1][again]] = order[1:][again] + 1
    requests = np.zeros(len(keys), dtype=_REQUEST)
    requests["time"] = position // 100
    requests["key"] = keys + 1
    requests["size"] = 1
    requests["next_access"] = next_access
    return requests
