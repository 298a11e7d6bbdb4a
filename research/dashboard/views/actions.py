"""What operators do. GET asks for confirmation where something is ended; POST does it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from research.coordinator.tasks import resume_if_needed
from research.dashboard.access import members_only, need, wants_fragment
from research.dashboard.forms import StartForm
from research.dashboard.going import back
from research.dashboard.views.answers import done, in_words
from research.dashboard.views.overview import page
from research.roles import CHANGE, DRAIN, REVOKE, START
from research.selectors import researches as researches_read
from research.services import researches, tokens, workers
from research.services.errors import Invalid

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

SURE = "overview/confirm_part.html", "overview/confirm.html"


@members_only
@require_POST
@in_words
def start(request: HttpRequest) -> HttpResponse:
    """Start a research from the overview's form."""
    need(request, START)
    form = StartForm(request.POST)
    if not form.is_valid():
        if wants_fragment(request):
            raise Invalid(form.problems)
        return page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    made = researches.create(**form.values, user=request.user)
    resume_if_needed()
    return done(request, f"Research {made.pk} is created.", at=made.get_absolute_url())


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
@in_words
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a research that is not over."""
    user = need(request, CHANGE)
    at = reverse("research", args=[pk])
    if request.method == "POST":
        researches.cancel(pk, user=user)
        return done(request, f"Research {pk} is cancelled.", at=at)
    research = researches_read.get(pk)
    return _ask(
        request, at, title=f"Cancel research {pk}?", button="Cancel the research", text=research.brief,
        consequence="What it runs is stopped. You can resume it later: it goes on from its last checkpoint.",
    )  # fmt: skip


@members_only
@require_POST
@in_words
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a failed or cancelled research active again."""
    researches.resume(pk, user=need(request, CHANGE))
    resume_if_needed()
    return done(request, f"Research {pk} goes on where it stopped.", at=reverse("research", args=[pk]))


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
@in_words
def drain(request: HttpRequest, name: str) -> HttpResponse:
    """Have a worker hand over its work and leave."""
    user = need(request, DRAIN)
    if request.method == "POST":
        workers.drain(name, user=user)
        return done(request, f"Worker {name} hands over its work and leaves.", at=reverse("overview"))
    return _ask(
        request, back(request, reverse("overview")), title=f"Drain worker {name}?", button="Drain the worker", text="",
        consequence="It saves a checkpoint, hands over what it runs and ends. Nothing is lost.",
    )  # fmt: skip


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
@in_words
def revoke(request: HttpRequest, name: str) -> HttpResponse:
    """Make every token of this name useless."""
    user = need(request, REVOKE)
    at = reverse("workers")
    if request.method == "POST":
        count = tokens.revoke(name, user=user)
        return done(request, f"{count} token{'s' if count > 1 else ''} for {name} revoked.", at=at)
    return _ask(
        request, at, title=f"Revoke the tokens for {name}?", button="Revoke", text="",
        consequence=f"Workers {name}, {name}-1, {name}-2, … are refused from now on; what they run goes to others when "
        "their leases end. This cannot be undone: new workers need a new token.",
    )  # fmt: skip


def _ask(request: HttpRequest, at: str, **words: str) -> HttpResponse:
    part, whole = SURE
    return render(request, part if wants_fragment(request) else whole, {"at": at, "action": request.path, **words})
