"""Between two writes of a function that are not one transaction stands a fault point: found in the source itself."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import pytest

from ktrdr_site.environment import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS: Final = ("research/services", "research/coordinator", "research/runners", "research/phases", "research/live",
                "ktrdr_site/cluster", "workers/agent", "workers/child", "workers/spool.py", "workers/durable.py",
                "workers/cache.py")  # fmt: skip
# What writes something that outlives the process, as it is called in these rooms. Not `blobs.store`, which ends with a
# fault point of its own.
WRITES: Final = re.compile(
    r"""\.(bulk_create|create|get_or_create|update|delete)$(?<!strategy\.update)|^async_task$|^write_(durably|atomically)$
      |^(doorbell|blobs|tokens|researches|operations|workers|datasets|terms|clusters|checkpoints)\.
         (ring|call_\w+|delete|create\w*|fail|complete|cancel|begin|move_on|resign|resume|drain|mark_\w+|commit_\w+)$
      |^(fresh|temporary|folder|path)\.(replace|rename|unlink)$|^shutil\.rmtree$|^self\._spool\.(begin|forget|write_\w+)$
      |^verified_write$|^os\.link$""", re.VERBOSE
)  # fmt: skip
HARMLESS: Final = {
    "research/services/doorbell.py: ring": "in the transaction of its caller, which creates the operation",
    "workers/cache.py: verified_write": "removes its own temporary file, if there still is one",
    "ktrdr_site/cluster/housekeeping.py: sweep": "deletes what nobody reads, each for itself, again every ten minutes",
}


def found() -> Iterator[tuple[str, int]]:
    """Function and line of each write that follows another one without a fault point or a common transaction."""
    for room in ROOMS:
        home = PROJECT / room
        for path in sorted(home.rglob("*.py")) if home.is_dir() else [home]:
            for name, line in _in(ast.parse(path.read_text())):
                yield f"{path.relative_to(PROJECT)}: {name}", line


def _in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _in_a_transaction_of_its_caller(node):
            acts = sorted(_acts(node.body, 0))
            for (_, first, one), (line, second, other) in pairwise(acts):
                if first == second == "write" and not one == other != 0:
                    yield node.name, line


def _in_a_transaction_of_its_caller(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(one.annotation and ast.unparse(one.annotation) in ("Change", "'Change'") for one in function.args.args)


def _acts(body: list[ast.stmt], transaction: int) -> Iterator[tuple[int, str, int]]:
    """Line, "write" or "point", and the line where its transaction begins (0: none of this function's)."""
    for statement in body:
        within = transaction
        if isinstance(statement, ast.With) and re.search(
            r"\b(change|atomic)\(", " ".join(map(ast.unparse, statement.items))
        ):
            within = within or statement.lineno
        for inner in ("body", "orelse", "finalbody"):
            yield from _acts(getattr(statement, inner, []), within)
        for handler in getattr(statement, "handlers", []):
            yield from _acts(handler.body, within)
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from ((line, what, within) for line, what in _of(statement))


def _of(statement: ast.stmt) -> Iterator[tuple[int, str]]:
    parts = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.expr)]
    for node in (node for part in parts for node in ast.walk(part)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"point", "faults.point"}:
                yield node.lineno, "point"
            elif WRITES.search(called) and ("." not in called or _stored(called)):
                yield node.lineno, "write"


def _stored(called: str) -> bool:
    """Not the `update` of a dictionary or a hash."""
    return ".objects" in called or not called.endswith((".update", ".create"))


def test_no_two_writes_follow_each_other_without_a_transaction_or_a_fault_point_between() -> None:
    assert sorted({f"{where}, line {line}" for where, line in found() if where not in HARMLESS}) == []


def test_no_exception_is_left_that_nothing_needs() -> None:
    assert set(HARMLESS) <= {where for where, _ in found()}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f():\n    A.objects.create()\n    B.objects.create()", [3]),
        ("def f():\n    A.objects.create()\n    point('x')\n    B.objects.create()", []),
        ("def f():\n    with change() as record:\n        A.objects.create()\n        B.objects.create()", []),
        (
            "def f():\n    with change():\n        A.objects.create()\n    with change():\n        B.objects.create()",
            [5],
        ),
        ("def f():\n    with change():\n        A.objects.create()\n    doorbell.ring(1)", [4]),
        ("def f(record: Change):\n    A.objects.create()\n    B.objects.create()", []),
        ("def f():\n    hasher.update(b)\n    A.objects.create()", []),
    ],
)
def test_what_is_looked_for_is_found(source: str, lines: list[int]) -> None:
    assert [line for _, line in _in(ast.parse(source))] == lines
