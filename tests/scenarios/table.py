"""The table in `docs/recovery.md`: every scenario with its tests. `python -m tests.scenarios.table` writes it anew."""

from __future__ import annotations

import sys
from itertools import groupby

from ktrdr_site.environment import PROJECT
from tests.scenarios.marks import Row, Shown, rows, shown

PAGE = PROJECT / "docs" / "recovery.md"
BEGIN, END = "<!-- scenarios: written by python -m tests.scenarios.table -->", "<!-- end of scenarios -->"


def table() -> str:
    """GitHub markdown: number, scenario, expected, tests by level."""
    by_row = {number: list(tests) for number, tests in groupby(shown(), key=lambda one: one.number)}
    lines = ["| # | scenario | expected | shown by |", "|---|---|---|---|"]
    return "\n".join([*lines, *(_line(row, by_row.get(row.number, [])) for row in rows())])


def _line(row: Row, tests: list[Shown]) -> str:
    named = "<br>".join(f"{one.level} [{one.test.removeprefix('test_')}](../{one.file})" for one in tests)
    return f"| {row.number} | {row.scenario} | {row.expected} | {named} |"


def main() -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}")
    sys.stdout.write(f"{len(rows())} scenarios, {len(shown())} tests\n")


if __name__ == "__main__":
    main()
