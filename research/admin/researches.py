"""Researches, their operations, and what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from research.admin.base import ReadOnly, username
from research.coordinator.tasks import resume_if_needed
from research.models import Dataset, Holdout, Operation, Research, Schedule, Strategy
from research.services import researches

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Research)
class ResearchAdmin(ReadOnly):
    list_display = ["id", "state", "reason", "brief", "symbol", "timeframe", "priority", "strategy", "created_at"]
    list_filter = ["state", "reason", "symbol", "timeframe", "designer"]
    list_select_related = ["strategy"]
    search_fields = ["brief", "strategy__name"]
    ordering = ["-id"]
    actions = ["cancel", "resume"]

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Research]) -> None:
        by = username(request)
        self.each(request, _ids(chosen), lambda pk: researches.cancel(pk, user=by), "cancelled")

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Research]) -> None:
        by = username(request)
        self.each(request, _ids(chosen), lambda pk: researches.resume(pk, user=by), "resumed")
        resume_if_needed()


@admin.register(Operation)
class OperationAdmin(ReadOnly):
    list_display = [
        "id",
        "research_id",
        "kind",
        "status",
        "reason",
        "attempt",
        "continues_id",
        "unit",
        "units",
        "runner",
    ]
    list_filter = ["kind", "status", "reason"]
    search_fields = ["=research__id", "runner", "message"]
    ordering = ["-id"]


@admin.register(Schedule)
class ScheduleAdmin(ReadOnly):
    list_display = ["id", "brief", "every_s", "next_at", "started", "last_id", "created_by", "ended_at", "problem"]
    search_fields = ["brief"]
    ordering = ["-id"]


@admin.register(Holdout)
class HoldoutAdmin(ReadOnly):
    list_display = ["symbol", "timeframe", "begins_at", "opened"]


@admin.register(Strategy)
class StrategyAdmin(ReadOnly):
    list_display = ["name", "origin", "sha256", "created_at"]
    list_filter = ["origin"]
    search_fields = ["name", "sha256"]
    ordering = ["-id"]


@admin.register(Dataset)
class DatasetAdmin(ReadOnly):
    list_display = ["id", "symbol", "timeframe", "bars", "first_at", "last_at", "source", "loaded_at"]
    list_filter = ["symbol", "timeframe"]
    search_fields = ["symbol", "source", "sha256"]


def _ids(chosen: QuerySet[Any]) -> list[int]:
    return list(chosen.order_by("pk").values_list("pk", flat=True))
