"""Calling commands as a user does, and reading what they say."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def said(*command: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def answer(*command: str) -> Any:
    """What it answers with --json."""
    return json.loads(said(*command, "--json"))


def refusal(*command: str) -> CommandError:
    """The error it ends with."""
    with pytest.raises(CommandError) as caught:
        said(*command)
    return caught.value
