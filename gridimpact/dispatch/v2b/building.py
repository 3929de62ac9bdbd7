"""Many cars behind a building's meter: one plan at least cost, with the month's peak so far in mind."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.linear_program import PeakCharge
from gridimpact.dispatch.linear_program_prices import Surroundings, answer_by_program
from gridimpact.dispatch.linear_program_windows import Roller, Window
from gridimpact.dispatch.strategy import Foresight, Strategy, label
from gridimpact.dispatch.v2b.bill import months
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, Note, PlanRequest

PERFECT = Foresight(stays="perfect", prices="perfect", base_load="perfect")


@dataclass(frozen=True)
class Terms:
    """What the highest draw of a month costs, arrays over (site,)."""

    per_kw: FloatArray
    free_kw: FloatArray
    words: str
    so_far_kw: float = 0.0
    """Highest draw of the first month before the first step."""


def plan_buildings(
    request: PlanRequest, strategy: Strategy, controlled: BoolArray, terms: Terms
) -> Dispatch:
    """Return the least-cost dispatch of the cars at buildings.

    Parameters
    ----------
    request : PlanRequest
        Vehicles sorted by id.
    strategy : Strategy
        Gives the label.
    controlled : ndarray of bool
        (vehicle,) cars at buildings that take part; the others charge uncontrolled.
    terms : Terms
        Cost of the month's highest draw.

    Returns
    -------
    Dispatch
        With a note where the tariff of a building names no such charge.
    """
    roller = Roller(request, controlled)
    around = Surroundings.of(roller, controlled, own_use=True)
    month = months(request)
    highest = np.zeros((int(month.max()) + 1, len(request.site_id)))
    highest[0] = peak_before(request, terms.so_far_kw)

    def answer(window: Window) -> FloatArray:
        steps = np.arange(window.first, window.last)
        price = around.import_price[steps, window.site]
        window.cells.value[:] = window.cheap(price)
        rows = np.flatnonzero(window.storage.plugged.any(axis=1))
        p_kw = np.zeros(price.shape)
        sites = np.unique(window.site[rows])
        if rows.size:
            known, period = np.unique(month[steps], return_inverse=True)
            peak = PeakCharge(
                period, terms.per_kw[sites], terms.free_kw[sites], highest[np.ix_(known, sites)]
            )
            p_kw[rows] = answer_by_program(window, rows, around, peak)
        _carry(highest, month, window, p_kw, around.net_kw, request)
        return p_kw

    asked = roller.plan(answer)
    found = execute(request, asked, strategy=label(strategy), controlled=controlled)
    free = [request.site_id[k] for k in used_sites(request, controlled) if terms.per_kw[k] <= 0.0]
    if not free:
        return found
    text = f"the tariff names no price for {terms.words}; only energy and wear are minimised"
    return replace(found, notes=(Note("warning", ", ".join(free), text),))


def peak_before(request: PlanRequest, so_far_kw: float) -> FloatArray:
    """Return the highest draw of each site in the first month before the first step, (site,) [kW]."""
    known = 0.0 if request.site_peak_kw is None else request.site_peak_kw
    return np.asarray(np.maximum(np.full(len(request.site_id), so_far_kw), known))


def used_sites(request: PlanRequest, controlled: BoolArray) -> IntArray:
    """Return the sites at which controlled vehicles are ever plugged in."""
    return np.unique(request.stays.site[controlled[request.stays.vehicle]])


def _carry(
    highest: FloatArray,
    month: IntArray,
    window: Window,
    p_kw: FloatArray,
    net_kw: FloatArray,
    request: PlanRequest,
) -> None:
    """Raise the months' highest draws by the part of a window that is kept."""
    day = request.timeline.steps_per_day
    last = window.last if window.last == request.timeline.count else window.first + day
    steps = np.arange(window.first, last)
    draw = net_kw[steps].copy()
    for v in range(p_kw.shape[0]):
        np.add.at(
            draw, (np.arange(steps.size), window.site[v, : steps.size]), p_kw[v, : steps.size]
        )
    np.maximum.at(highest, month[steps], draw)


def per_site(request: PlanRequest, values: list[float]) -> FloatArray:
    """Return a value per tariff, or the same for all, as one per site."""
    tariff = np.asarray(request.site_tariff, dtype=np.int64)
    every = np.broadcast_to(np.asarray(values, dtype=np.float64), (len(request.tariffs),))
    return every[tariff]


def check_price(value: float | None, where: str) -> None:
    """Refuse a negative setting."""
    if value is not None and not value >= 0.0:
        message = f"{where} is {value}, it must be 0 or more"
        raise InputError(message)
