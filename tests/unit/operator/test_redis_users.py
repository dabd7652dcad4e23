"""Users of a tier: what every server knows of them while specs, Secrets and servers change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tenfold_operator.handlers.tiersecrets import read_users
from tenfold_operator.model.generated import RedisTier, RedisTierUserStatus
from tenfold_operator.model.observed import TierView
from tenfold_operator.model.tier_users import KnownUser, ReadRules, TierUser, password_digest
from tenfold_operator.plan.actions import Refuse, SetUsers
from tenfold_operator.plan.redis import plan_tier
from tenfold_operator.plan.redis_cluster import plan_cluster
from tenfold_operator.plan.redis_users import rules_of

from tests.unit.operator import redis_cluster_world, world
from tests.unit.operator.redis_tier import NOW, PODS, after, healthy, tier, with_server

RULES = "~cache:* +@read"
WINDOW = timedelta(seconds=300)


def spec(*names: str, rules: str = RULES) -> list[dict[str, Any]]:
    secret = {"name": "passwords"}
    return [{"name": name, "passwordSecret": secret, "rules": rules} for name in names]


def in_own_form(rules: str) -> str:
    """A server's way to put rules."""
    return f"on resetchannels {rules}"


@dataclass
class Servers:
    """The servers of a tier: they take what they are told of users."""

    users: list[dict[str, Any]] = field(default_factory=lambda: spec("app"))
    passwords: dict[str, str] = field(default_factory=lambda: {"app": "first"})
    previous: dict[str, str] = field(default_factory=dict)
    known: dict[str, dict[str, KnownUser]] = field(
        default_factory=lambda: {pod: {} for pod in PODS}
    )
    silent: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW
    status: dict[str, Any] = field(default_factory=lambda: {"primary": "l2-0"})

    def view(self) -> TierView:
        resource = tier(self.status, users=self.users)
        view = healthy(resource)
        for pod in PODS:
            role = {"role": "unknown"} if pod in self.silent else {}
            view = with_server(view, pod, users=dict(self.known[pod]), **role)
        read = ReadRules(
            {
                each.name: in_own_form(rules_of(each))
                for each in resource.spec.users
                if each.name not in self.refused
            },
            self.refused,
        )
        wanted = tuple(
            TierUser(
                each.name,
                rules_of(each),
                self.passwords.get(each.name, ""),
                self.previous.get(each.name),
            )
            for each in resource.spec.users
        )
        answering = (pod for pod in PODS if pod not in self.silent)
        return replace(view, users=wanted, rules=dict.fromkeys(answering, read))

    def look(self) -> list[SetUsers]:
        """Plan once, do it, and return what was told to the servers."""
        view = self.view()
        plan = plan_tier(view, self.now)
        told = [each for each in plan if isinstance(each, SetUsers)]
        for action in told:
            own = self.known[action.pod]
            for name in action.gone:
                del own[name]
            for each in action.users:
                own[each.name] = KnownUser(frozenset(each.passwords), in_own_form(each.rules))
        self.status = after(view, plan).tier.status.to_json()
        return told

    def settle(self) -> None:
        """Look until nobody is told anything any more."""
        for _ in range(4):
            if not self.look():
                return
        raise AssertionError("the servers are told something again and again")

    def wait(self, time: timedelta) -> None:
        self.now += time

    def taken(self, user: str = "app") -> set[frozenset[str]]:
        """The passwords that servers take which answer."""
        return {
            self.known[pod][user].passwords
            for pod in PODS
            if pod not in self.silent and user in self.known[pod]
        }

    def refusals(self) -> list[str]:
        plan = plan_tier(self.view(), self.now)
        return [each.reason for each in plan if isinstance(each, Refuse)]

    @property
    def tier(self) -> RedisTier:
        return tier(self.status)

    @property
    def state(self) -> RedisTierUserStatus:
        (found,) = self.tier.status.users
        return found

    @property
    def verdict(self) -> tuple[str, str]:
        found = {each.type: each for each in self.tier.status.conditions}["UsersApplied"]
        return found.status, found.reason


def settled(**changes: Any) -> Servers:
    servers = Servers(**changes)
    servers.settle()
    return servers


def test_a_user_of_the_spec_is_made_on_every_server_and_may_never_administer() -> None:
    servers = Servers()
    told = servers.look()
    assert [each.pod for each in told] == list(PODS)
    assert {each.users[0].rules for each in told} == {"~cache:* +@read -@admin"}
    assert servers.taken() == {frozenset({"first"})}
    assert (servers.verdict, servers.state.applied_at) == (("False", "UsersChanging"), None)
    assert servers.look() == []
    assert (servers.verdict, servers.state.applied_at) == (("True", "UsersKnown"), NOW)


def test_a_tier_without_users_says_nothing_of_them() -> None:
    servers = settled(users=[])
    assert "UsersApplied" not in {each.type for each in servers.tier.status.conditions}


def test_rules_that_were_changed_by_hand_are_set_again() -> None:
    servers = settled()
    servers.known["l2-1"]["app"] = KnownUser(frozenset({"first"}), "on +@all")
    (told,) = servers.look()
    assert told.pod == "l2-1"
    assert servers.look() == []


def test_a_former_password_counts_for_five_minutes_more() -> None:
    servers = settled()
    servers.wait(timedelta(hours=1))
    changed = servers.now
    servers.passwords["app"] = "second"
    servers.settle()
    assert servers.taken() == {frozenset({"first", "second"})}
    assert servers.state.accepts_previous_until == changed + WINDOW
    applied = servers.state.applied_at
    servers.wait(WINDOW - timedelta(seconds=1))
    assert servers.look() == []
    servers.wait(timedelta(seconds=1))
    servers.settle()
    assert servers.taken() == {frozenset({"second"})}
    assert servers.state.accepts_previous_until is None
    assert servers.state.applied_at == applied


def test_silence_neither_ends_nor_prolongs_a_former_password() -> None:
    servers = settled()
    servers.passwords["app"] = "second"
    servers.settle()
    known = servers.state
    servers.silent = set(PODS)
    servers.wait(timedelta(seconds=100))
    servers.settle()
    assert servers.state == known
    assert servers.verdict == ("Unknown", "NoServerAnswers")
    unasked = replace(servers.view(), users=(), rules={})
    assert after(unasked, plan_tier(unasked, servers.now)).tier.status.users == (known,)
    servers.silent = set()
    servers.settle()
    assert servers.state.accepts_previous_until == known.accepts_previous_until


def test_a_previous_password_that_the_secret_names_counts_as_long_as_it_does() -> None:
    servers = settled()
    servers.passwords["app"], servers.previous["app"] = "second", "first"
    servers.settle()
    servers.wait(2 * WINDOW)
    assert servers.look() == []
    assert servers.taken() == {frozenset({"first", "second"})}
    assert servers.state.accepts_previous_until is None


def test_an_empty_previous_password_ends_the_former_one_at_once() -> None:
    servers = settled()
    servers.passwords["app"], servers.previous["app"] = "second", ""
    servers.settle()
    assert servers.taken() == {frozenset({"second"})}


def test_a_server_that_comes_back_does_not_revive_a_password_of_its_time() -> None:
    servers = settled()
    servers.silent = {"l2-2"}
    servers.passwords["app"] = "second"
    servers.settle()
    servers.wait(WINDOW)
    servers.settle()
    servers.silent = set()
    servers.settle()
    assert servers.taken() == {frozenset({"second"})}


def test_a_server_that_begins_anew_while_a_password_changes_takes_both() -> None:
    servers = settled()
    servers.passwords["app"] = "second"
    servers.settle()
    servers.known["l2-1"] = {}
    servers.settle()
    assert servers.taken() == {frozenset({"first", "second"})}


def test_a_user_without_a_password_stays_as_it_is_while_others_change() -> None:
    servers = settled(users=spec("app", "other"), passwords={"app": "first", "other": "x"})
    del servers.passwords["app"]
    servers.users = spec("app", "other", rules="~new:* +@read")
    servers.settle()
    assert servers.refusals() == ["UserPasswordMissing"]
    assert servers.verdict == ("False", "UserPasswordMissing")
    known = servers.known["l2-0"]
    assert known["app"].rules == in_own_form(f"{RULES} -@admin")
    assert known["other"].rules == in_own_form("~new:* +@read -@admin")


def test_rules_that_a_server_refuses_touch_no_server() -> None:
    servers = settled()
    servers.refused = {"app": "Unknown command"}
    servers.users = spec("app", rules="+nosuch")
    assert servers.look() == []
    assert servers.refusals() == ["UserRulesRefused"]
    assert servers.verdict == ("False", "UserRulesRefused")


def test_a_user_that_the_spec_names_no_longer_is_removed_and_so_is_the_last_one() -> None:
    servers = settled(users=spec("app", "other"), passwords={"app": "first", "other": "x"})
    servers.users = spec("app")
    servers.silent = {"l2-2"}
    servers.settle()
    assert servers.known["l2-0"].keys() == {"app"}
    servers.silent, servers.users = set(), []
    servers.settle()
    assert servers.known == {pod: {} for pod in PODS}
    assert servers.tier.status.users == ()


def test_a_server_that_did_not_say_what_it_makes_of_the_rules_is_left_alone() -> None:
    servers = settled()
    servers.passwords["app"] = "second"
    view = replace(servers.view(), rules={})
    assert not [each for each in plan_tier(view, NOW) if isinstance(each, SetUsers)]


def test_the_servers_of_a_cluster_know_users_too() -> None:
    cluster = redis_cluster_world.World()
    cluster.settle()
    view = cluster.view
    cluster.spec["users"] = spec("app")
    wanted = TierUser("app", RULES, "first")
    read = ReadRules({"app": in_own_form(RULES)})
    view = replace(
        view,
        tier=cluster.tier,
        users=(wanted,),
        rules={each.pod: read for each in view.servers},
    )
    told = [each for each in plan_cluster(view, NOW) if isinstance(each, SetUsers)]
    assert {each.pod for each in told} == {each.pod for each in view.servers}


def test_passwords_are_read_as_digests_with_what_the_secret_says_of_the_previous_one() -> None:
    cluster = world.World()
    data = {"password": "Zmlyc3Q=", "previous": "", "other": ""}
    cluster.apply(
        {"kind": "Secret", "metadata": {"name": "passwords", "namespace": "shop"}, "data": data}
    )
    users = spec("app", "empty", "absent", "silent")
    users[1]["passwordSecret"] = {"name": "passwords", "key": "other"}
    users[2]["passwordSecret"] = {"name": "absent"}
    users[3]["passwordSecret"] = {"name": "passwords", "previousKey": "none"}
    found = {each.name: each for each in read_users(cluster, tier(users=users))}
    first = password_digest("first")
    assert (found["app"].password, found["app"].previous) == (first, "")
    assert found["empty"].password == found["absent"].password == ""
    assert (found["silent"].password, found["silent"].previous) == (first, None)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 400)),
        st.tuples(st.just("silence"), st.integers(0, 2)),
        st.tuples(st.just("wipe"), st.integers(0, 2)),
        st.tuples(st.just("return"), st.integers(0, 2)),
        st.tuples(st.just("tamper"), st.integers(0, 2)),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_whatever_happens_the_servers_take_the_right_passwords(
    events: list[tuple[str, int]],
) -> None:
    servers, changes = settled(), [("first", NOW)]
    for number, (event, value) in enumerate(events):
        pod = PODS[value % 3]
        match event:
            case "rotate":
                servers.passwords["app"] = f"p{number}"
                changes.append((f"p{number}", servers.now))
            case "wait":
                servers.wait(timedelta(seconds=value))
            case "silence":
                # One at least answers: what nobody remembers, nobody can tell.
                servers.silent = {pod}
            case "wipe":
                servers.known[pod] = {}
            case "return":
                servers.silent.discard(pod)
            case "tamper":
                servers.known[pod]["stranger"] = KnownUser(frozenset(), "on +@all")
        before = {pod: dict(known) for pod, known in servers.known.items()}
        servers.settle()
        assert len(servers.taken()) == 1, "all that answer take the same"
        (taken,) = servers.taken()
        *_, (former, _), (newest, since) = [("", NOW), *changes]
        is_open = servers.now < since + WINDOW
        assert newest in taken
        assert is_open or taken == {newest}, "a password counts for too long"
        for pod in set(PODS) - servers.silent:
            assert servers.known[pod].keys() == {"app"}
            known = before[pod].get("app")
            took_it = known is not None and former in known.passwords
            assert not (took_it and is_open) or former in taken, "a password ended too early"
