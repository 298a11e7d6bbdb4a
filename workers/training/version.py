"""What has to be equal for results to be equal in every bit."""

from __future__ import annotations

import hashlib
import platform
from typing import Any

import numpy as np

ENGINE = 1  # raised with every change of arithmetic or of a file's form; a checkpoint of another engine is refused


def environment() -> dict[str, str]:
    """Versions and the CPU features that NumPy uses here, to be stored beside results."""
    core: Any = getattr(np, "_core", None)
    features: dict[str, bool] = getattr(getattr(core, "_multiarray_umath", None), "__cpu_features__", {})
    enabled = ",".join(sorted(name for name, there in features.items() if there))
    return {
        "engine": str(ENGINE),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cpu_features_sha256": hashlib.sha256(enabled.encode()).hexdigest(),
    }
