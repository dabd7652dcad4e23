"""The page in a browser: what it shows, how it follows changes, and who can use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from tenfold_operator.plan.actions import Refuse

from tests.browser import Visit, chromium, picture
from tests.unit.console.scene import DETECTOR, TIER, Scene
from tests.unit.console.site import Site
from tests.unit.operator.answers import BAD, GOOD

PAGES = (
    "",
    "redis",
    "anomalies",
    "models",
    "decisions",
    "workloads/shop/web",
    "redistiers/shop/l2",
    "redistiers/shop/l4",
    "anomalydetectors/shop/checkout",
)
HOSTILE = '"><img src=x onerror="window.broken=1"><script>window.broken=1</script>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shown() -> Iterator[Site]:
    """The console of a scene that these tests do not change."""
    scene = Scene()
    scene.roll_back()
    scene.add_tier()
    scene.hand_over()
    scene.add_cluster()
    scene.scale()
    scene.add_detector("Anomalous")
    with Site(scene).running() as site:
        yield site


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """The scene's console in the browser; nothing may go wrong in it."""
    visit = Visit(browser, site.url)
    yield visit
    visit.close()
    assert visit.troubles == []


@pytest.mark.parametrize("route", PAGES)
@pytest.mark.parametrize(
    ("phone", "scheme"), [(True, "light"), (True, "dark"), (False, "light"), (False, "dark")]
)
def test_every_page_passes_axe_fits_its_window_and_has_no_errors(
    browser: Browser, shown: Site, route: str, phone: bool, scheme: Any
) -> None:
    # axe is put into the page, which its policy would refuse.
    visit = Visit(browser, shown.url, phone=phone, color_scheme=scheme, bypass_csp=True)
    page = visit.open(route)
    expect(page.get_by_role("status").first).to_have_text("live")
    expect(page.locator("main h2, main table").first).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    # Nothing has to be scrolled aside to be read, tables neither.
    for place in (page.locator("html"), *page.locator(".scroll").all()):
        assert place.evaluate("(it) => it.scrollWidth - it.clientWidth") <= 0
    assert visit.troubles == []
    visit.close()


def test_on_a_phone_a_table_is_still_one_to_a_screen_reader(browser: Browser, shown: Site) -> None:
    visit = Visit(browser, shown.url, phone=True)
    page = visit.open("workloads/shop/web")
    table = page.get_by_role("table", name="What was measured when it was given up")
    row = table.get_by_role("row").filter(has_text="errorRatio")
    expect(row.get_by_role("rowheader")).to_contain_text("Requests answered with an error")
    expect(row.get_by_role("cell")).to_have_text(
        ["failed", "50.00% of 200 requests, at most 1.00%"]
    )
    expect(table.get_by_role("columnheader")).to_have_text(
        ["metric", "verdict", "value against bound"]
    )
    # Seen, each cell is under its heading.
    label = "(cell) => getComputedStyle(cell, '::before').content"
    seen = row.get_by_role("cell").last.evaluate(label)
    assert seen == '"value against bound"'
    visit.close()


@pytest.mark.parametrize(("phone", "scheme"), [(False, "light"), (True, "dark")])
def test_what_failed_is_in_the_first_window(
    browser: Browser, shown: Site, phone: bool, scheme: Any
) -> None:
    """Nobody has to scroll to learn that it was rolled back, and what failed."""
    visit = Visit(browser, shown.url, phone=phone, color_scheme=scheme)
    page = visit.open("workloads/shop/web")
    for words in ("RolledBack", "Why revision", "Requests answered with an error (5xx): 50.00%"):
        expect(page.locator("main").get_by_text(words).first).to_be_in_viewport()
    expect(page.locator("figure canvas").first).to_be_visible()
    if phone:
        picture(page, "story-phone")
    else:
        picture(page, "story", whole=page.locator("section.bad"))
    visit.close()


def test_dark_is_dark_and_light_is_light(browser: Browser, shown: Site) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        visit = Visit(browser, shown.url, color_scheme=scheme)
        page = visit.open("workloads/shop/web")
        colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        seen[scheme] = [int(each) for each in colour[4:-1].split(",")]
        visit.close()
    assert min(seen["light"]) > 200
    assert max(seen["dark"]) < 60


def test_the_page_of_a_workload_tells_why_it_was_rolled_back(visit: Visit, site: Site) -> None:
    page = visit.open("workloads/shop/web")
    story = page.get_by_role("region", name="Why revision")
    for text in (
        "Requests answered with an error (5xx): 50.00% of 200 requests, at most 1.00%",
        "answered real requests worse than its rollout allows",
        "All traffic is back on revision",
        "at most 20 %",
        "example.com/web:v2",
        "kubectl tenfold -n shop retry web",
    ):
        expect(story).to_contain_text(text)
    rows = story.get_by_role("row")
    expect(rows.filter(has_text="errorRatio")).to_contain_text("failed")
    expect(rows.filter(has_text="latency")).to_contain_text("passed")
    errors = story.locator("figure").filter(has_text="Requests answered with an error")
    expect(errors.locator("canvas")).to_be_visible()
    expect(errors).to_contain_text("at most 1 %")
    expect(errors).to_contain_text("rolled back")
    failed = site.scene.world.status.failed_revisions[-1].revision
    expect(errors).to_contain_text(f"{failed} (failed): last 50 %, highest 50 %")
    titles = story.locator("figcaption")
    expect(titles.first).to_have_text("Requests answered with an error")


def test_a_chart_is_also_words_and_a_table(visit: Visit) -> None:
    page = visit.open("redistiers/shop/l2")
    figure = page.locator("figure").filter(has_text="Memory used")
    expect(figure.get_by_role("img")).to_have_accessible_name(
        "Memory used. " + figure.locator("p").inner_text()
    )
    figure.get_by_text("The same as a table").click()
    expect(figure.get_by_role("table", name="Memory used")).to_be_visible()
    assert figure.locator("tbody tr").count() >= 10


def test_a_rollout_is_followed_without_a_reload(visit: Visit, site: Site) -> None:
    page = visit.open("workloads/shop/web")
    expect(page.locator("#story")).to_be_visible()
    page.evaluate("window.kept = 1")
    site.do(lambda: site.scene.begin("v3"))
    expect(page.locator("#now")).to_contain_text("is being rolled out")
    expect(page.get_by_role("listitem").filter(has_text="20 % now")).to_have_attribute(
        "aria-current", "step"
    )
    expect(page.get_by_text("20% of the traffic until")).not_to_have_count(0)
    site.do(lambda: site.scene.judge(GOOD))
    site.do(site.scene.finish)
    expect(page.locator("h1")).to_contain_text("Serving")
    expect(page.locator("#announcer")).to_contain_text("Workload shop/web: Serving")
    assert page.evaluate("window.kept") == 1


def test_a_change_leaves_focus_and_open_details_where_they_are(visit: Visit, site: Site) -> None:
    page = visit.open("workloads/shop/web")
    link = page.get_by_role("link", name="All decisions on it")
    summary = page.locator("#past ~ div figure summary").first
    summary.click()
    link.focus()
    site.do(lambda: site.scene.begin("v3"))
    expect(page.locator("#now")).to_be_visible()
    expect(link).to_be_focused()
    expect(page.locator("#past ~ div figure details").first).to_have_attribute("open", "")


def test_what_is_new_and_what_is_gone_shows(visit: Visit, site: Site) -> None:
    page = visit.open("")
    expect(page.get_by_role("link", name="shop/checkout")).to_have_count(1)
    site.do(lambda: site.scene.add_detector("Anomalous"))
    expect(page.get_by_role("row").filter(has_text="shop/checkout")).to_contain_text("Anomalous")
    site.do(lambda: site.scene.store.drop(DETECTOR))
    expect(page.get_by_role("row").filter(has_text="shop/checkout")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("AnomalyDetector shop/checkout is gone")


def test_all_can_be_reached_by_the_keyboard(visit: Visit) -> None:
    page = visit.open("")
    expect(page.locator("main").get_by_role("link").first).to_have_text("shop/web")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main").get_by_role("link").first).to_be_focused()
    page.get_by_role("link", name="Decisions", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Decisions")
    expect(page.locator("h1")).to_be_focused()
    here = page.get_by_role("link", name="Decisions", exact=True)
    expect(here).to_have_attribute("aria-current", "page")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Words in name")).to_be_focused()
    page.keyboard.type("hand over")
    expect(page.get_by_role("row")).to_have_count(2)


def test_the_decision_log_is_searched_and_its_address_can_be_sent_on(visit: Visit) -> None:
    page = visit.open("decisions")
    page.get_by_label("refused only").check()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_label("Kind").select_option("Workload")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("95 %")
    expect(rows.first).to_contain_text("All traffic went back to the stable revision at once")
    address = page.evaluate("location.hash")
    again = visit.open(address.removeprefix("#/"))
    again.reload()
    expect(again.locator("tbody tr")).to_have_count(1)
    expect(again.get_by_label("refused only")).to_be_checked()


def test_older_decisions_come_on_demand(visit: Visit, site: Site) -> None:
    refusals = [Refuse(reason="NoQuorum", message=f"number {n}") for n in range(80)]
    site.do(lambda: site.scene.journal.write(TIER, refusals, site.scene.world.now))
    page = visit.open("decisions?text=number")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("button", name="Older ones").click()
    expect(page.locator("tbody tr")).to_have_count(80)
    expect(page.get_by_role("button", name="Older ones")).to_be_hidden()


def test_hostile_text_is_shown_as_text(visit: Visit, site: Site) -> None:
    def attack() -> None:
        scene = site.scene
        refuse = Refuse(reason="NoQuorum", message=HOSTILE)
        scene.journal.write(TIER, [refuse], scene.world.now)
        workload: Any = dict(scene.world.objects[scene.world.ref])
        status = dict(workload["status"])
        status["failedRevisions"] = [{**status["failedRevisions"][0], "message": HOSTILE}]
        status["failedRevisions"][0]["verdicts"] = [
            {"metric": HOSTILE, "outcome": "Failed", "message": HOSTILE}
        ]
        status["conditions"] = [{**each, "message": HOSTILE} for each in status["conditions"]]
        scene.store.put({**workload, "status": status})

    site.do(attack)
    for route in ("", "workloads/shop/web", "redistiers/shop/l2", "decisions"):
        page = visit.open(route)
        expect(page.locator("main")).to_contain_text('onerror="window.broken=1"')
        assert page.locator("main img, main script").count() == 0
        assert page.evaluate("window.broken") is None


def test_an_address_that_leads_nowhere_says_so(browser: Browser, site: Site) -> None:
    visit = Visit(browser, site.url)
    page = visit.open("workloads/shop/nobody")
    expect(page.get_by_role("alert")).to_contain_text("there is no Workload shop/nobody")
    visit.close()


def test_after_a_restart_of_the_operator_the_page_goes_on(browser: Browser, scene: Scene) -> None:
    first = Site(scene)
    with first.running():
        visit = Visit(browser, first.url)
        page = visit.open("")
        expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator("#connection")).to_contain_text("trying again")
    scene.judge(BAD)
    scene.add_detector("Anomalous")
    with Site(scene, port=first.port).running():
        expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
        row = page.get_by_role("row").filter(has_text="shop/checkout")
        expect(row).to_contain_text("Anomalous")
        visit.close()


def test_the_page_works_where_a_password_is_asked_for(browser: Browser, tmp_path: Any) -> None:
    token = tmp_path / "token"
    token.write_text("a token that is long enough")
    with Site(Scene(), token).running() as site:
        credentials = {"username": "me", "password": token.read_text()}
        visit = Visit(browser, site.url, http_credentials=credentials)
        page = visit.open("")
        expect(page.locator("#connection")).to_have_text("live")
        expect(page.get_by_role("link", name="shop/web").first).to_be_visible()
        visit.close()
