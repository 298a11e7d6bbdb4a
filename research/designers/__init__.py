"""Designers propose specifications. They know no Django and keep no state: all they know is in the brief."""

from __future__ import annotations

from research.designers import evolution
from research.designers.base import Brief, Designer, Memory, Proposal
from workers.strategy.problems import did_you_mean

__all__ = ["Brief", "Designer", "Memory", "Proposal", "UnknownDesigner", "get", "names"]

_DESIGNERS: dict[str, Designer] = {"evolution": evolution.Evolution()}


class UnknownDesigner(LookupError):
    """There is no designer of this name; the message says which there are."""


def names() -> list[str]:
    """Names of all designers, alphabetically."""
    return sorted(_DESIGNERS)


def get(name: str) -> Designer:
    """The designer `name`. Raises `UnknownDesigner`."""
    try:
        return _DESIGNERS[name]
    except KeyError:
        raise UnknownDesigner(f"unknown designer {name!r}; {did_you_mean(name, names())}") from None
