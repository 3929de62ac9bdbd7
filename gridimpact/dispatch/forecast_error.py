"""A plan made on wrong forecasts and carried out on what really comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from gridimpact.battery.storage import soc_needed_before
from gridimpact.dispatch.enrolment import lottery
from gridimpact.dispatch.execute import execute
from gridimpact.dispatch.forecast import generator, steady_error
from gridimpact.dispatch.own_use import within_own_use
from gridimpact.dispatch.scope import own_use_cars
from gridimpact.dispatch.strategy import (
    Foresight,
    Strategy,
    check_strategy,
    label,
    plan_in_id_order,
)
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.dispatch.wrapped import Wrapped, left_out
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, IntArray, PlanRequest, Stays


@dataclass(frozen=True)
class WithForecastError(Wrapped):
    """Any strategy, planned on forecasts that are wrong and carried out on the truth.

    Parameters
    ----------
    strategy : Strategy
        Makes the plan.
    load, pv, price : float
        Relative standard deviation of demand, generation and prices.
    departure_h : float
        Standard deviation of the time of departure [h].
    seed : int
        Of the errors.
    guard : bool
        Charge where a later start would miss the target by the departure that is expected; to be switched off
        where the strategy leaves targets unmet on purpose to keep a limit.

    Raises
    ------
    InputError
        If a setting is negative.

    Notes
    -----
    Relative errors keep their size at all times and forget 63 % in six hours. A car that leaves earlier than
    expected may miss its target, which is reported as unmet; one that stays longer gets nothing more. Cars
    that supply their own site feed no more than it truly draws, whatever was expected. Only
    the plan is wrong: it is made once for the whole time. For plans made anew as time goes on, put this
    inside `Receding`.
    """

    strategy: Strategy = Uncontrolled()  # noqa: RUF009 - frozen and without settings
    load: float = 0.1
    pv: float = 0.2
    price: float = 0.1
    departure_h: float = 0.5
    seed: int = 0
    guard: bool = True

    def __post_init__(self) -> None:
        """Check the errors."""
        check_strategy(self.strategy)
        for name in ("load", "pv", "price", "departure_h"):
            value = getattr(self, name)
            if not 0.0 <= value < np.inf:
                message = f"{name} is {value}, give a standard deviation of 0 or more"
                raise InputError(message)

    @property
    def name(self) -> str:
        """Name in comparison tables."""
        return f"with_forecast_error_{self.strategy.name}"

    @property
    def foresight(self) -> Foresight:
        """That of the strategy: an error of a perfect forecast leaves it one no controller has."""
        return self.strategy.foresight

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return what the plan made on wrong forecasts comes to."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        wrong = self.forecast(request)
        planned = self.strategy.plan(wrong)
        controlled = planned.controlled
        if self.guard:
            expected = replace(request, stays=_expected(request, wrong.stays.end))
            asked = execute(
                expected, planned.p_kw, strategy="", controlled=controlled, discharge_floor="min"
            ).p_kw
        else:
            asked = planned.p_kw
        serves = controlled & own_use_cars(self.strategy, request)
        asked = within_own_use(request, asked, serves)
        found = execute(
            request,
            asked,
            strategy=label(self),
            controlled=controlled,
            guard=False,
            discharge_floor="min",
        )
        return replace(found, notes=(*planned.notes, *left_out(planned, (), self.name)))

    def forecast(self, request: PlanRequest) -> PlanRequest:
        """Return the request as it is expected: demand, generation, prices and departures with errors."""
        prices = []
        for tariff in request.tariffs:
            factor = self._factors("price", (tariff.name,), request, self.price)[:, 0]
            prices.append(
                replace(
                    tariff,
                    import_price=tariff.import_price * factor,
                    export_price=tariff.export_price * factor,
                )
            )
        load = self._factors("load", request.site_id, request, self.load)
        sun = self._factors("sun", request.site_id, request, self.pv)
        back = self._factors("background", request.group_id, request, self.load)
        return replace(
            request,
            site_load_kw=request.site_load_kw * load,
            site_pv_kw=request.site_pv_kw * sun,
            background_kw=request.background_kw * back,
            tariffs=tuple(prices),
            stays=replace(request.stays, end=self._ends(request)),
        )

    def _factors(
        self, what: str, names: tuple[str, ...], request: PlanRequest, sigma: float
    ) -> FloatArray:
        """Return factors of series, (time, name), zero or more."""
        rng = generator(self.seed, f"error of {what}", names)
        time = request.timeline
        error = steady_error(rng, time.count, len(names), time.dt_h, sigma)
        return np.maximum(1.0 + error, 0.0)

    def _ends(self, request: PlanRequest) -> IntArray:
        """Return the expected end of each stay: at least a step long, before the next stay begins."""
        stays, count = request.stays, request.timeline.count
        drawn = np.clip(lottery(stays.session_id, self.seed, "departure"), 1e-12, 1.0 - 1e-12)
        normal = np.array([NormalDist().inv_cdf(share) for share in drawn], dtype=np.float64)
        shift = np.round(normal * self.departure_h / request.timeline.dt_h).astype(np.int64)
        same = np.concatenate([stays.vehicle[1:] == stays.vehicle[:-1], [False]])[: shift.size]
        following = np.where(same, np.roll(stays.start, -1), count)
        ends = np.clip(stays.end + shift, np.minimum(stays.start + 1, stays.end), following)
        return np.asarray(np.where(stays.cut, stays.end, ends))


def _expected(request: PlanRequest, ends: IntArray) -> Stays:
    """Return the true stays with the targets that a guard aims at when it expects other departures."""
    stays, held = request.stays, request.batteries
    v = stays.vehicle
    later = np.maximum(ends - stays.end, 0) * request.timeline.dt_h
    need = soc_needed_before(
        np.minimum(stays.soc_target, held.soc_max[v]),
        later,
        np.maximum(stays.p_charge_kw - held.idle_kw[v], 0.0),
        held.capacity_kwh[v],
        held.eta_charge[v],
        held.soc_knee[v],
        held.taper_fraction[v],
    )
    return replace(stays, soc_target=np.where(later > 0.0, np.maximum(need, 0.0), stays.soc_target))
