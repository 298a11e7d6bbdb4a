"""Small builders for check constraints."""

from __future__ import annotations

from django.db import models


def among(column: str, choices: type[models.TextChoices], name: str, *, blank: bool = False) -> models.CheckConstraint:
    """The column holds one of the choices: choices alone bind only forms, not raw SQL."""
    values = [*choices.values, ""] if blank else list(choices.values)
    return models.CheckConstraint(name=name, condition=models.Q(**{f"{column}__in": values}))
