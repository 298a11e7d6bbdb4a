"""The phases of a research: vertical slices behind one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.lifecycle.states import Kind

if TYPE_CHECKING:
    from research.phases.base import Phase


def get(kind: Kind | str) -> Phase:
    """The phase of an operation's kind. Imported late: the engine's libraries load only where they are used."""
    from research.phases import assessment, backtest, design, training

    phases: dict[Kind, Phase] = {
        Kind.DESIGN: design.Design(), Kind.TRAINING: training.Training(), Kind.BACKTEST: backtest.Backtest(),
        Kind.ASSESSMENT: assessment.Assess(),
    }  # fmt: skip
    return phases[Kind(kind)]
