"""Django's secret key: given, or made once and kept in the data folder."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def secret_key(data_dir: Path) -> str:
    """The key of this data folder, 64 bytes of randomness; whoever asks first makes it, all get the same one."""
    path = data_dir / "secrets" / "secret_key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _publish(path, secrets.token_urlsafe(64))
    return path.read_text()


def _publish(path: Path, key: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # fails if another process published first: its key stands
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
