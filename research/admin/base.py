"""What every page of the admin has in common: rows are written by services alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.urls import reverse

from research.services.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model
    from django.http import HttpRequest


class ReadOnly(admin.ModelAdmin):
    """A record: looked at by whoever has the view permission, added, changed and deleted by nobody."""

    show_full_result_count = False  # counting millions of events to say "of 3,000,000" helps nobody
    list_per_page = 50

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """May use this page's actions: whoever could change such a row, were it not a record."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))

    def view_on_site(self, obj: Model) -> str | None:
        """The page of the dashboard that shows the row."""
        research = obj.pk if self.opts.model_name == "research" else getattr(obj, "research_id", None)
        return reverse("research", args=[research]) if research else reverse("overview")

    def each(self, request: HttpRequest, what: Iterable[Any], act: Callable[[Any], object], done: str) -> None:
        """Apply a service to each; a refusal is shown and hinders none of the others."""
        count = 0
        for one in what:
            try:
                act(one)
            except ServiceError as refusal:
                self.message_user(request, str(refusal), messages.WARNING)
            else:
                count += 1
        if count:
            self.message_user(request, f"{count} {done}.", messages.SUCCESS)


def username(request: HttpRequest) -> str:
    return str(request.user.get_username())
