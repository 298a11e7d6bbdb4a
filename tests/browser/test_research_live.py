"""The page of a research follows it, with the real processes: its curve and its operations grow without a reload."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import accessible
from tests.browser.test_overview_live import LONG, assert_not_reloaded, mark, start
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitors
    from tests.support.stack import Stack

pytestmark = pytest.mark.browser
SMALL, WIDE = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
QUICK = ["training.epochs=30", "training.seeds=1"]


@pytest.fixture(autouse=True)
def alone(stack: Stack) -> None:
    """What earlier tests left running keeps no worker busy."""
    for one in stack.manage_json("research", "list"):
        if one["state"] not in {"completed", "failed", "cancelled"}:
            stack.manage("research", "cancel", str(one["id"]), check=False)


def open_research(page: Page, number: int) -> None:
    page.goto(f"/research/{number}")
    expect(page.locator("[data-live-badge]")).to_have_text("Live")
    mark(page)


def curve(page: Page) -> str:
    return page.locator("#part-training path.series-1").last.get_attribute("d") or ""


def worker_of_the_running_training(page: Page, stack: Stack) -> str:
    row = page.locator("#part-timeline tbody tr", has_text="Training").filter(has_text="running")
    row.wait_for(timeout=30_000)
    found = re.search(r"local-training-\d", row.inner_text())
    assert found is not None
    assert stack.pids(found[0])
    return found[0]


def test_the_curve_and_the_progress_grow_while_the_reader_looks_at_a_table(visitors: Visitors) -> None:
    page = visitors.member("olga", viewport=WIDE)
    open_research(page, start(page, "Watched", LONG))
    page.locator("#part-training path.series-1").last.wait_for(state="attached", timeout=30_000)
    table = page.locator("#training-table")
    table.locator("summary").click()
    table.locator("summary").focus()
    before, progress = curve(page), page.locator("#head-progress progress")
    value = progress.get_attribute("value")
    wait_until(lambda: curve(page) not in {"", before}, timeout=30, what="the curve grows")
    wait_until(lambda: progress.get_attribute("value") != value, timeout=30, what="the progress moves")
    assert table.get_attribute("open") is not None
    expect(table.locator("summary")).to_be_focused()
    assert_not_reloaded(page)
    accessible(page)


def test_a_killed_worker_is_explained_and_the_next_one_goes_on_before_the_reader_s_eyes(
    visitors: Visitors, stack: Stack
) -> None:
    page = visitors.member("vic", viewport=WIDE)
    operator = visitors.member("olga")
    open_research(page, start(operator, "Interrupted", LONG))
    name = worker_of_the_running_training(page, stack)
    page.locator("#part-training path.series-1").last.wait_for(state="attached", timeout=30_000)
    [pid] = stack.pids(name)
    for process in (*psutil.Process(pid).children(recursive=True), psutil.Process(pid)):
        os.kill(process.pid, signal.SIGKILL)
    explained = page.locator(".explained")
    expect(explained).to_contain_text("was orphaned", timeout=40_000)
    expect(explained).to_contain_text(re.compile(r"Operation \d+ continued from unit [\d,]+ on worker"), timeout=40_000)
    expect(page.locator("#part-training .mark-label.warn")).to_contain_text("goes on", timeout=30_000)
    expect(page.locator(".gantt .works")).to_have_count(3)
    explained.locator("summary").first.click()
    expect(explained.locator("dl").first).to_be_visible()
    assert_not_reloaded(page)
    accessible(page)


def test_a_research_is_followed_from_its_start_to_its_verdict(visitors: Visitors) -> None:
    page = visitors.member("olga", viewport=WIDE)
    open_research(page, start(page, "To the end", QUICK))
    expect(page.locator(".verdict-label")).to_be_visible(timeout=60_000)
    expect(page.locator("#part-head .badge").first).to_have_text("Completed")
    expect(page.locator("#part-equity .plot")).to_have_count(2)
    expect(page.locator("#part-gates .checks")).to_have_count(2)
    expect(page.locator("#part-folds tbody tr")).not_to_have_count(0)
    expect(page.locator(".fuzzy-sets figure")).not_to_have_count(0)
    expect(page.locator(".gantt .works")).to_have_count(4)
    assert_not_reloaded(page)
    accessible(page)
    for details in page.locator("main details").all():
        details.evaluate("one => { one.open = true; }")
    accessible(page)


def test_values_are_read_with_the_arrow_keys_and_with_the_pointer(visitors: Visitors) -> None:
    page = visitors.member("vic", viewport=WIDE)
    operator = visitors.member("olga")
    open_research(page, start(operator, "To be read", QUICK))
    chart = page.locator("#part-equity [data-plot]").first
    chart.wait_for(timeout=60_000)
    readout = chart.locator("[data-readout]")
    expect(readout).to_be_hidden()
    chart.focus()
    page.keyboard.press("Home")
    expect(readout).to_contain_text("strategy 1.000×")
    first = readout.inner_text()
    page.keyboard.press("ArrowRight")
    expect(readout).not_to_have_text(first)
    accessible(page)
    page.keyboard.press("Escape")
    expect(readout).to_be_hidden()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(readout).to_contain_text("buy and hold")
    page.mouse.move(0, 0)
    expect(readout).to_be_hidden()


def test_cancelling_and_resuming_from_the_page(visitors: Visitors) -> None:
    page = visitors.member("olga", viewport=WIDE)
    number = start(page, "Stop and go", LONG)
    open_research(page, number)
    page.locator("#head-progress").wait_for(timeout=30_000)
    page.locator("#part-head").get_by_role("link", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the research").click()
    expect(page.locator("#head-standing")).to_contain_text("Cancelled by olga.")
    page.locator("#part-head").get_by_role("button", name="Resume").click()
    expect(page.locator("#notices")).to_contain_text("goes on where it stopped")
    expect(page.locator("#head-progress")).to_be_visible(timeout=30_000)
    expect(page.locator("#part-events")).to_contain_text(f"olga asked to resume research {number}.")
    assert_not_reloaded(page)


def test_it_fits_a_small_screen_and_a_very_large_one(visitors: Visitors) -> None:
    page = visitors.member("vic", viewport=SMALL)
    operator = visitors.member("olga")
    number = start(operator, "Anysize" * 30, QUICK)
    open_research(page, number)
    expect(page.locator(".verdict-label")).to_be_visible(timeout=60_000)
    for size in (SMALL, {"width": 768, "height": 1024}, {"width": 3840, "height": 2160}):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        accessible(page)


def test_it_is_whole_without_javascript(visitors: Visitors) -> None:
    operator = visitors.member("olga")
    number = start(operator, "Plain", QUICK)
    open_research(operator, number)
    expect(operator.locator(".verdict-label")).to_be_visible(timeout=60_000)
    page = visitors.member("vic", java_script_enabled=False)
    page.goto(f"/research/{number}")
    expect(page.locator("#part-equity .plot")).to_have_count(2)
    expect(page.locator(".verdict-label")).to_be_visible()
    page.locator("#equity-table summary").click()
    expect(page.locator("#equity-table table")).to_be_visible()
