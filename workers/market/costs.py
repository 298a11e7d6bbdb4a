"""What a trade costs: fees and slippage, both in basis points of the traded value, both on every side of a trade."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Costs:
    """`fee_bps` is paid in cash on the traded value; `slippage_bps` moves the fill price against the trader."""

    fee_bps: float = 0.0
    slippage_bps: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.fee_bps < 1000.0 and 0.0 <= self.slippage_bps < 1000.0):
            raise ValueError("fee_bps and slippage_bps are basis points from 0 to below 1000.")

    @property
    def fee(self) -> float:
        """Fee as a fraction of the traded value."""
        return self.fee_bps * 1e-4

    @property
    def slippage(self) -> float:
        """Slippage as a fraction of the price."""
        return self.slippage_bps * 1e-4

    def times(self, factor: float) -> Costs:
        """The same costs, `factor` times as high."""
        return Costs(self.fee_bps * factor, self.slippage_bps * factor)
