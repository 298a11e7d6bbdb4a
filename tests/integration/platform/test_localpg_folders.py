"""The embedded PostgreSQL runs in whatever folder and for whatever user it is asked to."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import LocalPostgresError, Place, Server
from ktrdr_site.localpg.connection import connect
from tests.support.processes import assert_no_process_left
from tests.support.stack import FAST, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change user")


@pytest.mark.parametrize("folder", ["with a space", "with,comma", "with 'quotes\"", "long-" * 30])
def test_the_folder_may_have_any_name(server_in: Callable[[str], Server], folder: str) -> None:
    server = server_in(folder)
    server.start()
    with connect(server.place) as connection:
        row = connection.execute("SELECT current_database()").fetchone()
    assert row == ("ktrdr",)
    assert len(os.fsencode(server.place.socket_dir)) < 90


def test_only_its_user_can_reach_it(server_in: Callable[[str], Server]) -> None:
    server = server_in("data")
    server.start()
    assert stat.S_IMODE(server.place.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.place.data.stat().st_mode) == 0o700
    with connect(server.place) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_short_socket_folder_that_others_can_enter_is_refused(server_in: Callable[[str], Server]) -> None:
    server = server_in("long-" * 30)
    folder = server.place.socket_dir
    folder.mkdir(mode=0o755)
    try:
        with pytest.raises(LocalPostgresError, match="not a private folder"):
            server.start()
    finally:
        folder.rmdir()
    server.start()


@as_root
def test_root_runs_it_below_a_folder_closed_to_all_others_and_leaves_the_folder_closed(
    tmp_path: Path, server_in: Callable[[str], Server]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = server_in("closed/data")
    server.start()
    assert server.running()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_root_can_have_it_run_as_an_unprivileged_account(server_in: Callable[..., Server]) -> None:
    server = server_in("data", account="nobody")
    home = Path("/var/lib/ktrdr") / server.place.key
    try:
        server.start()
        pid = server.pid()
        assert pid is not None
        assert psutil.Process(pid).username() == "nobody"
        again = Server(server.place.data_dir)  # who was not told finds it as well
        assert again.running()
        assert again.pid() == pid
        assert again.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@as_root
def test_an_ordinary_user_runs_it_as_that_user() -> None:
    folder = Path(tempfile.mkdtemp(prefix="ktrdr ordinary "))
    shutil.chown(folder, "nobody")
    code = "import sys; from pathlib import Path; from ktrdr_site.localpg import Server; import psutil; "
    code += f"s = Server(Path(sys.argv[1]), options={FAST!r}); s.start(); "
    code += "print(psutil.Process(s.pid()).username()); s.stop()"
    try:
        done = subprocess.run(
            [_python_for_all(), "-c", code, str(folder / "data")],
            user="nobody",
            group=65534,
            extra_groups=[],
            env=clean_environment(folder / "data", {"PYTHONPATH": str(Path(psutil.__file__).parent.parent)}),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip() == "nobody", done.stderr
        assert_no_process_left(folder / "data")
    finally:
        shutil.rmtree(folder)


@as_root
def test_root_is_told_when_the_data_are_another_users(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.data.mkdir()
    shutil.chown(place.data, "nobody")
    with pytest.raises(LocalPostgresError, match="start KTRDR as that user"):
        Server(tmp_path).start()


def _python_for_all() -> str:
    """A Python of this version that every user may run: this one may stand in root's own folder."""
    show = "import sys; print(sys.version_info[:2])"
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            said = subprocess.run(
                [python, "-c", show], user="nobody", capture_output=True, text=True, check=False
            ).stdout
        except OSError:
            continue
        if said.strip() == str(sys.version_info[:2]):
            return python
    pytest.skip("no Python here that an ordinary user may run")
