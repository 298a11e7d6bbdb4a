"""Strategies as data: strict, versioned, checked as a whole before anything runs, and put into words."""

from workers.strategy.models import Strategy
from workers.strategy.overrides import with_overrides
from workers.strategy.parsing import canonical_json, load_text, parse, strategy_sha256
from workers.strategy.problems import InvalidStrategy, Problem
from workers.strategy.words import describe

__all__ = [
    "InvalidStrategy",
    "Problem",
    "Strategy",
    "canonical_json",
    "describe",
    "load_text",
    "parse",
    "strategy_sha256",
    "with_overrides",
]
