"""What cars do when control is lost: the capacity of a network that does not rely on it."""

from __future__ import annotations

from dataclasses import dataclass

from gridimpact.dispatch.grid_aware.protocol import GridAware
from gridimpact.dispatch.strategy import Foresight, Strategy, label
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.dispatch.wrapped import Wrapped
from gridimpact.records import Dispatch, PlanRequest

CONTROL_LOST = "control lost"


@dataclass(frozen=True)
class ControlLost(Wrapped):
    """A grid-aware strategy none of whose signals ever arrives: chargers keep to their declared fallback.

    Parameters
    ----------
    strategy : Strategy
        A grid-aware one; its `plan` is what happens without the grid's answer.
    """

    strategy: Strategy

    @property
    def name(self) -> str:
        """Name in comparison tables."""
        return f"{CONTROL_LOST}: {label(self.strategy)}"

    @property
    def foresight(self) -> Foresight:
        """What it knows of the future."""
        return self.strategy.foresight

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the fallback leaves of the base's wishes, without a power flow."""
        return self.strategy.plan(request)


def firm_of(strategy: Strategy) -> Strategy:
    """Return what the cars of a strategy do while control is lost from the start.

    Parameters
    ----------
    strategy : Strategy
        As the scan solves it with its control working.

    Returns
    -------
    Strategy
        Of a grid-aware strategy its declared fallback (`gridimpact.dispatch.grid_aware.signals`); of every
        other one, and of a mix, uncontrolled charging: no schedule or price arrives.

    Notes
    -----
    A timer inside the car would go on without control; that a delayed start counts as lost too is an own choice.

    Examples
    --------
    >>> from gridimpact.dispatch.g2v import ValleyFilling
    >>> firm_of(ValleyFilling())
    Uncontrolled()
    """
    return ControlLost(strategy) if isinstance(strategy, GridAware) else Uncontrolled()
