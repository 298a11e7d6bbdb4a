"""Assessment: a process of the cluster asks how much of the backtest is luck, and says in words what to believe."""

from __future__ import annotations

from research.phases.assessment.phase import Assess

__all__ = ["Assess"]
