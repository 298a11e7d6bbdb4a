"""The lists and their pages in a real browser: on small and large screens, in light and dark, while things happen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import accessible
from tests.browser.test_overview_live import LONG, start

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitors
    from tests.support.stack import Stack

pytestmark = pytest.mark.browser
HEADER = "timestamp,open,high,low,close,volume"


def assert_fits(page: Page) -> None:
    """Nothing sticks out at the right."""
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), page.url


def test_every_list_fits_any_screen_and_is_accessible_in_light_and_dark(visitors: Visitors, stack: Stack) -> None:
    page = visitors.member("olga")
    pk = start(page, "lists to look at, with a brief that is long enough to need several lines on a small screen", LONG)
    worker = stack.manage_json("workers", "list")[0]["name"]
    addresses = ("/researches", "/workers", f"/workers/{worker}", "/events", "/data", "/data/1")
    for address in addresses:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        expect(page.locator("[data-live-badge]")).to_have_text("Live")
        assert_fits(page)
        page.set_viewport_size({"width": 360, "height": 740})
        assert_fits(page)
        accessible(page)
    for name in ("Overview", "Researches", "Workers", "Events", "Data"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
        expect(page.locator(".topnav [aria-current]")).to_have_text(name)
    stack.manage("research", "cancel", str(pk))


def test_what_is_ticked_stays_ticked_while_the_list_changes_and_is_cancelled_and_resumed(
    visitors: Visitors, stack: Stack
) -> None:
    page = visitors.member("olga")
    first, second = (start(page, f"ticked {number}", LONG) for number in (1, 2))
    page.goto("/researches?q=ticked&state=active")
    page.get_by_label(f"Tick research {first}").check()
    page.get_by_label(f"Tick research {second}").check()  # this one has the focus, which would keep it ticked anyway
    third = start(page, "ticked 3", LONG)
    expect(page.locator(f"#research-{third}")).to_be_visible()
    expect(page.get_by_label(f"Tick research {first}")).to_be_checked()
    expect(page.locator("[data-ticked]")).to_have_text("2 ticked")
    page.get_by_label("Tick all on this page").check()
    expect(page.locator("[data-ticked]")).to_have_text("3 ticked")
    page.get_by_role("button", name="Cancel ticked…").click()
    page.get_by_role("button", name="Cancel 3 researches").click()
    expect(page.get_by_text(f"Researches {first}, {second}, {third} are cancelled.")).to_be_visible()
    expect(page.get_by_text("No research fits")).to_be_visible()
    page.goto("/researches?q=ticked&state=cancelled")
    page.get_by_label(f"Tick research {third}").check()
    page.get_by_role("button", name="Resume ticked…").click()
    page.get_by_role("button", name="Resume 1 research").click()
    expect(page.locator(f"#research-{third}")).to_have_count(0)
    stack.manage("research", "cancel", str(third))
    expect(page.locator(f"#research-{third}")).to_be_visible()


def test_own_data_with_an_error_is_explained_mended_and_drawn(visitors: Visitors, tmp_path: Path) -> None:
    page = visitors.member("olga")
    file = tmp_path / "mine.csv"
    good = [f"2020-01-{day:02},10,11,9,{10 + day / 10},100" for day in range(1, 11)]
    file.write_text("\n".join([HEADER, *good[:3], good[3].replace("11,9", "9,11"), *good[4:]]))
    page.goto("/data#load")
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_label("Symbol").fill("ZZZ")
    visitors.forgive()  # the refusal's status is an error to the browser
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_role("alert")).to_contain_text("line 5: high is below low")
    accessible(page)
    file.write_text("\n".join([HEADER, *good]))
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Load").click()
    expect(page).to_have_url(re.compile(r"/data/\d+$"))
    expect(page.get_by_text("10 bars of ZZZ are loaded.")).to_be_visible()
    expect(page.get_by_role("img", name="Closes of ZZZ 1d")).to_be_visible()


def test_a_file_that_is_too_large_is_not_even_sent(visitors: Visitors, tmp_path: Path) -> None:
    page = visitors.member("olga")
    file = tmp_path / "large.csv"
    file.write_bytes(b"1" * (15 * 2**20 + 1))
    page.goto("/data")
    page.get_by_text("Load bars from a CSV file").click()
    field = page.get_by_label("CSV file")
    field.set_input_files(file)
    assert "manage.py data load FILE" in field.evaluate("field => field.validationMessage")
    page.get_by_label("Symbol").fill("ZZZ")
    page.get_by_role("button", name="Load").click()
    expect(page).to_have_url(re.compile("/data$"))
    expect(page.get_by_role("alert")).to_have_count(0)
    file.write_text(HEADER)
    field.set_input_files(file)
    visitors.forgive()  # the refusal's status is an error to the browser
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_role("alert")).to_contain_text("there are no bars under the header")


def test_a_viewer_filters_without_javascript_and_is_offered_nothing_to_do(visitors: Visitors) -> None:
    page = visitors.member("vic", java_script_enabled=False)
    page.goto("/events")
    page.get_by_label("Topic").select_option("system")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"topic=system"))
    for address in ("/researches", "/workers", "/data"):
        page.goto(address)
        expect(page.locator("main").get_by_role("button", name=re.compile("Cancel|Resume|Load"))).to_have_count(0)
        expect(page.locator("main").get_by_role("link", name=re.compile("Drain|Revoke"))).to_have_count(0)
