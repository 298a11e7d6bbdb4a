"""Throw-away servers in folders of all kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ktrdr_site.localpg import Server
from tests.support.stack import FAST, forget_socket_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def server_in(tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """`server_in("folder")`: a server of its own in that folder, not started; stopped at the end."""
    made: list[Server] = []

    def make(folder: str = "data", account: str = "") -> Server:
        made.append(Server(tmp_path / folder, options=FAST, account=account))
        return made[-1]

    yield make
    for server in made:
        server.stop()
        forget_socket_folder(server.place.data_dir)
