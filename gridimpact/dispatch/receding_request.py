"""The request that holds only what is known at one moment."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gridimpact.dispatch.forecast import (
    announced_prices,
    forecast_source,
    generator,
    growing_error,
)
from gridimpact.dispatch.kernels_presence import Presence
from gridimpact.records import FloatArray, IntArray, PlanRequest, Stays


@dataclass(frozen=True)
class Knowledge:
    """What a plan is told of the hours to come."""

    stays: str
    """ "announced" or "perfect"."""
    load: str
    """A name of `gridimpact.dispatch.forecast.LOADS`."""
    load_error: float
    seed: int


def known_request(
    request: PlanRequest, here: Presence, now: int, count: int, known: Knowledge
) -> tuple[PlanRequest, IntArray]:
    """Return what is known at the begin of step `now` of the next `count` steps.

    Parameters
    ----------
    request : PlanRequest
        The truth.
    here : Presence
        Batteries and cars plugged in, arrivals of step `now` booked.
    now, count : int
        First step and length of the horizon.
    known : Knowledge
        What is told.

    Returns
    -------
    tuple
        The request, which begins at `now`, and the positions of its stays among those of `request`.

    Notes
    -----
    Demand, generation and limits of step `now` itself are measured. Of cars plugged in, the announced
    departure and target are known; a stay that goes on beyond the horizon is cut there and keeps its target.
    """
    time = request.timeline
    source = forecast_source(known.load, now, count, time.steps_per_day)
    load, sun, back = (
        getattr(request, name)[source] for name in ("site_load_kw", "site_pv_kw", "background_kw")
    )
    if known.load == "noisy":
        load = load * _errors(request.site_id, "load", now, count, time.dt_h, known)
        sun = sun * _errors(request.site_id, "sun", now, count, time.dt_h, known)
        back = back * _errors(request.group_id, "background", now, count, time.dt_h, known)
    prices = []
    for tariff in request.tariffs:
        step = announced_prices(tariff, time, now, count)
        prices.append(
            replace(
                tariff,
                import_price=tariff.import_price[step],
                export_price=tariff.export_price[step],
            )
        )
    stays, kept = _stays(request, here, now, count, known.stays == "perfect")
    told = replace(
        request,
        timeline=time.part(now, count),
        soc_initial=here.soc.copy(),
        stays=stays,
        site_load_kw=load,
        site_pv_kw=sun,
        background_kw=back,
        import_limit_kw=request.import_limit_kw[source],
        export_limit_kw=request.export_limit_kw[source],
        tariffs=tuple(prices),
    )
    return told, kept


def _stays(
    request: PlanRequest, here: Presence, now: int, count: int, perfect: bool
) -> tuple[Stays, IntArray]:
    """Return the stays that are known, counted from `now`, and their positions."""
    stays, last = request.stays, now + count
    present = np.zeros(stays.vehicle.size, dtype=np.bool_)
    present[here.current[here.current >= 0]] = True
    coming = (stays.start > now) & (stays.start < last) & perfect
    kept = np.flatnonzero(present | coming)
    begun = present[kept]
    parts: dict[str, Any] = {
        item.name: getattr(stays, item.name)[kept]
        for item in fields(Stays)
        if item.name != "session_id"
    }
    parts["start"] = np.maximum(parts["start"] - now, 0)
    parts["cut"] = parts["cut"] | (parts["end"] > last)
    parts["end"] = np.minimum(parts["end"], last) - now
    # What a car plugged in arrived with is in the battery already.
    parts["trip_kwh"] = np.where(begun, 0.0, parts["trip_kwh"])
    parts["soc_arrival"] = np.where(begun, np.nan, parts["soc_arrival"])
    names = tuple(stays.session_id[k] for k in kept)
    return Stays(session_id=names, **parts), kept


def _errors(
    names: tuple[str, ...], what: str, now: int, count: int, dt_h: float, known: Knowledge
) -> FloatArray:
    """Return the factors of a forecast made at step `now`, (count, name), zero or more."""
    rng = generator(known.seed, f"forecast of {what}", names, now)
    error = growing_error(rng, count, len(names), dt_h, known.load_error)
    return np.maximum(1.0 + error, 0.0)
