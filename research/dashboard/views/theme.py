"""Light or dark, kept in a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.views.decorators.http import require_POST

from research.dashboard.going import back

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_YEAR_S = 365 * 86400
_OTHER = {"dark": "light", "light": "dark"}


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """The other theme; the first time the dark one, since the server cannot see what the system prefers."""
    answer = HttpResponseRedirect(back(request))
    chosen = _OTHER.get(request.COOKIES.get("theme", ""), "dark")
    answer.set_cookie("theme", chosen, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure())
    return answer
