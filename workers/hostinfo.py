"""What a worker tells about the machine it runs on. Light: nothing here imports NumPy."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FLAGS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "asimd", "sve")


def describe() -> dict[str, Any]:
    """JSON-ready facts: `memory` in bytes, `machine` tells hosts of one name apart, `gpu` None when there is none."""
    return {
        "hostname": socket.gethostname(),
        "machine": _machine(),
        "pid": os.getpid(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpu": _gpu(),
        "cpu": _cpu(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "versions": {"python": platform.python_version(), "numpy": _version("numpy"), "talib": _version("TA-Lib")},
    }


def _machine() -> str:
    identity = _read("/etc/machine-id") or socket.gethostname()
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _cpu() -> dict[str, Any]:
    lines = dict(line.split(":", 1) for line in _read("/proc/cpuinfo").partition("\n\n")[0].splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in lines.items()}
    flags = set((facts.get("flags") or facts.get("Features") or "").split())
    return {"model": facts.get("model name", platform.machine()), "flags": [flag for flag in FLAGS if flag in flags]}


def _gpu() -> str | None:
    for card in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in _read(card).splitlines():
            if line.startswith("Model:"):
                return line.partition(":")[2].strip()
    return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""
