"""What a strategy that changes the plans of another one takes over from it."""

from __future__ import annotations

from gridimpact.dispatch.strategy import Strategy


class Wrapped:
    """Properties of the wrapped `strategy`; the wrapper declares the field."""

    strategy: Strategy

    @property
    def bidirectional(self) -> bool:
        """Whether the strategy ever discharges."""
        return self.strategy.bidirectional

    @property
    def site_kinds(self) -> tuple[str, ...] | None:
        """Kinds of sites at which the strategy acts, None for all."""
        kinds: tuple[str, ...] | None = getattr(self.strategy, "site_kinds", None)
        return kinds

    @property
    def volt_var(self) -> str:
        """Curve by which the strategy lets chargers answer to voltage in the power flow, "" for none."""
        return str(getattr(self.strategy, "volt_var", ""))
