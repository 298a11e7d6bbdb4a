"""Cancel or resume several researches at once. GET asks, POST does it and tells what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from research.coordinator.tasks import resume_if_needed
from research.dashboard.access import members_only, need
from research.dashboard.going import back
from research.dashboard.views.answers import in_words
from research.lifecycle.states import ENDED, RESUMABLE
from research.models import Research
from research.roles import CHANGE
from research.services import researches
from research.services.errors import Invalid, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

MOST = 500


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to each, in words: `Cancel` … `cancelled`. `fits` says, by its state, whether it can be done."""

    verb: str
    done: str
    consequence: str
    act: Callable[..., object]
    fits: Callable[[str], bool]
    danger: bool


CANCEL = Deed(
    "Cancel", "cancelled", "What is running is stopped. It can be resumed later: it goes on from its last checkpoint.",
    researches.cancel, lambda state: state not in ENDED, danger=True,
)  # fmt: skip
RESUME = Deed(
    "Resume", "resumed", "It goes on where it stopped, as soon as there is a place.",
    researches.resume, lambda state: state in RESUMABLE, danger=False,
)  # fmt: skip


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
@in_words
def cancel(request: HttpRequest) -> HttpResponse:
    """Cancel those picked that are not over."""
    return _answer(request, CANCEL)


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
@in_words
def resume(request: HttpRequest) -> HttpResponse:
    """Resume those picked that failed or were cancelled."""
    return _answer(request, RESUME)


def _answer(request: HttpRequest, deed: Deed) -> HttpResponse:
    user = need(request, CHANGE)
    picked = _picked(request)
    at = back(request, reverse("researches"))
    if request.method != "POST":
        rows = list(Research.objects.filter(pk__in=picked).only("id", "brief", "state").order_by("id"))
        able = [row for row in rows if deed.fits(row.state)]
        context = {"deed": deed, "able": able, "unable": [row for row in rows if row not in able], "at": at}
        return render(request, "researches/confirm.html", context)
    _do(request, deed, picked, user)
    return HttpResponseRedirect(at)


def _picked(request: HttpRequest) -> list[int]:
    given = (request.POST if request.method == "POST" else request.GET).getlist("pick")
    found = sorted({int(one) for one in given if one.isascii() and one.isdecimal() and len(one) < 19})
    if not found:
        raise Invalid("No research is ticked. Go back and tick those it is about.")
    if len(found) > MOST:
        raise Invalid(f"{len(found)} researches are ticked; at most {MOST} can be changed at once.")
    return found


def _do(request: HttpRequest, deed: Deed, picked: list[int], user: str) -> None:
    """Each by itself: that one is refused stops none of the others."""
    done: list[int] = []
    for pk in picked:
        try:
            deed.act(pk, user=user)
        except ServiceError as problem:
            messages.error(request, str(problem))
        else:
            done.append(pk)
    resume_if_needed()
    if done:
        many = f"Researches {', '.join(map(str, done))} are" if len(done) > 1 else f"Research {done[0]} is"
        messages.success(request, f"{many} {deed.done}.")
