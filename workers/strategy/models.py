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

    symbol: Symbol
    timeframe: Timeframe = "1d"


class Indicator(Part):
    """A function of `workers.market.indicators`; parameters not given take its defaults."""

    function: str
    params: dict[str, int | float] = Field(default_factory=dict)
    input: Source | None = None
    output: str | None = None


class Rule(Part):
    """IF every named input is its term THEN the score moves towards `then` (-1 short, +1 long)."""

    when: dict[str, str] = Field(alias="if", min_length=1, max_length=4)
    then: Score


class Network(Part):
    """A small perceptron on the same memberships, added to the rules through a gate."""

    hidden: int = Field(ge=2, le=64)


class Labels(Part):
    """Triple barrier: `up` and `down` in multiples of the volatility over `horizon` bars, `horizon` in bars."""

    kind: Literal["triple_barrier"] = "triple_barrier"
    horizon: int = Field(default=10, ge=1, le=250)
    up: float = Field(default=1.0, gt=0, le=10)
    down: float = Field(default=1.0, gt=0, le=10)
    volatility_window: int = Field(default=20, ge=5, le=250)


class Decision(Part):
    """The score is in -1 to 1. Long from `enter` up, held until it falls below `exit`; short (mode `long_short`)
    mirrored: from `-enter` down until it rises above `-exit`. Stop and target are fractions of
    the entry price.
    """

    mode: Literal["long_flat", "long_short"] = "long_flat"
    enter: float = Field(default=0.1, gt=0, le=1)
    exit: float = Field(default=0.0, ge=-1, lt=1)
    stop: Fraction | None = None
    target: float | None = Field(default=None, gt=0, le=10)


class Costs(Part):
    """Per side, in hundredths of a percent of the traded value."""

    fee_bps: float = Field(default=1.0, ge=0, le=500)
    slippage_bps: float = Field(default=1.0, ge=0, le=500)


class Training(Part):
    """`patience` null trains every epoch; `seeds` is how many models are trained per fold and averaged."""

    epochs: int = Field(default=40, ge=1, le=1_000_000)
    patience: int | None = Field(default=8, ge=1, le=1_000_000)
    batch_size: int = Field(default=256, ge=8, le=65_536)
    learning_rate: float = Field(default=0.02, gt=0, le=1)
    seeds: int = Field(default=2, ge=1, le=50)
    weight_decay: float = Field(default=0.0001, ge=0, le=1)
    validation_fraction: float = Field(default=0.2, gt=0, le=0.5)


class Evaluation(Part):
    """Walk-forward in bars; the last `holdout_fraction` of the bars is never read by a search."""

    folds: int = Field(default=4, ge=1, le=50)
    scheme: Literal["expanding", "rolling"] = "expanding"
    embargo: int = Field(default=5, ge=0, le=1000)
    min_train_bars: int = Field(default=500, ge=50, le=1_000_000)
    holdout_fraction: float = Field(default=0.15, ge=0.05, le=0.5)


class Strategy(Part):
    """A whole specification. Made by `parse`, never directly: only `parse` runs every check."""

    version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$")
    hypothesis: str = Field(min_length=1, max_length=2000)
    data: Data
    indicators: dict[Name, Indicator] = Field(min_length=1, max_length=24)
    inputs: dict[str, Terms] = Field(min_length=1, max_length=12)
    rules: list[Rule] = Field(default_factory=list, max_length=64)
    network: Network | None = None
    labels: Labels = Field(default_factory=Labels)
    decision: Decision = Field(default_factory=Decision)
    costs: Costs = Field(default_factory=Costs)
    training: Training = Field(default_factory=Training)
    evaluation: Evaluation = Field(default_factory=Evaluation)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
