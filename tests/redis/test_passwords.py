"""A tier's password changes while everything runs."""

from collections.abc import Callable

import pytest
import redis
from tenfold_operator.model.manifest import Ref

from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier
from tests.redis.traffic import Writer

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]


def change(tier: Tier, **values: str) -> None:
    """Write the tier's Secret anew."""
    ref = Ref("Secret", NAMESPACE, "l2-auth")
    tier.cluster.edit(ref, lambda each: each.update(data={}, stringData=values))


def takes(tier: Tier, pod: str, password: str, port: int) -> bool:
    address = tier.cluster.pods[pod].namespace.address
    try:
        with redis.Redis(host=address, port=port, password=password) as client:
            return bool(client.ping())
    except redis.AuthenticationError:
        return False


def all_take(tier: Tier, password: str) -> bool:
    return all(
        takes(tier, pod, password, 26379 if "sentinel" in pod else 6379)
        for pod in tier.cluster.pods
    )


@pytest.mark.parametrize("names_previous", [True, False])
def test_both_are_taken_until_the_old_one_is_given_up(
    make_tier: MakeTier, names_previous: bool
) -> None:
    tier = make_tier(sentinel={"downAfterMilliseconds": 1000})
    pods, old = dict(tier.cluster.pods), tier.password
    with Writer(tier) as writer:
        if names_previous:
            change(tier, password="new", previous=old)
        else:
            change(tier, password="new")
        tier.wait_until(lambda: all_take(tier, "new"), "the new password", seconds=30)
        assert all_take(tier, old)
        if names_previous:
            change(tier, password="new")
            tier.stop_operator()
            tier.start_operator()  # it remembers no former password
            tier.wait_until(lambda: not all_take(tier, old), "the old one refused", seconds=30)
        before = tier.service
        assert before
        tier.cluster.pods[before].freeze()
        tier.wait_until(lambda: tier.service != before, "a failover by the new password")
        tier.cluster.pods[before].thaw()
        tier.wait_until_ready()
    assert tier.cluster.pods == pods
    assert writer.longest_pause() < 20
    assert writer.lost() == 0
