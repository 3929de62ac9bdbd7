"""What reserve a fleet held, what a call took from it, and the rebound when cars charge again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.services.payment import (
    AGGREGATOR,
    OWNER,
    balances,
    capacity_payment,
    energy_payment,
    shared_payments,
)
from gridimpact.dispatch.services.reserve_kernels import Standby
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, PlanRequest, ServiceFigure

SERVICE = "spinning_reserve"
LATEST_RESPONSE_S = 10.0
"""Spinning reserve must begin to answer within this time."""
REBOUND_H = 2.0
"""Time after a call in which the rebound is looked for; an own choice."""


class ReservePrices(NamedTuple):
    """What reserve is paid, and whose it is."""

    capacity: float
    """[currency/MW-h]"""
    energy: float
    """[currency/MWh]"""
    aggregator_share: float


def reserve_figures(
    request: PlanRequest,
    found: Dispatch,
    standby: Standby,
    left_h: FloatArray,
    prices: ReservePrices,
    response_s: float,
) -> tuple[ServiceFigure, ...]:
    """Return the figures of a reserve over the whole request."""
    dt_h, own = request.timeline.dt_h, found.controlled
    held, called = standby.held_kw[:, own].sum(axis=1), left_h > 0.0
    given = np.where(called[:, None], standby.before_kw - found.p_kw, 0.0)[:, own].sum(axis=1)
    energy = float(given.sum()) * dt_h
    figures = [
        _figure("hours", held.size * dt_h, "time planned, warm-up and margins included"),
        _figure("available_min_kw", held.min(), "least power that could be held for a call"),
        _figure(
            "available_mean_kw", held.mean(), "mean; less drawn and more fed, for a whole call"
        ),
        _figure("response_s", response_s, "from call to power"),
        _figure(
            "response_ok",
            float(response_s <= LATEST_RESPONSE_S),
            f"1 where cars answer within {LATEST_RESPONSE_S:g} s",
        ),
        *_by_hour(request, held),
        *_event_figures(request, found, called, given, own),
    ]
    if prices.capacity > 0.0 or prices.energy > 0.0:
        paid = capacity_payment(prices.capacity, held.sum() / 1000.0, dt_h)
        paid += energy_payment(prices.energy, energy / 1000.0)
        book = balances(shared_payments(SERVICE, paid, prices.aggregator_share))[SERVICE]
        figures += [
            _figure("paid_eur", paid, "power held over time, and energy of the calls"),
            _figure("paid_owners_eur", book[OWNER], "share of the cars' owners"),
            _figure("paid_aggregator_eur", book[AGGREGATOR], "share of the aggregator"),
        ]
    return tuple(figures)


def _by_hour(request: PlanRequest, held: FloatArray) -> list[ServiceFigure]:
    """Return mean and least power held in each local hour of the day."""
    hour = request.timeline.local_hour.astype(np.int64)
    found = []
    for h in np.unique(hour):
        mine = held[hour == h]
        found.append(_figure(f"available_mean_kw_{h:02d}h", mine.mean(), "in this local hour"))
        found.append(_figure(f"available_min_kw_{h:02d}h", mine.min(), "least in this local hour"))
    return found


def _event_figures(
    request: PlanRequest, found: Dispatch, called: BoolArray, given: FloatArray, own: BoolArray
) -> list[ServiceFigure]:
    """Return number, energy and rebound of the calls."""
    begins, ends = event_edges(called)
    dt_h = request.timeline.dt_h
    p_kw = found.p_kw[:, own]
    total = p_kw.sum(axis=1)
    count = begins.size
    each = [given[a:b].sum() * dt_h for a, b in zip(begins, ends, strict=True)]
    fed = [-np.minimum(p_kw[a:b], 0.0).sum() * dt_h for a, b in zip(begins, ends, strict=True)]
    mean = [given[a:b].mean() for a, b in zip(begins, ends, strict=True)]
    look = max(round(REBOUND_H / dt_h), 1)
    rise = [
        total[b : b + look].max() - total[max(a - 1, 0)]
        for a, b in zip(begins, ends, strict=True)
        if b < total.size
    ]
    return [
        _figure("calls", count, "calls in the time planned"),
        _figure("event_kwh", np.mean(each) if count else np.nan, "given by a call, mean of calls"),
        _figure("event_fed_kwh", np.mean(fed) if count else np.nan, "of it fed from batteries"),
        _figure("event_kw", np.mean(mean) if count else np.nan, "mean power of a call"),
        _figure(
            "rebound_kw",
            max(rise) if rise else np.nan,
            f"most that the fleet draws within {REBOUND_H:g} h after a call over before it",
        ),
    ]


def event_edges(called: BoolArray) -> tuple[IntArray, IntArray]:
    """Return first steps of the calls, and the steps after their last.

    Examples
    --------
    >>> event_edges(np.array([False, True, True, False, True]))
    (array([1, 4]), array([3, 5]))
    """
    edges = np.diff(np.concatenate([[0], called.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _figure(name: str, value: float, note: str) -> ServiceFigure:
    return ServiceFigure(SERVICE, name, float(value), note)
