"""The events: a page of them, and those that fit as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from research.dashboard.access import members_only
from research.dashboard.selectors import events_export, events_list
from research.dashboard.selectors.events_wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from django.http import HttpRequest, HttpResponse

FORMS = {"csv": ("text/csv", events_export.as_csv), "json": ("application/json", events_export.as_json)}


@members_only
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    page = events_list.page(Wanted.of(request.GET))
    return render(request, "events/index.html", {"page": page, "wanted": page.wanted} | events_list.choices())


@members_only
@require_safe
def part(request: HttpRequest) -> HttpResponse:
    """The list, as the page was built from."""
    page = events_list.page(Wanted.of(request.GET))
    return render(request, "events/list.html", {"page": page, "wanted": page.wanted})


@members_only
@require_safe
def export(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """At most `events_export.MOST` of those that fit, the newest first."""
    if form not in FORMS:
        raise Http404(f"Events are exported as {' or '.join(FORMS)}.")
    kind, write = FORMS[form]
    pieces = write(Wanted.of(request.GET))
    answer = StreamingHttpResponse(
        _awaited(pieces) if isinstance(request, ASGIRequest) else pieces, content_type=f"{kind}; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="ktrdr-events.{form}"'
    return answer


async def _awaited(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The same for an asynchronous server, which would otherwise gather all of it first."""
    following = sync_to_async(lambda: next(pieces, None))
    while (piece := await following()) is not None:
        yield piece
