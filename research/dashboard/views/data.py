"""The market data: what there is, one dataset, and loading a file."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from research.dashboard.access import members_only, need
from research.dashboard.selectors import data_list
from research.dashboard.uploads import LoadForm
from research.dashboard.views.answers import in_words
from research.roles import START
from research.services.errors import NotFound

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, HttpResponseBase


def collection(request: HttpRequest) -> HttpResponseBase:
    """GET lists the datasets, POST loads one more."""
    return load(request) if request.method == "POST" else show(request)


@members_only
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    return _page(request, LoadForm())


@members_only
@require_safe
def part(request: HttpRequest) -> HttpResponse:
    """The list, as the page was built from."""
    return render(request, "data/list.html", {"data": data_list.data()})


@members_only
@require_POST
@in_words
def load(request: HttpRequest) -> HttpResponse:
    """Store the bars of the file sent; a file that is refused leaves nothing behind."""
    user = need(request, START)
    form = LoadForm(request.POST, request.FILES)
    loaded = form.load(user) if form.is_valid() else None
    if loaded is None:
        return _page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    said = "are loaded" if loaded.new else "were loaded before"
    messages.success(request, f"{loaded.dataset.bars:,} bars of {loaded.dataset.symbol} {said}.")
    return HttpResponseRedirect(reverse("dataset", args=[loaded.dataset.pk]))


@members_only
@require_safe
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """A dataset, or in words that there is none."""
    try:
        found = data_list.one(pk)
    except NotFound:
        return render(request, "data/missing.html", {"pk": pk}, status=HTTPStatus.NOT_FOUND)
    return render(request, "data/one.html", {"one": found, "dataset": found.row.dataset})


def _page(request: HttpRequest, form: LoadForm, status: int = HTTPStatus.OK) -> HttpResponse:
    return render(request, "data/index.html", {"data": data_list.data(), "form": form}, status=status)
