"""Where to go after a form: only to a page of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from django.http import HttpRequest


def back(request: HttpRequest, otherwise: str = "") -> str:
    """The form's `next`, if it stays on this host; otherwise the given address or the overview."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else otherwise or reverse("overview")
