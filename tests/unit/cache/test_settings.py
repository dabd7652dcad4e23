from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies
from tenfold_cache import Cache, Lifetime, Settings, SettingsError, Tier, Warmer
from tenfold_cache.entry import Entry, describe, later, usable


@pytest.mark.parametrize(
    ("kind", "arguments", "names"),
    [
        (Lifetime, {"fresh_seconds": 0}, "fresh_seconds"),
        (Lifetime, {"jitter": 1.0}, "jitter"),
        (Tier, {"url": "http://localhost"}, "url"),
        (Tier, {"url": "redis://localhost", "timeout_seconds": 0}, "timeout_seconds"),
        (Settings, {"memory_bytes": 5 * 1024 * 1024 - 1}, "memory_bytes"),
        (Settings, {"load_seconds": 0}, "load_"),
        (Settings, {"namespace": "a:b"}, "namespace"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(
    kind: type, arguments: dict[str, object], names: str
) -> None:
    with pytest.raises(SettingsError, match=names):
        kind(**arguments)


def test_a_password_is_not_in_what_is_printed() -> None:
    assert "hidden" not in repr(Tier(url="redis://localhost", password="hidden"))


def test_a_warmer_without_a_predictive_tier_is_refused() -> None:
    async def load(key: str) -> bytes | None:
        return key.encode()

    with pytest.raises(SettingsError, match="l3"):
        Warmer(Cache(Settings()), load)


@hypothesis.given(
    version=strategies.floats(0, 1e10),
    fresh_until=strategies.floats(0, 1e10),
    value=strategies.none() | strategies.binary(),
)
def test_an_entry_comes_back_from_its_bytes(
    version: float, fresh_until: float, value: bytes | None
) -> None:
    entry = Entry(version, fresh_until, value)
    assert Entry.from_bytes(entry.to_bytes()) == entry
    tombstone = Entry(version, 0.0, None, tombstone=True)
    assert Entry.from_bytes(tombstone.to_bytes()) == tombstone


@hypothesis.given(content=strategies.binary())
def test_what_others_wrote_is_no_entry_or_one_that_is_written_alike(content: bytes) -> None:
    entry = Entry.from_bytes(content)
    assert entry is None or len(entry.to_bytes()) <= len(content)


def test_the_later_version_counts_and_a_tombstone_is_never_served() -> None:
    old = Entry(1.0, 2e10, b"old")
    tombstone = Entry(2.0, 0.0, None, tombstone=True)
    assert later(old, tombstone) is tombstone
    assert later(tombstone, old) is tombstone
    assert later(None, old) is old
    assert usable(old, Lifetime())
    assert not usable(tombstone, Lifetime())


def test_what_is_loaded_together_does_not_expire_together() -> None:
    lifetime = Lifetime(fresh_seconds=100, jitter=0.2)
    ends = [describe(b"x", lifetime, 0.0).fresh_until for _ in range(1000)]
    assert 15 < max(ends) - min(ends) < 21
