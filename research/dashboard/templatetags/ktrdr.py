"""Tags and filters of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils import timezone
from django.utils.html import format_html

from research import roles
from research.dashboard import words
from research.lifecycle.states import TONE
from research.models import EventCounter, Level
from research.selectors.workers import WORKER_TONE

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.safestring import SafeString

register = template.Library()
_LEVEL_TONE = {Level.INFO.value: "quiet", Level.WARNING.value: "warn", Level.ERROR.value: "bad"}
_VERDICT_TONE = {"promising": "good", "inconclusive": "warn", "reject": "quiet"}
_TONES: dict[str, str] = {**TONE, **WORKER_TONE, **_LEVEL_TONE, **_VERDICT_TONE}


@register.filter
def tone(state: str) -> str:
    """CSS class of the colour of a state, of a worker's state, of an event's level or of a verdict."""
    return f"tone-{_TONES.get(state, 'quiet')}"


@register.simple_tag
def age(moment: datetime | None, style: str = "") -> SafeString | str:
    """`<time>` that ticks: "5 s ago", or with style "elapsed" just "5 s". Nothing for no time."""
    if moment is None:
        return ""
    said = words.duration((timezone.now() - moment).total_seconds())
    return format_html(
        '<time datetime="{0}" data-age="{0}" title="{1}"{2}>{3}</time>',
        moment.isoformat(), words.absolute(moment),
        format_html(' data-age-style="{}"', style) if style else "", said if style == "elapsed" else f"{said} ago",
    )  # fmt: skip


@register.filter
def absolute(moment: datetime | None) -> str:
    """`2026-07-01 12:00:00 UTC`."""
    return "" if moment is None else words.absolute(moment)


@register.filter
def duration(seconds: float | None) -> str:
    """`3 min`, `2 h 10 min`; nothing for None."""
    return "" if seconds is None else words.duration(seconds)


@register.filter
def percent(fraction: float | None) -> str:
    """0.25 → `25 %`; nothing for None."""
    return "" if fraction is None else f"{100 * fraction:.0f} %"


@register.filter
def thousands(number: int | None) -> str:
    """12345 → `12,345`; nothing for None."""
    return "" if number is None else f"{number:,}"


@register.filter
def rate(per_second: float) -> str:
    """Three figures that count: `0.0123`, `1.23`, `12.3`, `1,234`."""
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.3g}"


@register.filter
def plain(number: float) -> str:
    """A plain number for an attribute."""
    return f"{number:.4f}"


@register.filter
def role(user: Any) -> str:
    """What the user may do here, in a word."""
    return roles.role_of(user)


@register.filter
def administers(user: Any) -> bool:
    """May enter Django's admin."""
    return roles.administers(user)


@register.simple_tag
def now_iso() -> str:
    return timezone.now().isoformat()


@register.simple_tag
def now_words() -> str:
    return words.absolute(timezone.now())


@register.simple_tag
def newest_event() -> int:
    """Number of the newest event: the page asks for those after it."""
    return EventCounter.objects.filter(pk=1).values_list("last", flat=True).first() or 0


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> SafeString | str:
    """The `data-theme` that the reader chose, if any."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme") if request else None
    return format_html(' data-theme="{}"', chosen) if chosen in {"light", "dark"} else ""
