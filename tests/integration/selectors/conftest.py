"""Blobs go to a folder of the test's own."""

from __future__ import annotations

from tests.integration.services_data.conftest import *  # noqa: F403 - the same fixtures
