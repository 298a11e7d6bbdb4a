"""The list of fault points is read from the source; a name that cannot be told from it is refused."""

from __future__ import annotations

import ast

import pytest

from tests.acceptance.faults.points import _in, named


def test_the_points_are_found_by_their_names_and_by_every_value_of_a_placeholder() -> None:
    tree = ast.parse("point('a.b')\nfaults.point(f'worker.{blob.kind}.sent')\nother.point('not.ours')")
    assert set(_in(tree)) == {"a.b", "worker.checkpoint.sent", "worker.artifact.sent"}


@pytest.mark.parametrize("call", ["point(name)", "point(f'{unheard_of}.done')"])
def test_a_point_whose_name_cannot_be_told_is_refused(call: str) -> None:
    with pytest.raises(AssertionError, match="line 1"):
        list(_in(ast.parse(call)))


def test_there_are_points_in_every_room_that_writes() -> None:
    rooms = {name.partition(".")[0] for name in named()}
    assert rooms >= {
        "coordinator",
        "leader",
        "design",
        "assessment",
        "checkpoint",
        "artifact",
        "sync",
        "worker",
        "training",
    }
