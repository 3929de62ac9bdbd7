"""Charging as it happens without any control: full power from arrival until the target is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.records import Dispatch, PlanRequest


@dataclass(frozen=True)
class Uncontrolled:
    """Every car charges as soon as possible at full power to its target.

    Knows nothing of the future, the network or prices.
    """

    name: ClassVar[str] = "uncontrolled"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight()

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the dispatch of uncontrolled charging; no car counts as controlled."""
        return plan_in_id_order(request, uncontrolled_dispatch)


def uncontrolled_dispatch(request: PlanRequest, strategy: str = "uncontrolled") -> Dispatch:
    """Return what happens when nobody controls charging.

    Parameters
    ----------
    request : PlanRequest
        Stays and batteries.
    strategy : str
        Label of the dispatch.

    Returns
    -------
    Dispatch
        Full power from arrival to the target in every stay.
    """
    shape = (request.timeline.count, len(request.vehicle_id))
    nobody = np.zeros(shape[1], dtype=np.bool_)
    return execute(request, np.zeros(shape), strategy=strategy, controlled=nobody, ceiling="target")
