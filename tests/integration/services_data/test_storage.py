"""How much disk is used is shown to the operator."""

from __future__ import annotations

import pytest
from django.conf import settings

from ktrdr_site.doctor import examine
from research.selectors import storage
from tests.integration.services_data import rows
from tests.integration.services_data.test_checkpoints import send, send_artifact

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_stored_is_counted_by_kind_without_what_was_let_go() -> None:
    training = rows.running(rows.worker())
    for unit in (1, 2, 3):
        send(training, unit, b"x" * 2**20)
    send_artifact(training, "model.safetensors", b"y" * 2**19)
    found = {one.what: (one.count, one.size) for one in storage.usage()}
    assert found["checkpoints"] == (2, 2 * 2**20)
    assert found["artifacts"] == (1, 2**19)
    assert found["datasets"][0] == 1
    [said] = [finding for finding in examine(settings.ENV) if finding.what == "stored"]
    assert said.ok
    assert said.found.startswith("2 checkpoints, 2.0 MiB; 1 artifacts, 0.5 MiB; 1 datasets, ")
