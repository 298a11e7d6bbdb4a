"""The description of the API works in a browser with nothing from outside and under our own content policy."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import sync_playwright

from tests.integration.commands.process import Running
from tests.support.processes import free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Request

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a web server as in production."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urlopen(f"{address}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except URLError:
            return False

    with Running(tmp_path, "web", "--port", str(port)):
        wait_until(answers, what="the web server answers")
        yield address


def test_the_description_is_drawn_from_what_we_serve_ourselves(site: str) -> None:
    complaints: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith((site, "data:")):
            complaints.append(f"asked for {request.url}")

    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", watch)
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.goto(f"{site}/api/v1/docs")
        page.locator("[data-path='/api/v1/researches/{research}/resumption']").wait_for(timeout=20_000)
        browser.close()
    assert complaints == []
