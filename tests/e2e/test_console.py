"""The console on the real cluster: a rollout that is rolled back, and a hand-over, as they happen.

With TENFOLD_SCREENSHOTS naming a folder, the pictures of the documentation are made there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import Visit, chromium, picture
from tests.e2e.conftest import TENANT
from tests.e2e.test_rollouts import QUICK, REQUESTS_PER_SECOND
from tests.rollouts.demo import Demo, serving
from tests.support import Kubectl, is_ready, steady_load, wait_until

pytestmark = pytest.mark.cluster
TIER = ("redistier/l2", "--namespace", TENANT)
SECONDS = 1000.0
"""Playwright counts in milliseconds."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, entrances: dict[str, str]) -> Iterator[Visit]:
    """The console in the browser; nothing may go wrong in it."""
    visit = Visit(browser, entrances["console"])
    yield visit
    visit.close()
    # Over plain HTTP a browser says of this header that it ignores it.
    assert [each for each in visit.troubles if "Cross-Origin-Opener-Policy" not in each] == []


@pytest.fixture
def demo(kubectl: Kubectl) -> Iterator[Demo]:
    """A Workload whose first revision serves."""
    with serving(kubectl, TENANT, "shop", QUICK) as demo:
        yield demo


def test_the_console_tells_why_a_revision_was_rolled_back(
    demo: Demo, visit: Visit, entrances: dict[str, str], say: Callable[[str], None]
) -> None:
    with steady_load(f"{entrances['gateway']}/{demo.name}", REQUESTS_PER_SECOND):
        page = visit.open(f"workloads/{TENANT}/{demo.name}")
        expect(page.locator("h1")).to_contain_text("Serving")
        stable = demo.stable
        demo.apply({"ERROR_RATIO": "0.5"}, QUICK)
        now = page.locator("#now")
        expect(now).to_contain_text("is being rolled out", timeout=60 * SECONDS)
        picture(page, "console-rollout")
        story = page.get_by_role("region", name="Why revision")
        expect(story).to_be_visible(timeout=90 * SECONDS)
        expect(story.locator(".lead")).to_contain_text("Requests answered with an error")
        expect(story.locator(".lead")).to_contain_text("at most 1.00%")
        verdict = story.get_by_role("row").filter(has_text="errorRatio")
        expect(verdict).to_contain_text("failed")
        expect(story).to_contain_text(f"All traffic is back on revision {stable}")
        failed = demo.workload["status"]["failedRevisions"][-1]
        expect(page.locator("#story")).to_contain_text(failed["revision"])
        expect(page.locator("#announcer")).to_contain_text("RolledBack")
        errors = story.locator("figure").filter(has_text="Requests answered with an error")
        expect(errors).to_contain_text(f"{failed['revision']} rolled back", timeout=60 * SECONDS)
        expect(errors).to_contain_text("at most 1 %")
        expect(errors.locator("canvas")).to_be_visible()
        page.locator("h1").scroll_into_view_if_needed()
        picture(page, "console-rolled-back")
    decisions = page.get_by_role("table", name="Last decisions")
    expect(decisions.get_by_text("AnalysisFailed").first).to_be_visible()
    overview = visit.open("")
    expect(overview.locator("section.bad")).to_contain_text(demo.name)
    picture(page, "console")
    say(f"told: {failed['message']}")


def test_the_console_follows_a_hand_over(
    kubectl: Kubectl, visit: Visit, say: Callable[[str], None]
) -> None:
    wait_until(lambda: is_ready(kubectl.get(*TIER)), seconds=180, what="a healthy tier")
    before = kubectl.get(*TIER)["status"]["primary"]
    page = visit.open(f"redistiers/{TENANT}/l2")
    picture_of = page.get_by_role("img", name=f"{before} is the primary")
    expect(picture_of).to_be_visible()
    asked = datetime.now(UTC).isoformat()
    kubectl("annotate", *TIER, "--overwrite", f"tenfold.dev/handover={asked}")
    # The tier may have moved within the cool-down: then it says so, and moves after it.
    moved = page.locator("#handovers ~ dl").get_by_text(f"from {before} to")
    expect(moved).to_be_visible(timeout=120 * SECONDS)
    row = page.get_by_role("row").filter(has_text=f"hand over from {before}").first
    expect(row).to_be_visible()
    wait_until(lambda: is_ready(kubectl.get(*TIER)), seconds=180, what="a healthy tier")
    expect(page.locator("h1")).to_contain_text("InSync", timeout=30 * SECONDS)
    after = kubectl.get(*TIER)["status"]["primary"]
    expect(page.get_by_role("img", name=f"{after} is the primary")).to_be_visible()
    picture(page, "console-redis")
    say(f"the primary moved from {before} to {after}")


def test_the_console_follows_the_death_of_a_primary(
    kubectl: Kubectl, visit: Visit, say: Callable[[str], None]
) -> None:
    wait_until(lambda: is_ready(kubectl.get(*TIER)), seconds=180, what="a healthy tier")
    before = kubectl.get(*TIER)["status"]["primary"]
    page = visit.open(f"redistiers/{TENANT}/l2")
    expect(page.get_by_role("img", name=f"{before} is the primary")).to_be_visible()
    kubectl("delete", "pod", before, "--namespace", TENANT, "--grace-period=0", "--force")
    # The outage may be short: what changed is read out, and stays in the log of changes.
    told = page.locator("#announcer")
    expect(told).to_contain_text(f"RedisTier {TENANT}/l2", timeout=60 * SECONDS)
    picture(page, "console-failover")
    wait_until(lambda: is_ready(kubectl.get(*TIER)), seconds=180, what="a healthy tier")
    expect(page.locator("h1")).to_contain_text("InSync", timeout=30 * SECONDS)
    after = kubectl.get(*TIER)["status"]["primary"]
    expect(page.get_by_role("img", name=f"{after} is the primary")).to_be_visible()
    if after != before:
        moved = page.locator("#handovers ~ dl")
        expect(moved.get_by_text(f"from {before} to {after}")).to_be_visible()
    say(f"the primary was {before} and is {after}")


def test_the_past_is_asked_of_prometheus_and_has_no_trouble(entrances: dict[str, str]) -> None:
    api = f"{entrances['console']}/api/v1"
    for path, keys in (
        (f"workloads/{TENANT}/gateway", {"weights", "pods"}),
        (f"redistiers/{TENANT}/l2", {"commands", "memory", "lag"}),
    ):
        found = httpx.get(f"{api}/{path}/history", params={"minutes": 15}, timeout=30).json()
        assert "trouble" not in found or not found["trouble"]
        assert keys <= {each["key"] for each in found["charts"]}
