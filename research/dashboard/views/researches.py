"""The list of researches: the page, and its table by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from research.dashboard.access import members_only
from research.dashboard.selectors import researches_list
from research.dashboard.selectors.researches_wanted import Wanted
from research.dashboard.views.actions import start

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


def collection(request: HttpRequest) -> HttpResponseBase:
    """GET lists the researches, POST starts one."""
    return start(request) if request.method == "POST" else show(request)


@members_only
@require_safe
def show(request: HttpRequest) -> HttpResponseBase:
    found = researches_list.page(Wanted.of(request.GET))
    return render(request, "researches/index.html", {"page": found, "wanted": found.wanted} | researches_list.choices())


@members_only
@require_safe
def table(request: HttpRequest) -> HttpResponseBase:
    """The table, as the page was built from."""
    found = researches_list.page(Wanted.of(request.GET))
    return render(request, "researches/table.html", {"page": found, "wanted": found.wanted})
