"""What a fleet offered, moved, lost and earned while it followed a regulation signal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.services.payment import AGGREGATOR, OWNER, balances, shared_payments
from gridimpact.dispatch.services.regulation_kernels import Inside
from gridimpact.dispatch.services.score import RegulationScore, mean_score, settle_regulation
from gridimpact.records import BoolArray, FloatArray, PlanRequest, ServiceFigure

SERVICE = "regulation"
_SCORED_STEPS_S = (1, 2, 4, 5, 10, 12, 15, 20, 30, 60)
"""Ticks that divide the five minutes of a block and the hour."""


class Prices(NamedTuple):
    """What the service is paid [currency/MW-h], and whose it is."""

    capability: float
    performance: float
    mileage_ratio: float
    aggregator_share: float


class Service(NamedTuple):
    """The signal, (time, tick), what the fleet makes of it, and who takes part."""

    asked: FloatArray
    response: FloatArray
    tick_s: int
    controlled: BoolArray


def figures_of(
    request: PlanRequest, service: Service, inside: Inside, prices: Prices
) -> tuple[ServiceFigure, ...]:
    """Return the figures of a regulation service over the whole request."""
    own, dt_h = service.controlled, request.timeline.dt_h
    up = (inside.point_kw - inside.low_kw)[:, own].sum(axis=1)
    down = (inside.high_kw - inside.point_kw)[:, own].sum(axis=1)
    hours = request.timeline.count * dt_h
    firm = firm_kw_h(up, request.timeline.step_s), firm_kw_h(down, request.timeline.step_s)
    found = [
        _figure("hours", hours, "time planned, warm-up and margins included"),
        _figure("capacity_up_kw", up.mean(), "mean offer to draw less or feed more"),
        _figure("capacity_down_kw", down.mean(), "mean offer to draw more"),
        _figure("capacity_up_max_kw", up.max(initial=0.0), "highest offer up"),
        _figure("capacity_down_max_kw", down.max(initial=0.0), "highest offer down"),
        _figure("capacity_up_kw_h", up.sum() * dt_h, "offer up over time, each step by itself"),
        _figure("capacity_down_kw_h", down.sum() * dt_h, "offer down over time"),
        _figure("firm_up_kw_h", firm[0], "least offer up of each hour, with hindsight"),
        _figure("firm_down_kw_h", firm[1], "least offer down of each hour, with hindsight"),
    ]
    score = fleet_score(service, up, down)
    found += _score_figures(score)
    found += _battery_figures(request, own, inside)
    return tuple(found + _payment_figures(firm, score, prices))


def firm_kw_h(offer_kw: FloatArray, step_s: int) -> float:
    """Return the sum over whole hours of the least offer in each [kW-h]; longer steps stand alone."""
    per_hour = max(3600 // step_s, 1)
    whole = offer_kw[: offer_kw.size // per_hour * per_hour].reshape(-1, per_hour)
    return float(whole.min(axis=1).sum() * per_hour * step_s / 3600.0) if whole.size else 0.0


def fleet_score(service: Service, up_kw: FloatArray, down_kw: FloatArray) -> RegulationScore | None:
    """Return the score of the whole fleet against signal times offer; None where it has none."""
    if service.tick_s not in _SCORED_STEPS_S:
        return None
    asked = np.where(service.asked > 0.0, up_kw[:, None], down_kw[:, None]) * service.asked
    done = np.where(service.response > 0.0, up_kw[:, None], down_kw[:, None]) * service.response
    return mean_score(asked.ravel(), done.ravel(), service.tick_s, 3600 // service.tick_s)


def _score_figures(score: RegulationScore | None) -> list[ServiceFigure]:
    """Return the score and its parts, NaN where nothing could be scored."""
    rule = "PJM Manual 12, sum rule; hours weighted by what was asked"
    if score is None:
        return [_figure("score", np.nan, "nothing was asked, or the ticks do not divide a minute")]
    return [
        _figure("score", score.score, f"{rule}; cars offer only what they can keep"),
        _figure("score_delay", score.delay, rule),
        _figure("score_correlation", score.correlation, rule),
        _figure("score_precision", score.precision, rule),
    ]


def _battery_figures(request: PlanRequest, own: BoolArray, inside: Inside) -> list[ServiceFigure]:
    """Return shares of time at limits, energy drift, energy cycled and losses."""
    dt_h, held = request.timeline.dt_h, request.batteries
    offered = (inside.high_kw - inside.low_kw)[:, own]
    nominal = inside.nominal_kw[:, own]
    plugged = np.isfinite(nominal)
    count = max(int(plugged.sum()), 1)
    out = plugged & (offered <= 0.0)
    limited = plugged & (offered < nominal * (1.0 - 1e-6) - 1e-6)
    drift = ((inside.p_kw - inside.point_kw)[:, own]).sum() * dt_h
    p_kw, cycled = inside.p_kw[:, own], inside.cycled_kwh[:, own]
    fed = np.maximum(-p_kw, 0.0).sum(axis=0) * dt_h + cycled.sum(axis=0)
    wear = float((fed / held.eta_discharge[own] * held.wear_per_kwh[own]).sum())
    loss = float(inside.inner_loss_kwh[:, own].sum())
    return [
        _figure("plugged_car_hours", count * dt_h, "enrolled cars plugged in"),
        _figure("out_of_service_share", out.sum() / count, "of that time without any band"),
        _figure(
            "soc_limited_share",
            limited.sum() / count,
            "of that time with less than the charger allows: target, reserve, full battery or fuse",
        ),
        _figure("energy_drift_kwh", drift, "drawn more than the operating points, by the signal"),
        _figure("cycled_kwh", cycled.sum(), "drawn and fed again inside a step"),
        _figure("fed_kwh", fed.sum(), "fed in all, inside steps too"),
        _figure("inner_loss_kwh", loss, "lost inside steps beyond what their means tell"),
        _figure("wear_eur", wear, "of all energy taken, at each battery's price of wear"),
    ]


def _payment_figures(
    firm: tuple[float, float], score: RegulationScore | None, prices: Prices
) -> list[ServiceFigure]:
    """Return who receives what; nothing where no price is given."""
    if prices.capability <= 0.0 and prices.performance <= 0.0:
        return []
    sold = (firm[0] + firm[1]) / 2000.0
    worth = 0.0 if score is None else score.score
    paid = settle_regulation(
        sold, worth, prices.capability, prices.performance, prices.mileage_ratio
    )
    book = balances(shared_payments(SERVICE, paid, prices.aggregator_share))[SERVICE]
    how = "firm offer, mean of up and down, times score; nothing below a score of 0.25"
    return [
        _figure("paid_eur", paid, how),
        _figure("paid_owners_eur", book[OWNER], "share of the cars' owners"),
        _figure("paid_aggregator_eur", book[AGGREGATOR], "share of the aggregator"),
    ]


def _figure(name: str, value: float, note: str) -> ServiceFigure:
    return ServiceFigure(SERVICE, name, float(value), note)
