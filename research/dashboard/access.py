"""Who may see and do what: a viewer reads, an operator acts, a stranger only sees the login."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse

from research.roles import ADMIN, OPERATOR, REVOKE
from research.services.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    View = Callable[..., HttpResponseBase]


def members_only(view: View) -> View:
    """A stranger is sent to the login; a fragment or an action of a script is answered 401 instead."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if wants_fragment(request):
            return HttpResponse("Log in to see this.", status=HTTPStatus.UNAUTHORIZED)
        return redirect_to_login(request.get_full_path())

    return guarded


def wants_fragment(request: HttpRequest) -> bool:
    """The page's script asks for a part of a page, not for a page."""
    return "X-Fragment" in request.headers


def need(request: HttpRequest, permission: str) -> str:
    """The user's name. Raises `Forbidden` for one who may only look."""
    user: Any = request.user
    if not user.has_perm(permission):
        group = ADMIN if permission == REVOKE else OPERATOR
        raise Forbidden(f"{user.get_username()} may look but not do this. Ask for the group “{group}”.")
    return str(user.get_username())
