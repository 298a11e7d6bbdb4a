"""What a worker sends may hold what PostgreSQL cannot: a call must never fail for ever because of one odd value."""

from __future__ import annotations

import math
from typing import Any


def storable(value: Any) -> Any:
    """The value without null characters (U+FFFD instead) and with None for figures that are not finite."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {storable(key): storable(one) for key, one in value.items()}
    return [storable(one) for one in value] if isinstance(value, list) else value


def must_be_storable(result: dict[str, Any]) -> None:
    """Raises ValueError: a result is accepted as it is, or not at all."""
    odd = [name for name, value in result.items() if storable(name) != name or storable(value) != value]
    if odd:
        names = storable(", ".join(odd))
        raise ValueError(f"{names} holds a figure that is not finite, or a null character, which cannot be stored")
