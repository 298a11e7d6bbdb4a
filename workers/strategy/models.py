"""A strategy, version 1: everything a research needs to know, and nothing that could be executed.

Only types, ranges and what one field can say for itself; what several say together is checked in `check`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._^=-]{0,31}$")]
Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
Source = Literal["open", "high", "low", "close", "typical"]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Score = Annotated[float, Field(ge=-1, le=1)]
Terms = Annotated[list[Name], Field(min_length=2, max_length=5)]


class Part(BaseModel):
    """Frozen and strict: unknown keys, texts for numbers, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, serialize_by_alias=True)


class Data(Part):
    """What is traded."""

    symbol: Symbol = Field(description="a symbol that data is loaded for")
    timeframe: Timeframe = Field(default="1d", description="length of a bar")


class Indicator(Part):
    """A function of `workers.market.indicators`; parameters not given take its defaults."""

    function: str = Field(description="one of the functions below")
    params: dict[str, int | float] = Field(default_factory=dict, description="its parameters")
    input: Source | None = Field(default=None, description="the price it reads; only for functions that take one")
    output: str | None = Field(default=None, description="which of its outputs; its first, if not given")


class Rule(Part):
    """IF every named input is its term THEN the score moves towards `then` (-1 short, +1 long)."""

    when: dict[str, str] = Field(alias="if", min_length=1, max_length=4, description="term of each input")
    then: Score = Field(description="where the score goes before training; +1 is long, -1 short")


class Network(Part):
    """A small perceptron on the same memberships, added to the rules through a gate."""

    hidden: int = Field(ge=2, le=64, description="neurons of its one layer")


class Labels(Part):
    """Triple barrier: which of two barriers is touched first within the horizon. Forward return: how far the price has
    gone at its end, in volatilities; it has no barriers.
    """

    kind: Literal["triple_barrier", "forward_return"] = Field(
        default="triple_barrier", description="what a bar teaches"
    )
    horizon: int = Field(default=10, ge=1, le=250, description="bars ahead")
    up: float = Field(default=1.0, gt=0, le=10, description="upper barrier, in volatilities over the horizon")
    down: float = Field(default=1.0, gt=0, le=10, description="lower barrier, in volatilities over the horizon")
    volatility_window: int = Field(default=20, ge=5, le=250, description="bars that the volatility is of")


class Decision(Part):
    """The score is in -1 to 1. Long from `enter` up, held until it falls below `exit`; short (mode `long_short`)
    mirrored: from `-enter` down until it rises above `-exit`. Stop and target are fractions of
    the entry price.
    """

    mode: Literal["long_flat", "long_short"] = Field(default="long_flat", description="whether it also sells short")
    enter: float = Field(default=0.1, gt=0, le=1, description="score that opens a position")
    exit: float = Field(default=0.0, ge=-1, lt=1, description="score below which it is closed; below enter")
    stop: Fraction | None = Field(default=None, description="loss that closes it, as a fraction of the entry price")
    target: float | None = Field(default=None, gt=0, le=10, description="gain that closes it, likewise")


class Costs(Part):
    """Per side, in hundredths of a percent of the traded value."""

    fee_bps: float = Field(default=1.0, ge=0, le=500, description="fee")
    slippage_bps: float = Field(default=1.0, ge=0, le=500, description="worse price than the open")


class Training(Part):
    """`patience` null trains every epoch; `seeds` is how many models are trained per fold and averaged."""

    epochs: int = Field(default=40, ge=1, le=1_000_000, description="passes over the data, at most")
    patience: int | None = Field(default=8, ge=1, le=1_000_000, description="passes without progress before it stops")
    batch_size: int = Field(default=256, ge=8, le=65_536, description="bars per step")
    learning_rate: float = Field(default=0.02, gt=0, le=1, description="of Adam")
    seeds: int = Field(default=2, ge=1, le=50, description="models per fold, averaged")
    weight_decay: float = Field(default=0.0001, ge=0, le=1, description="pull of weights to 0")
    validation_fraction: float = Field(default=0.2, gt=0, le=0.5, description="share of the past to stop early on")


class Evaluation(Part):
    """Walk-forward in bars. What a search never reads, the hold-out, belongs to the data and not to a strategy."""

    folds: int = Field(default=4, ge=1, le=50, description="parts that are traded, each by models of its past")
    scheme: Literal["expanding", "rolling"] = Field(default="expanding", description="whether the past grows or moves")
    embargo: int = Field(default=5, ge=0, le=1000, description="bars left out between past and test")
    min_train_bars: int = Field(default=500, ge=50, le=1_000_000, description="bars before the first test")


class Strategy(Part):
    """A whole specification. Made by `parse`, never directly: only `parse` runs every check."""

    version: Literal[1] = Field(default=1, description="of this form")
    name: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$", description="what to call it")
    hypothesis: str = Field(min_length=1, max_length=2000, description="why it should work")
    data: Data = Field(description="what is traded")
    indicators: dict[Name, Indicator] = Field(min_length=1, max_length=24, description="by a name of your own")
    inputs: dict[str, Terms] = Field(min_length=1, max_length=12, description="terms of each indicator, lowest first")
    rules: list[Rule] = Field(default_factory=list, max_length=64, description="in words; training weighs them")
    network: Network | None = Field(default=None, description="beside the rules, or instead of them")
    labels: Labels = Field(default_factory=Labels, description="what is learned")
    decision: Decision = Field(default_factory=Decision, description="from score to position")
    costs: Costs = Field(default_factory=Costs, description="of every trade")
    training: Training = Field(default_factory=Training, description="how it is learned")
    evaluation: Evaluation = Field(default_factory=Evaluation, description="what it is tested on")
    seed: int | None = Field(default=None, ge=0, lt=2**63, description="of its researches, unless they say")
