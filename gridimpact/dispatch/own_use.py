"""Cars that supply their own site and export nothing, also where the site draws less than was expected.

A strategy says so by a class variable ``own_use = True``. What it plans keeps the bound by itself; where a
plan made on a forecast meets the truth, the discharge is cut here.
"""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.execute import power_by_site
from gridimpact.records import BoolArray, FloatArray, PlanRequest


def own_load_kw(request: PlanRequest) -> FloatArray:
    """Return what the cars of each site may feed together, (time, site) [kW]: load less generation."""
    return np.maximum(request.site_load_kw + request.site_pv_kw, 0.0)


def within_own_use(request: PlanRequest, p_kw: FloatArray, cars: BoolArray) -> FloatArray:
    """Return a plan with the discharge of some cars scaled down to their site's load less its generation.

    Parameters
    ----------
    request : PlanRequest
        The true load and generation.
    p_kw : ndarray
        (time, vehicle) power at the meter [kW], positive draws from the grid.
    cars : ndarray of bool
        (vehicle,) those bound; the others keep their power.
    """
    fed = power_by_site(request, np.where(cars[None, :], np.maximum(-p_kw, 0.0), 0.0))
    own = own_load_kw(request)
    share = np.where(fed > own, own / np.where(fed > 0.0, fed, 1.0), 1.0)
    asked, stays = p_kw.copy(), request.stays
    for k in np.flatnonzero(cars[stays.vehicle]):
        steps, v = slice(stays.start[k], stays.end[k]), stays.vehicle[k]
        part = asked[steps, v]
        asked[steps, v] = np.where(part < 0.0, part * share[steps, stays.site[k]], part)
    return asked
