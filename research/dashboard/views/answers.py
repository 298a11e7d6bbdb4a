"""What an action is answered with: a notice where its script asked, else a redirect or a page; refusals in words."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render

from research.dashboard.access import wants_fragment
from research.dashboard.going import back
from research.services.errors import ServiceError

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, HttpResponseBase

    from research.dashboard.access import View


def done(request: HttpRequest, text: str, *, at: str) -> HttpResponse:
    """It is done; `at` is the page that shows it."""
    if wants_fragment(request):
        return render(request, "overview/notice.html", {"tone": "good", "text": text, "at": at}, status=201)
    messages.success(request, text)
    return HttpResponseRedirect(back(request, at))


def refused(request: HttpRequest, problem: ServiceError) -> HttpResponse:
    """It is not done; the page says why."""
    context = {"tone": "bad", "text": str(problem), "status": problem.status, "at": back(request)}
    template = "overview/notice.html" if wants_fragment(request) else "overview/refused.html"
    return render(request, template, context, status=problem.status)


def in_words(view: View) -> View:
    """Answer what a service refuses."""

    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except ServiceError as problem:
            return refused(request, problem)

    return answering
