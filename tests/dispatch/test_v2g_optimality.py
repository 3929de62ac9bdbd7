"""Plans of V2G against plain linear programs written out in full, and V2G against G2V and doing nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridimpact.dispatch import g2v, v2g
from gridimpact.dispatch.execute import power_by_group
from gridimpact.dispatch.linear_program_peak import Loads, least_peak
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InfeasibleDispatch, InputError
from gridimpact.records import Dispatch, PlanRequest
from tests.dispatch.requests import Car, Group, Place, Prices, Stay, plan_request, small_requests
from tests.dispatch.storage_cases import battery
from tests.dispatch.test_v2g import bill

FEW = settings(max_examples=8, deadline=None, derandomize=True)
LEAST = v2g.PeakShaving(0.2, enrolled=1.0, objective="peak")


def group_load(request: PlanRequest, found: Dispatch) -> np.ndarray:
    """Return the load of every group, (time, group)."""
    return request.background_kw + power_by_group(request, found.p_kw)


class Dense:
    """Charge, discharge and extra variables of a request, one stay a car, in one dense program."""

    def __init__(self, request: PlanRequest, floor: float, extra: int) -> None:
        stays, held = request.stays, request.batteries
        self.v = np.repeat(stays.vehicle, stays.end - stays.start)
        self.t = np.concatenate(
            [np.arange(a, b) for a, b in zip(stays.start, stays.end, strict=True)]
        )
        self.size, self.extra = self.v.size, 2 * self.v.size
        self.width = self.extra + extra
        self.rows: list[np.ndarray] = []
        self.limits: list[float] = []
        dt_h = request.timeline.dt_h
        for i in range(stays.vehicle.size):
            own = np.flatnonzero(self.v == stays.vehicle[i])
            begin = request.soc_initial[i] * held.capacity_kwh[i]
            for k in range(own.size):
                gain = np.zeros(self.width)
                gain[own[: k + 1]] = held.eta_charge[i] * dt_h
                gain[self.size + own[: k + 1]] = -dt_h / held.eta_discharge[i]
                last = k == own.size - 1
                least = max(
                    stays.soc_target[i] if last else 0.0, min(floor, request.soc_initial[i])
                )
                self.below(-gain, begin - least * held.capacity_kwh[i])
                self.below(gain, held.capacity_kwh[i] - begin)
        self.top = np.concatenate(
            [stays.p_charge_kw[self.v], stays.p_discharge_kw[self.v], np.full(extra, np.inf)]
        )

    def below(self, row: np.ndarray, limit: float) -> None:
        """Add ``row x <= limit``."""
        self.rows.append(row)
        self.limits.append(limit)

    def fleet(self, step: int) -> np.ndarray:
        """Return the row of the fleet's power in a step."""
        row = np.zeros(self.width)
        row[: self.size] = self.t == step
        row[self.size : self.extra] = -(self.t == step).astype(float)
        return row

    def solve(self, cost: np.ndarray, low: float = 0.0) -> float:
        """Return the least cost; extra variables are at least `low`."""
        least = np.concatenate([np.zeros(self.extra), np.full(self.width - self.extra, low)])
        found = linprog(
            cost,
            A_ub=np.array(self.rows),
            b_ub=np.array(self.limits),
            bounds=np.stack([least, self.top], axis=1),
        )
        assert found.status == 0
        return float(found.fun)


def drawn(seed: int, *, shared: bool = False, steps: int = 12) -> PlanRequest:
    """Return three cars with losses and wear, one stay each, behind own meters or one."""
    rng = np.random.default_rng(seed)
    fleet = [
        Car(f"car {k}", 0.5, 40.0, *rng.uniform(0.85, 0.98, 2), wear=rng.choice([0.0, 0.03]))
        for k in range(3)
    ]
    stays = []
    for k in range(3):
        begin, end = int(rng.integers(0, 4)), int(rng.integers(7, steps + 1))
        stays.append(
            Stay(k, begin, end, charger=k, target=0.6, reserve=0.2, p_kw=7.0, p_discharge_kw=6.0)
        )
    load = rng.uniform(0.5, 6.0, steps)
    homes = [Place("home", load, 0.0, 40.0, 9.0, chargers=3)]
    if not shared:
        homes = [Place("home", load / (k + 1), 0.0, 40.0, 9.0) for k in range(3)]
    buy = rng.uniform(0.05, 0.5, steps).round(3)
    return plan_request(
        fleet,
        stays,
        steps=steps,
        places=homes,
        groups=[Group(rng.uniform(10.0, 30.0, steps), 60.0)],
        tariffs=[Prices(buy, 0.7 * buy)],
    )


@pytest.mark.parametrize("shared", [False, True], ids=["own meters", "one meter"])
@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 999))
def test_arbitrage_is_the_optimum_of_a_plain_linear_program(shared: bool, seed: int):
    request = drawn(seed, shared=shared)
    steps, sites = request.timeline.count, len(request.site_id)
    program = Dense(request, 0.2, 2 * steps * sites)
    cost = np.zeros(program.width)
    held = request.batteries
    cost[program.size : program.extra] = (held.wear_per_kwh / held.eta_discharge)[program.v]
    tariff = request.tariffs[0]
    for site in range(sites):
        inside = request.charger_site[request.stays.charger[program.v]] == site
        for step in range(steps):
            at = program.extra + 2 * (site * steps + step)
            cost[at], cost[at + 1] = tariff.import_price[step], -tariff.export_price[step]
            # Import less export covers the site: both signs of an equality.
            row = program.fleet(step)
            row[: program.size] *= inside
            row[program.size : program.extra] *= inside
            row[at], row[at + 1] = -1.0, 1.0
            net = request.site_load_kw[step, site]
            program.below(row, -net)
            program.below(-row, net)
            export = np.zeros(program.width)
            export[at + 1] = 1.0
            program.below(export, request.site_export_limit_kw[site])
            draw = np.zeros(program.width)
            draw[at] = 1.0
            program.below(draw, request.site_import_limit_kw[site])
    found = v2g.Arbitrage(0.2, enrolled=1.0).plan(request)
    assert bill(request, found) == pytest.approx(program.solve(cost), abs=2e-5)


@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 999))
def test_the_least_peak_is_that_of_a_plain_linear_program(seed: int):
    request = drawn(seed)
    program = Dense(request, 0.2, 1)
    for step in range(request.timeline.count):
        row = program.fleet(step)
        row[-1] = -1.0
        program.below(row, -request.background_kw[step, 0])
    cost = np.zeros(program.width)
    cost[-1] = 1.0
    found = LEAST.plan(request)
    assert group_load(request, found).max() == pytest.approx(program.solve(cost), abs=1e-6)
    np.testing.assert_allclose(found.p_kw, found.p_requested_kw, atol=1e-6)
    assert not found.unmet_kwh.any()


def test_every_day_has_a_least_peak_of_its_own():
    evening = 20.0 + 15.0 * np.exp(-(((np.arange(24) - 19.0) / 2.5) ** 2))
    base = np.concatenate([evening, 2.0 * evening])
    stays = [Stay(k, 0, 48, target=0.5, p_kw=7.0, p_discharge_kw=7.0) for k in range(2)]
    request = plan_request([Car("a"), Car("b")], stays, steps=48, groups=[Group(base)])
    load = group_load(request, LEAST.plan(request))[:, 0]
    assert load[:24].max() < base[:24].max() - 5.0
    assert load[24:].max() < base[24:].max() - 5.0


def test_no_more_is_discharged_than_the_least_peak_needs():
    base = np.array([10.0, 10.0, 20.0, 10.0, 10.0, 10.0])
    request = plan_request(
        [Car(wear=0.5)],
        [Stay(0, 0, 6, target=0.5, p_kw=2.0, p_discharge_kw=6.0)],
        steps=6,
        groups=[Group(base)],
    )
    found = v2g.PeakShaving(0.2, 1.0, objective="peak").plan(request)
    assert found.p_kw[2, 0] == pytest.approx(-6.0, abs=1e-6)
    assert np.maximum(-found.p_kw, 0.0).sum() == pytest.approx(6.0, abs=1e-6)
    # Of plans with the same peak and wear the one that charges early.
    np.testing.assert_allclose(found.p_kw[:2, 0], 2.0, atol=1e-6)


def test_a_load_of_steps_without_cars_bounds_what_can_be_cut():
    base = np.array([30.0, 10.0, 20.0, 10.0])
    request = plan_request(
        [Car()],
        [Stay(0, 1, 4, target=0.5, p_kw=9.0, p_discharge_kw=6.0)],
        steps=4,
        groups=[Group(base)],
    )
    found = LEAST.plan(request)
    assert group_load(request, found).max() == pytest.approx(30.0)
    # Nothing is gained below the peak of the empty hour, so nothing is worn.
    assert found.p_kw.min() >= -1e-9


def test_days_without_cars_and_cars_without_a_group_are_planned_too():
    stays = [Stay(0, 0, 8, target=0.7), Stay(0, 100, 110, trip_kwh=5.0, target=0.7)]
    request = plan_request([Car()], stays, steps=120)
    alone = replace(
        request,
        group_id=(),
        group_member=np.zeros((0, 1), dtype=bool),
        background_kw=np.zeros((120, 0)),
        import_limit_kw=np.zeros((120, 0)),
        export_limit_kw=np.zeros((120, 0)),
    )
    for given_request in (request, alone):
        found = LEAST.plan(given_request)
        assert found.p_kw.sum() == pytest.approx(15.0, abs=1e-5)
        assert not found.unmet_kwh.any()


def ample(request: PlanRequest) -> PlanRequest:
    """Return the request without fuses, taper, constant losses, wear or reserve: V2G may do what G2V may.

    No trip is longer than what a target leaves; else plans differ in what is charged on the road.
    """
    count, stays = len(request.vehicle_id), request.stays
    free = np.full(len(request.site_id), np.inf)
    held = replace(
        request.batteries,
        taper_fraction=np.ones(count),
        taper_fraction_discharge=np.ones(count),
        idle_kw=np.zeros(count),
        wear_per_kwh=np.zeros(count),
    )
    spare = (0.3 - held.soc_min[stays.vehicle]) * held.capacity_kwh[stays.vehicle]
    return replace(
        request,
        site_import_limit_kw=free,
        site_export_limit_kw=free,
        batteries=held,
        stays=replace(
            stays,
            soc_reserve=np.zeros(stays.start.size),
            trip_kwh=np.minimum(stays.trip_kwh, spare),
        ),
    )


def served(request: PlanRequest) -> Dispatch:
    """Return uncontrolled charging where it serves everybody; else plans may serve better and draw more."""
    free = uncontrolled_dispatch(request)
    assume(free.unmet_kwh.sum() + free.away_kwh.sum() == 0.0)
    return free


@FEW
@given(request_=small_requests())
def test_in_squares_v2g_is_no_worse_than_g2v_nor_g2v_than_uncontrolled(request_: PlanRequest):
    request = ample(request_)
    plans = [
        v2g.PeakShaving(0.0, 1.0).plan(request),
        g2v.ValleyFilling().plan(request),
        served(request),
    ]
    both, one, free = ((group_load(request, found) ** 2).sum() for found in plans)
    assert both <= one * (1.0 + 2e-5) + 1e-6
    assert one <= free * (1.0 + 1e-9) + 1e-6
    assert np.all(plans[0].soc[-1] >= plans[2].soc[-1] - 1e-7)


@FEW
@given(request_=small_requests())
def test_in_the_peak_v2g_is_no_worse_than_g2v_or_uncontrolled(request_: PlanRequest):
    request = ample(request_)
    free = served(request)
    least = group_load(request, v2g.PeakShaving(0.0, 1.0, objective="peak").plan(request)).max()
    assert least <= group_load(request, g2v.ValleyFilling().plan(request)).max() + 1e-5
    assert least <= group_load(request, free).max() + 1e-5


@FEW
@given(request_=small_requests())
def test_in_money_v2g_is_no_worse_than_g2v_nor_g2v_than_uncontrolled(request_: PlanRequest):
    request = ample(request_)
    flat = [replace(t, export_price=t.import_price.copy()) for t in request.tariffs]
    request = replace(request, tariffs=tuple(flat))
    both = bill(request, v2g.Arbitrage(0.0, 1.0).plan(request))
    one = bill(request, g2v.PriceCharging().plan(request))
    free = bill(request, served(request))
    assert both <= one + 1e-4
    assert one <= free + 1e-9


def test_least_energies_that_contradict_each_other_have_no_least_peak():
    storage, cells = battery(2, lower=39.0)
    loads = Loads(np.zeros((1, 2)), np.ones((1, 1, 2), dtype=bool), np.zeros(2, dtype=np.int64))
    with pytest.raises(InfeasibleDispatch, match="least peak"):
        least_peak(storage, cells, loads, dt_h=1.0)


def test_an_unknown_objective_is_refused():
    with pytest.raises(InputError, match="objective"):
        v2g.PeakShaving(objective="flat")
