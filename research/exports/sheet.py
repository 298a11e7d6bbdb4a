"""The tear sheet: the page of a research as one HTML file that needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from research.dashboard.selectors.research_parts import PARTS
from research.dashboard.selectors.research_rows import Rows

if TYPE_CHECKING:
    from research.models import Research

STYLES = ("base.css", "components.css", "research.css", "chart.css")
# What makes the page live, and the figures that its scripts read.
_LIVE = re.compile(r' data-(?:live|fragment|age|age-style)="[^"]*"|<script [^>]*type="application/json">.*?</script>')


def sheet(research: Research) -> str:
    """HTML without scripts, links or anything fetched; light or dark as its reader prefers."""
    rows = Rows(research.pk)
    context = {name: read(rows) for name, read in PARTS.items()}
    styles = mark_safe(_styles())  # noqa: S308 - our own files
    page = render_to_string("exports/sheet.html", context | {"research": research, "styles": styles})
    return _LIVE.sub("", page)


def _styles() -> str:
    return "\n".join(_found(name).read_text() for name in STYLES)


def _found(name: str) -> Path:
    return Path(str(finders.find(f"ktrdr/{name}")))
