"""What a wrong forecast costs a building: planned on it, met by the truth, beside perfect foresight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.own_use import within_own_use
from gridimpact.dispatch.strategy import Strategy, label
from gridimpact.dispatch.v2b.bill import building_figures
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, PlanRequest, ServiceFigure


def plan_on_forecast(
    request: PlanRequest, strategy: Strategy, load_kw: FloatArray, *, name: str | None = None
) -> Dispatch:
    """Return what happens when a plan made for a forecast load meets the load of the request.

    Parameters
    ----------
    request : PlanRequest
        The truth.
    strategy : Strategy
        Plans on the forecast; its plan is followed as it stands.
    load_kw : ndarray
        (time, site) forecast of the sites' load [kW].
    name : str, optional
        Label of the result; that of the strategy with "on a forecast" unless given.

    Returns
    -------
    Dispatch
        Discharge is cut where the true load less generation is lower than planned: no charger that may
        not export does more.

    Raises
    ------
    InputError
        If the forecast has another shape or is not finite.
    """
    forecast = np.asarray(load_kw, dtype=np.float64)
    if forecast.shape != request.site_load_kw.shape or not np.all(np.isfinite(forecast)):
        message = (
            f"the forecast has shape {forecast.shape}, the request needs finite numbers of shape "
            f"{request.site_load_kw.shape}, (time, site)"
        )
        raise InputError(message)
    planned = strategy.plan(replace(request, site_load_kw=forecast))
    asked = within_own_use(request, planned.p_kw, planned.controlled)
    shown = f"{label(strategy)} on a forecast" if name is None else name
    return execute(request, asked, strategy=shown, controlled=planned.controlled)


def forecast_regret(
    request: PlanRequest, strategy: Strategy, load_kw: FloatArray
) -> tuple[ServiceFigure, ...]:
    """Return what the strategy loses on a forecast against perfect foresight.

    Parameters
    ----------
    request : PlanRequest
        The truth.
    strategy : Strategy
        Such as `DemandCharge`, with perfect foresight of whatever request it is given.
    load_kw : ndarray
        (time, site) forecast of the sites' load [kW].

    Returns
    -------
    tuple of ServiceFigure
        Peak and bill uncontrolled, under perfect foresight and on the forecast, and the share of the
        peak cut that is lost; empty without cars at buildings.

    Notes
    -----
    Regret is what the truth makes of the plan less what perfect foresight reaches, in the tariff's own
    bill. A plan on a forecast can raise the peak above uncontrolled charging: the cut is then negative
    and the share lost above 1.
    """
    perfect = strategy.plan(request)
    figures = [
        {f.name: f.value for f in building_figures(request, found)}
        for found in (perfect, plan_on_forecast(request, strategy, load_kw))
    ]
    if not figures[0]:
        return ()
    best, met = figures
    cut = best["peak_uncontrolled_kw"] - best["peak_kw"]
    lost = (met["peak_kw"] - best["peak_kw"]) / cut if cut > 0.0 else float("nan")
    note = f"{label(strategy)}; peaks and bills of the buildings, months count whole"
    rows = {
        "peak_uncontrolled_kw": best["peak_uncontrolled_kw"],
        "peak_perfect_kw": best["peak_kw"],
        "peak_forecast_kw": met["peak_kw"],
        "bill_uncontrolled": best["bill_uncontrolled"],
        "bill_perfect": best["bill"],
        "bill_forecast": met["bill"],
        "regret": met["bill"] - best["bill"],
        "peak_cut_lost_share": lost,
    }
    return tuple(ServiceFigure("building", name, value, note) for name, value in rows.items())
