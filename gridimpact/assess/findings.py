"""All figures of one strategy before they become tables, and the time they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridimpact.assess.connections import ConnectionFindings
from gridimpact.assess.context import AssessContext
from gridimpact.assess.cost import CostFindings
from gridimpact.assess.energy import EnergyFindings
from gridimpact.assess.loading import LoadingFindings
from gridimpact.assess.sequence import UnbalanceFindings
from gridimpact.assess.service import ServiceFindings
from gridimpact.assess.transformer import ThermalFindings
from gridimpact.assess.voltage import VoltageFindings
from gridimpact.assess.wear import WearFindings
from gridimpact.records import Dispatch, PlanRequest
from gridimpact.timeline import Timeline

YEAR_H = 363.0 * 24.0
"""Counted hours that make a year: 364 days less one of warm-up."""


@dataclass(frozen=True)
class Findings:
    """What the reducers found over all segments; figures of scenario 0 are reported."""

    context: AssessContext
    timelines: Mapping[int, Timeline]
    cars: Mapping[int, tuple[PlanRequest, Dispatch]]
    """Segments in which cars drive."""
    longest_h: float
    """Counted hours of the longest segment."""
    voltage: VoltageFindings
    lines: LoadingFindings
    transformers: LoadingFindings
    transformers3w: LoadingFindings
    energy: EnergyFindings
    thermal: ThermalFindings | None
    service: ServiceFindings | None
    cost: CostFindings | None
    connections: ConnectionFindings
    request: PlanRequest | None
    phases: int = 1
    """3 where the power flow was in three phases."""
    unbalance: UnbalanceFindings | None = None
    wear: WearFindings | None = None

    @property
    def dt_h(self) -> float:
        """Step, the same in all segments [h]."""
        return next(iter(self.timelines.values())).dt_h

    @property
    def hours(self) -> float:
        """Counted time [h]."""
        return self.energy.steps_counted * self.dt_h

    @property
    def is_year(self) -> bool:
        """Whether one segment covers a year, so that annual figures may be given."""
        return self.longest_h >= YEAR_H
