"""The whole product and a real browser. Every page is watched: an error in its console fails the test."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from playwright.sync_api import Browser, ConsoleMessage, Page

PASSWORD = "correct horse"
_PEOPLE = f"""
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
for name, group in (("olga", "operator"), ("vic", "viewer")):
    get_user_model().objects.create_user(name, password="{PASSWORD}").groups.add(Group.objects.get(name=group))
"""
expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything runs, with market data, olga (operator) and vic (viewer). One for all tests: it takes seconds."""
    short = {"KTRDR_LEASE": "4", "KTRDR_SUSPECT": "2"}
    with Stack(tmp_path_factory.mktemp("browser") / "data", environment=short) as running:
        running.manage("shell", "-c", _PEOPLE)
        running.manage("data", "load", "data/nasdaq_daily.csv", "--symbol", "NASDAQ", "--timeframe", "1d")
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "The browser tests need Chromium: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visitors:
    """Opens pages as somebody; `complaints` is what their consoles said."""

    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list)
    forgiven: bool = False

    def stranger(self, **context: Any) -> Page:
        page = self.browser.new_context(base_url=self.url, **context).new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def member(self, name: str, **context: Any) -> Page:
        """Logged in as `name`, on the overview, live where it can be."""
        page = self.stranger(**context)
        page.goto("/login")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(f"{self.url}/")
        if context.get("java_script_enabled", True):
            expect(page.locator("[data-live-badge]")).to_have_text("Live")
        return page

    def forgive(self) -> None:
        """The server is about to be taken away: requests that fail are no surprise."""
        self.forgiven = True

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self.complaints.append(f"{said.text} ({said.location.get('url')})")


@pytest.fixture
def visitors(browser: Browser, stack: Stack) -> Iterator[Visitors]:
    found = Visitors(browser, stack.url)
    yield found
    said = list(found.complaints)  # a page may well complain of being closed while it connects
    for context in browser.contexts:
        context.close()
    network = ("WebSocket connection", "Failed to load resource")
    assert [text for text in said if not (found.forgiven and text.startswith(network))] == []


def accessible(page: Page) -> None:
    """axe finds nothing to complain of, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} in {scheme}: {found.generate_report()}"
