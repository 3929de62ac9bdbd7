"""Where each car stands and what each meter sees, from a request and its dispatch."""

from __future__ import annotations

import numpy as np

from gridimpact.records import Dispatch, FloatArray, IntArray, PlanRequest


def presence(request: PlanRequest) -> IntArray:
    """Return the site each vehicle is plugged in at, (time, vehicle), -1 while away."""
    place = np.full((request.timeline.count, len(request.vehicle_id)), -1, dtype=np.int64)
    stays = request.stays
    for vehicle, site, start, end in zip(
        stays.vehicle, stays.site, stays.start, stays.end, strict=True
    ):
        place[start:end, vehicle] = site
    return place


def meter_power_kw(request: PlanRequest, dispatch: Dispatch | None) -> FloatArray:
    """Return load, PV and cars at each meter, (time, site) [kW], positive draws."""
    power = request.site_load_kw + request.site_pv_kw
    if dispatch is None:
        return power
    stays = request.stays
    for vehicle, site, start, end in zip(
        stays.vehicle, stays.site, stays.start, stays.end, strict=True
    ):
        power[start:end, site] += dispatch.p_kw[start:end, vehicle]
    return power
