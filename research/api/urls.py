"""Addresses for programs: probes, metrics, the API."""

from django.urls import path

from research.api.app import api
from research.api.health import healthz, readyz
from research.api.metrics import metrics

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("api/v1/", api.urls),
]
