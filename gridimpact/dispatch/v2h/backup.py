"""The car as the home's emergency supply: charged early, kept full, and judged by the outages it carries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.g2v.sharing import FIRST_COME, shared_power
from gridimpact.dispatch.g2v.task import charging_task
from gridimpact.dispatch.services.backup import backup
from gridimpact.dispatch.services.backup_records import Island
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class Backup:
    """Charge on arrival to the larger of target and reserve, discharge only in an outage.

    Nothing is fed while the grid is there, so the power is that of uncontrolled charging to a higher
    target; the dispatch carries the figures of `gridimpact.dispatch.services.backup`. A main fuse is kept
    unless the target needs more; cars behind it are served as they came.

    Parameters
    ----------
    reserve_soc : float
        State of charge kept ready for an outage; cars with a lower target are charged to it.
    critical_share : float
        Share of the home's load that must go on in an outage.
    floor_soc : float
        How far an outage may empty the car; the driver's reserve of the stay is given up.
    longest_h : float
        Outages are followed so long [h].
    enrolled : float
        Share of the cars whose stays are all at homes; every other car charges uncontrolled.

    Raises
    ------
    InputError
        If a share lies outside 0..1 or the length is out of range.
    """

    reserve_soc: float = 0.9
    critical_share: float = 1.0
    floor_soc: float = 0.1
    longest_h: float = 48.0
    enrolled: float = 0.5

    name: ClassVar[str] = "v2h_backup"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced")
    site_kinds: ClassVar[tuple[str, ...]] = ("home",)

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.enrolled, "enrolled")
        check_share(self.reserve_soc, "reserve_soc")
        self._island()

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the early charging of the enrolled homes' cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        controlled = enrolled_vehicles(request, self.enrolled, site_kinds=self.site_kinds)
        stays = request.stays
        raised = np.maximum(stays.soc_target, self.reserve_soc)
        early = replace(request, stays=replace(stays, soc_target=raised))
        asked = shared_power(early, charging_task(early, controlled), controlled, FIRST_COME)
        found = execute(request, asked, strategy=label(self), controlled=controlled)
        figures = backup(request, found, self._island(), site_kinds=self.site_kinds).figures
        return replace(found, figures=figures)

    def _island(self) -> Island:
        """Return what the homes do in an outage."""
        return Island(
            critical_share=self.critical_share,
            reserve_soc=self.floor_soc,
            longest_h=self.longest_h,
        )
