"""The reserve of a V2G programme, written into the stays so that every step of the way keeps it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridimpact.dispatch.enrolment import check_share
from gridimpact.records import PlanRequest


def with_reserve(request: PlanRequest, reserve_soc: float) -> PlanRequest:
    """Return the request with a reserve of at least `reserve_soc` in every stay."""
    check_share(reserve_soc, "reserve_soc")
    stays = request.stays
    return replace(
        request, stays=replace(stays, soc_reserve=np.maximum(stays.soc_reserve, reserve_soc))
    )
