"""The audit records: events, trials, what runners saved."""

from __future__ import annotations

from django.contrib import admin

from research.admin.base import ReadOnly
from research.models import Artifact, Checkpoint, Event, EventCounter, Measure, Trial


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["seq", "at", "level", "code", "message", "research_id", "operation_id", "worker", "user"]
    list_filter = ["topic", "level", "code"]
    search_fields = ["=research_id", "=operation_id", "worker", "user", "message"]
    ordering = ["-seq"]


@admin.register(EventCounter)
class EventCounterAdmin(ReadOnly):
    list_display = ["id", "last"]


@admin.register(Trial)
class TrialAdmin(ReadOnly):
    list_display = ["id", "research_id", "symbol", "timeframe", "verdict", "sharpe", "dsr", "created_at"]
    list_filter = ["verdict", "symbol", "timeframe"]
    search_fields = ["=research_id", "strategy_sha256"]
    ordering = ["-id"]


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnly):
    list_display = ["id", "operation_id", "unit", "size", "sha256", "created_at", "pruned_at", "unusable"]
    search_fields = ["=operation__id", "sha256"]
    ordering = ["-id"]


@admin.register(Artifact)
class ArtifactAdmin(ReadOnly):
    list_display = ["id", "operation_id", "name", "size", "sha256", "created_at"]
    list_filter = ["name"]
    search_fields = ["=operation__id", "sha256"]
    ordering = ["-id"]


@admin.register(Measure)
class MeasureAdmin(ReadOnly):
    list_display = ["operation_id", "unit", "values"]
    search_fields = ["=operation__id"]
    ordering = ["-id"]
