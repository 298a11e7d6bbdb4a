"""Logging in, with and without JavaScript, by keyboard, in light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, accessible

if TYPE_CHECKING:
    from tests.browser.conftest import Visitors

pytestmark = pytest.mark.browser


def test_a_stranger_logs_in_with_the_keyboard_and_lands_where_he_wanted(visitors: Visitors) -> None:
    page = visitors.stranger()
    page.goto("/?from=afar")
    expect(page).to_have_title("Log in · KTRDR")
    accessible(page)
    page.get_by_label("User name").press_sequentially("vic")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not fit")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visitors.url}/?from=afar")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_everything_but_liveness_works_without_javascript(visitors: Visitors) -> None:
    page = visitors.member("olga", java_script_enabled=False)
    expect(page.locator("[data-live-badge]")).to_contain_text("As of")
    assert "Without JavaScript this page stays as it was" in page.content()
    start = page.locator("#start")
    if start.get_attribute("open") is None:
        start.locator("summary").click()
    page.get_by_label("Brief").fill("Calm after storms")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/research/*")
    made = page.url.rsplit("/", 1)[1]
    page.goto("/")
    page.get_by_role("link", name=f"Cancel research {made}").click()
    expect(page.get_by_role("heading", name=f"Cancel research {made}?")).to_be_visible()
    page.get_by_role("button", name="Cancel the research").click()
    page.goto("/")
    page.get_by_role("button", name=f"Resume research {made}").click()
    expect(page.get_by_text(f"Research {made} goes on where it stopped.")).to_be_visible()
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_title("Log in · KTRDR")


def test_the_theme_changes_without_a_reload_and_is_remembered(visitors: Visitors) -> None:
    page = visitors.member("vic", color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("window.sameDocument")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("[data-live-badge]")).to_have_text("Live")
