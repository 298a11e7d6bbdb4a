"""`docs/strategy.md` says what the code checks, and its examples run."""

from __future__ import annotations

import re

import pytest

from scripts.strategy_page import PAGE, tables
from tests.unit.engine_a import cast
from workers.strategy import InvalidStrategy, describe, parse
from workers.strategy.texts import read
from workers.training.prepare import prepare

TEXT = PAGE.read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_its_tables_are_those_of_the_code() -> None:
    assert tables() in TEXT, "run: python -m scripts.strategy_page"


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_can_be_run_on_the_shipped_data(text: str) -> None:
    strategy = parse(read(text))
    assert describe(strategy)
    bars, _ = cast.nasdaq()
    assert len(prepare(strategy, bars).folds) == strategy.evaluation.folds


def test_what_it_shows_as_refused_is_refused_in_these_words() -> None:
    shown = re.search(r"```\n(The strategy has.*?)\n```", TEXT, re.DOTALL)
    assert shown is not None
    wrong = EXAMPLES[0].replace("period: 14", "perid: 14").replace("{rsi14: low}", "{rsi14: lwo}")
    with pytest.raises(InvalidStrategy) as refused:
        parse(read(wrong))
    assert str(refused.value) == shown[1]
