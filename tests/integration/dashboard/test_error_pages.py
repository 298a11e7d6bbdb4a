"""What went wrong is said on a page like the others."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from tests.integration.services_data import rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_that_makes_no_sense_is_answered_so(viewer: Client) -> None:
    answer = viewer.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "The request cannot be understood" in text
    assert "ktrdr/base.css" in text
    assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_a_form_that_is_too_old_is_told_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_superuser("ada", password="x"))
    parent = rows.research()
    answer = client.post(reverse("research-cancel", args=[parent.pk]))
    text = answer.content.decode()
    assert (answer.status_code, "Nothing was done" in text, "ktrdr/base.css" in text) == (403, True, True)


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_each_needs_nothing_to_be_drawn(name: str) -> None:
    text = render_to_string(f"{name}.html")
    assert 'href="/"' in text
    assert " style=" not in text
