"""What the backend knows of itself."""

from __future__ import annotations

from django.contrib import admin

from research.admin.base import ReadOnly
from research.models import Cluster, Cover, Term, WebProcess


@admin.register(Term)
class TermAdmin(ReadOnly):
    list_display = ["id", "label", "started_at", "lease_expires_at", "ended_at", "amnesty_until", "amnesty_reason"]
    ordering = ["-id"]


@admin.register(Cluster)
class ClusterAdmin(ReadOnly):
    list_display = ["id", "label", "started_at", "noted_at", "stamped_at", "drain_until", "ended_at"]
    ordering = ["-started_at"]


@admin.register(Cover)
class CoverAdmin(ReadOnly):
    list_display = ["up_since", "noted_at", "silence_since", "silence_ended"]


@admin.register(WebProcess)
class WebProcessAdmin(ReadOnly):
    list_display = ["id", "label", "started_at", "noted_at", "backend_pid"]
    ordering = ["-started_at"]
