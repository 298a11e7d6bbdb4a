"""What the child says, as plain JSON and as events; and how a worker is told its slots."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from workers import hostinfo
from workers.agent.notices import understand
from workers.child.plain import plain
from workers.slots import _without


def test_numbers_of_numpy_go_out_plain_and_what_is_not_finite_as_null() -> None:
    said = plain(
        {"a": np.float32(0.5), "b": [np.int64(3), math.nan], "c": np.array([1.0, math.inf]), "d": (True, None)}
    )
    assert json.loads(json.dumps(said)) == {"a": 0.5, "b": [3, None], "c": [1.0, None], "d": [True, None]}


def test_anything_else_does_not_go_out() -> None:
    with pytest.raises(TypeError, match="holds a set"):
        plain({"a": {1}})


@pytest.mark.parametrize("line", [b"", b"hello", b"[]", b'{"event": "progress", "unit": -1}', b'{"unit": 1}'])
def test_a_line_that_makes_no_sense_ends_nobodys_work(line: bytes) -> None:
    assert understand(1, line) is None


def test_a_checkpoint_notice_names_its_unit() -> None:
    told = understand(1, b'{"event": "checkpoint", "unit": 5, "size": 10}')
    assert told is not None
    assert (told.operation, told.checkpoint) == (1, 5)


def test_slots_hand_on_every_argument_but_their_own() -> None:
    given = ["--name", "w", "--slots=3", "--kinds", "training", "--url", "http://x", "--name=v", "--slots", "2"]
    assert _without(given, {"--slots", "--name"}) == ["--kinds", "training", "--url", "http://x"]


def test_a_host_tells_what_it_is() -> None:
    host = hostinfo.describe()
    assert host["memory"] > 2**20
    assert host["versions"]["numpy"] == np.__version__
    json.dumps(host)
