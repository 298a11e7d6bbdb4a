"""Who may see and do what: a viewer reads, an operator acts, a stranger only sees the login."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse

from research.services.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    View = Callable[..., HttpResponseBase]

OPERATOR, VIEWER = "operator", "viewer"
START, CHANGE, DRAIN = "research.add_research", "research.change_research", "research.change_worker"
_OPERATES = (START, CHANGE, DRAIN)


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
        raise Forbidden(f"{user.get_username()} may look but not do this. Ask for the group “{OPERATOR}”.")
    return str(user.get_username())


def role_of(user: Any) -> str:
    """`administrator`, `operator` or `viewer`."""
    if user.is_superuser:
        return "administrator"
    return OPERATOR if user.has_perm(CHANGE) else VIEWER


def make_groups(**_signal: Any) -> None:
    """The groups, with their permissions, where they are missing; receiver of `post_migrate`, after Django's own."""
    from django.contrib.auth.models import Group, Permission

    rights = {VIEWER: ("research.view_research",), OPERATOR: (*_OPERATES, "research.view_research")}
    for name, permissions in rights.items():
        group, new = Group.objects.get_or_create(name=name)
        if not new:
            continue  # what an administrator changed stays
        codenames = [permission.split(".")[1] for permission in permissions]
        group.permissions.set(Permission.objects.filter(content_type__app_label="research", codename__in=codenames))
