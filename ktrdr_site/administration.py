"""The admin as KTRDR has it: operators and admins enter by their role, and find the way back to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig

from research.roles import administers

if TYPE_CHECKING:
    from django.http import HttpRequest


class Site(AdminSite):
    site_header = "KTRDR administration"
    site_title = "KTRDR"
    index_title = "Records: everything can be looked at, and changed only by the actions offered"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        return administers(request.user)


class Config(AdminConfig):
    default_site = "ktrdr_site.administration.Site"
