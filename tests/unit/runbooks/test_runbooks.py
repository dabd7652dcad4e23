"""Every alert has a page that says what to do, and no page is lost."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from tenfold_dashboards import runbooks
from tenfold_dashboards.alerts import ALERTS
from tenfold_dashboards.rules import Alert, Links

from tests.runbooks import FOLDER, SECTIONS, commands, links, pages, sections, untold
from tests.support import free_port, wait_until

INDEX = FOLDER / "README.md"
SERVED = runbooks.pages(FOLDER)
ALERT_PAGES = [FOLDER / f"{alert.alert}.md" for alert in ALERTS]
EVERY_PAGE = pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {*FOLDER.glob("*.md")} == {INDEX, *ALERT_PAGES}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.alert)
def test_an_alerts_link_ends_at_its_page(alert: Alert) -> None:
    folder, _, name = alert.runbook_url(Links()).rpartition("/")
    assert folder == Links().runbooks
    assert f"<h1>{alert.alert}</h1>" in SERVED[name]


@pytest.mark.parametrize("page", ALERT_PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_it_means_whom_it_hurts_and_what_to_do(page: Path) -> None:
    assert sections(page) == SECTIONS
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    parts = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)
    assert commands(page), "nothing to type"


@EVERY_PAGE
def test_links_lead_to_files(page: Path) -> None:
    assert [each for each in links(page) if not each.exists()] == []


@EVERY_PAGE
def test_a_page_is_found_from_the_index(page: Path) -> None:
    assert page == INDEX or page in links(INDEX)


def test_the_index_tells_each_severity() -> None:
    text = INDEX.read_text()
    for alert in ALERTS:
        assert f"[{alert.alert}]({alert.alert}.md) ({alert.severity.value})" in text


@EVERY_PAGE
def test_a_page_says_what_its_commands_should_print(page: Path) -> None:
    assert untold(page) == []


@EVERY_PAGE
def test_commands_are_valid_shell(page: Path) -> None:
    for block in re.findall(r"^ *```sh.*?\n(.*?)^ *```$", page.read_text(), re.M | re.S):
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@EVERY_PAGE
def test_what_is_run_by_tests_changes_nothing(page: Path) -> None:
    forbidden = r"\b(apply|create|delete|patch|edit|scale|annotate|rollout|promote|abort|retry)\b"
    for block in commands(page):
        assert not re.search(rf"kubectl (tenfold )?{forbidden}", block.text), block.text


class Text(HTMLParser):
    """The words of a page as a browser shows them, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.targets: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value or "" for name, value in attrs if name == "href"]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A Prometheus that serves the runbooks."""
    folder = tmp_path_factory.mktemp("prometheus")
    for name, page in SERVED.items():
        (folder / name).write_text(page)
    (folder / "prometheus.yml").write_text("global: {}")
    port = free_port()
    server = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.console.templates={folder}",
            f"--web.console.libraries={folder}",
        ],
        stderr=subprocess.DEVNULL,
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        try:
            wait_until(lambda: _is_ready(client), seconds=30, what="Prometheus")
            yield client
        finally:
            server.terminate()
            server.wait()


class TestServed:
    """Prometheus serves the runbooks, so that an alert's link leads somewhere at any hour."""

    @pytest.mark.parametrize("name", sorted(SERVED))
    def test_a_page_is_served_word_for_word(self, prometheus: httpx.Client, name: str) -> None:
        answer = prometheus.get(f"/consoles/{name}")
        assert answer.status_code == 200, answer.text
        written = SERVED[name].replace('{{"{{"}}', "{{")
        assert Text(answer.text).words == Text(written).words

    @pytest.mark.parametrize("name", sorted(SERVED))
    def test_its_links_lead_to_pages(self, name: str) -> None:
        inside = {each for each in Text(SERVED[name]).targets if "://" not in each}
        assert inside <= set(SERVED)

    def test_braces_are_no_template(self, tmp_path: Path) -> None:
        (tmp_path / "Braces.md").write_text("# Braces\n\n    -o template={{.spec}}\n")
        assert '{{"{{"}}.spec' in runbooks.pages(tmp_path)["Braces.html"]

    def test_two_pages_of_one_name_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "procedures").mkdir()
        for place in ("", "procedures/"):
            (tmp_path / f"{place}same.md").write_text("# Same")
        with pytest.raises(ValueError, match="two runbooks"):
            runbooks.pages(tmp_path)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False
