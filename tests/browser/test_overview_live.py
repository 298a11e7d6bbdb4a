"""The overview follows what happens, and says so when it cannot; with the real processes, some of them killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from ktrdr_site.environment import PROJECT
from research.dashboard import words
from tests.browser.conftest import accessible
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitors
    from tests.support.stack import Stack

pytestmark = pytest.mark.browser
LONG = ["training.epochs=20000", "training.patience=20000"]


@pytest.fixture
def stranded(stack: Stack, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A training worker that nobody starts again when it dies."""
    token = tmp_path / "token"
    token.write_text(str(stack.manage_json("workers", "create-token", "stranded")["token"]))
    token.chmod(0o600)
    command = ["-m", "workers", "--name", "stranded", "--kinds", "training", "--url", stack.url, "--token-file", token]
    process = subprocess.Popen(
        [sys.executable, *map(str, command)], env=stack.environment, cwd=PROJECT, stderr=subprocess.DEVNULL
    )
    yield process
    process.kill()
    process.wait(20)


def start(page: Page, brief: str, overrides: list[str] | None = None) -> int:
    """Start a research from elsewhere, as a script of the same person would."""
    token = next(one["value"] for one in page.context.cookies() if one["name"] == "csrftoken")
    body = {"brief": brief, "symbol": "NASDAQ", "seed": 3, "overrides": overrides or []}
    answer = page.context.request.post("/api/v1/researches", data=body, headers={"X-CSRFToken": token})
    assert answer.status == 201, answer.text()
    made: dict[str, Any] = answer.json()
    return int(made["id"])


def mark(page: Page) -> None:
    page.evaluate("window.sameDocument = true")


def assert_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.sameDocument === true")


def test_a_research_started_elsewhere_appears_within_a_second_and_disturbs_nobody(visitors: Visitors) -> None:
    page = visitors.member("olga", viewport={"width": 1280, "height": 500})
    mark(page)
    summary = page.locator("#start summary")
    if page.locator("#start").get_attribute("open") is None:
        summary.click()
    brief = page.get_by_label("Brief")
    brief.fill("Half a sent")
    page.evaluate("scrollTo(0, 60)")
    assert min(seconds_to_appear(page) for _ in range(3)) < 1  # the machine may hiccup, the page may not
    expect(brief).to_be_focused()
    expect(brief).to_have_value("Half a sent")
    assert page.locator("#start").get_attribute("open") is not None
    assert page.evaluate("scrollY") == 60
    assert_not_reloaded(page)


def seconds_to_appear(page: Page) -> float:
    made = start(page, "Seen at once", LONG)
    began = time.monotonic()
    page.locator(f"#research-{made}").wait_for(timeout=5000)
    return time.monotonic() - began


def test_progress_moves_and_focus_stays_while_a_training_runs(visitors: Visitors) -> None:
    page = visitors.member("olga")
    mark(page)
    made = start(page, "A long one", LONG)
    card = page.locator(f"#research-{made}")
    running = page.locator(".research progress").first
    running.wait_for(timeout=20_000)
    link = card.get_by_role("link", name=f"Cancel research {made}")
    link.focus()
    before = running.get_attribute("value")
    wait_until(lambda: running.get_attribute("value") != before, timeout=20, what="the progress moves")
    expect(link).to_be_focused()
    expect(page.locator("#part-workers progress").first).to_be_visible()
    assert_not_reloaded(page)
    accessible(page)


def test_cancelling_is_asked_in_a_dialog_and_done_without_leaving_the_page(visitors: Visitors) -> None:
    page = visitors.member("olga")
    mark(page)
    made = start(page, "Not for long", LONG)
    link = page.get_by_role("link", name=f"Cancel research {made}")
    link.click()
    dialog = page.get_by_role("dialog", name=f"Cancel research {made}?")
    expect(dialog).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    link.click()
    dialog.get_by_role("button", name="Cancel the research").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#notices")).to_contain_text(f"Research {made} is cancelled.")
    expect(page.locator(f"#ended-{made}")).to_contain_text("Cancelled by olga.")
    assert_not_reloaded(page)


def test_the_tile_of_a_killed_worker_turns_amber_then_red(
    visitors: Visitors, stranded: subprocess.Popen[bytes]
) -> None:
    page = visitors.member("vic")
    mark(page)
    tile = page.locator("#worker-stranded")
    expect(tile).to_have_attribute("data-state", "connected", timeout=20_000)
    stranded.send_signal(signal.SIGKILL)
    expect(tile).to_have_attribute("data-state", "suspect", timeout=10_000)
    assert "tone-warn" in (tile.get_attribute("class") or "")
    expect(tile).to_have_attribute("data-state", "disconnected", timeout=10_000)
    assert "tone-bad" in (tile.get_attribute("class") or "")
    expect(tile.locator("time")).to_have_text(ticks := tile.locator("time").inner_text())
    expect(tile.locator("time")).not_to_have_text(ticks)
    assert_not_reloaded(page)
    accessible(page)


def test_a_page_whose_server_is_killed_says_so_comes_back_and_shows_what_it_missed(
    visitors: Visitors, stack: Stack
) -> None:
    page = visitors.member("vic")
    mark(page)
    visitors.forgive()
    assert stack.process is not None
    stack.process.send_signal(signal.SIGSTOP)  # so that nothing starts the web again before we have looked
    try:
        stack.kill("web")
        bar = page.locator("[data-live-bar]")
        expect(bar).to_contain_text("Not live since")
        expect(page.locator("html")).to_have_attribute("data-live-state", "off")
        made = stack.manage_json("research", "start", "Begun in the dark", "--symbol", "NASDAQ")
    finally:
        stack.process.send_signal(signal.SIGCONT)
    expect(bar).to_be_hidden(timeout=30_000)
    expect(page.get_by_role("heading", name="While this page was not live")).to_be_visible()
    expect(page.locator("[data-missed]")).to_contain_text("Begun in the dark")
    number = made[0]["id"] if isinstance(made, list) else made["id"]
    expect(page.locator(f"#research-{number}, #ended-{number}").first).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("[data-missed]")).to_be_hidden()
    assert_not_reloaded(page)


def test_a_server_that_falls_silent_is_noticed_although_the_connection_stands(visitors: Visitors, stack: Stack) -> None:
    page = visitors.member("vic")
    visitors.forgive()
    web = stack.pid("web")
    os.kill(web, signal.SIGSTOP)
    try:
        expect(page.locator("[data-live-bar]")).to_contain_text("Not live since", timeout=10_000)
    finally:
        os.kill(web, signal.SIGCONT)
    expect(page.locator("[data-live-bar]")).to_be_hidden(timeout=20_000)


def test_it_fits_a_small_screen(visitors: Visitors) -> None:
    page = visitors.member("olga", viewport={"width": 360, "height": 740})
    page.locator("#part-researches").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)


def test_browser_and_server_say_durations_in_the_same_words(visitors: Visitors) -> None:
    page = visitors.member("vic")
    seconds = [-3, 0, 5.9, 59, 60, 3599, 3600, 7260, 86_399, 86_400, 400_000]
    said = page.evaluate(
        "async (all) => { const clock = await import('/static/ktrdr/clock.js'); return all.map(clock.inWords); }",
        seconds,
    )
    assert said == [words.duration(one) for one in seconds]
