"""Cars that keep to a dynamic operating envelope of their connection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from gridimpact.dispatch.grid_aware.allocate import allocation_problems
from gridimpact.dispatch.grid_aware.settings import Settings
from gridimpact.dispatch.strategy import Foresight
from gridimpact.errors import Problem


@dataclass(frozen=True)
class OperatingEnvelope(Settings):
    """Cars keep the draw and the feed of their connection within limits that change from step to step.

    Parameters
    ----------
    allocation : str
        How the network's capacity is shared among connections with a charger: "equal" or "proportional" to
        their main fuses.

    Notes
    -----
    The limits are those of `gridimpact.study.operating_envelope.operating_envelopes` under the limits of the
    study, found from the demand of the very step, so a perfect forecast is assumed: an upper bound.
    Cars at one connection share its room equally. A latency shifts nothing: envelopes are published ahead.
    """

    allocation: str = "equal"

    name: ClassVar[str] = "grid_aware_operating_envelope"

    def problems(self) -> list[Problem]:
        """Return what is wrong with the allocation."""
        return allocation_problems(self.allocation, ("equal", "proportional"))

    @property
    def foresight(self) -> Foresight:
        """What the base knows, and the demand of all homes."""
        return replace(super().foresight, base_load="perfect")
