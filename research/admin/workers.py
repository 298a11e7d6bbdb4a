"""Workers, their sessions and their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from research.admin.base import ReadOnly, username
from research.models import Worker, WorkerSession, WorkerToken
from research.services import tokens, workers

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    list_display = ["name", "kinds", "session", "last_seen_at", "draining", "drain_requested", "idle", "entry"]
    list_filter = ["draining", "drain_requested", "idle"]
    search_fields = ["name", "entry"]
    actions = ["drain"]

    @admin.action(description="Drain: hand over work and leave", permissions=["operate"])
    def drain(self, request: HttpRequest, chosen: QuerySet[Worker]) -> None:
        by, names = username(request), list(chosen.values_list("name", flat=True))
        self.each(request, names, lambda name: workers.drain(name, user=by), "asked to leave")


@admin.register(WorkerSession)
class WorkerSessionAdmin(ReadOnly):
    list_display = ["id", "worker", "incarnation", "offered_at", "confirmed_at", "ended_at"]
    list_select_related = ["worker"]
    search_fields = ["worker__name", "incarnation"]


@admin.register(WorkerToken)
class WorkerTokenAdmin(ReadOnly):
    """A token is made with `manage.py workers create-token`, which shows it; only its hash is kept, and not shown."""

    list_display = ["name", "created_at", "revoked_at"]
    search_fields = ["name"]
    exclude = ["sha256"]
    ordering = ["name", "-id"]
    actions = ["revoke"]

    @admin.action(description="Revoke all tokens of these names", permissions=["operate"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[WorkerToken]) -> None:
        by, names = username(request), sorted(set(chosen.values_list("name", flat=True)))
        self.each(request, names, lambda name: tokens.revoke(name, user=by), "names: all tokens revoked")
