"""Results as plain JSON: what the engine returns may hold NumPy scalars and numbers that are not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def plain(value: Any) -> Any:
    """The same value of JSON types only; NaN and infinities become null. Raises TypeError for anything else."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    raise TypeError(f"the engine's result holds a {type(value).__name__}: only JSON types and NumPy numbers go out")
