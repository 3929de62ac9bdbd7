"""What a fleet can offer: envelopes, profile, bids and portfolio."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridimpact as gi
from gridimpact.dispatch import aggregator, execute
from gridimpact.dispatch.aggregator import MarketRules, bids, cars_for, portfolio, profile
from gridimpact.dispatch.aggregator.market import firm_power
from gridimpact.dispatch.aggregator.profile import offered
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from tests.dispatch.fleets import home_fleet
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request, small_requests


def stored_kwh(request, found):
    """Return energy put into each battery less what was taken, over time, within stays."""
    held, dt_h = request.batteries, request.timeline.dt_h
    loss = np.where(found.p_kw == 0.0, 0.0, held.idle_kw)
    flow = np.where(
        found.p_kw > 0,
        (found.p_kw - loss) * held.eta_charge,
        (found.p_kw - loss) / held.eta_discharge,
    )
    return np.cumsum(flow * dt_h, axis=0)


def test_the_envelope_is_soon_late_and_down_to_the_floor_first():
    request = plan_request(
        [Car(soc=0.5)], [Stay(0, 1, 7, target=0.8, p_discharge_kw=5.0, reserve=0.3)], steps=8
    )
    found = aggregator.flexibility(request)
    assert found.e_max_kwh[:, 0] == pytest.approx([0, 10, 15, 15, 15, 15, 15, 15])
    # Down at 5 kW to the floor of 15 kWh, then up at 10 kW in the last hours.
    assert found.e_min_kwh[:, 0] == pytest.approx([0, -5, -10, -10, -5, 5, 15, 15])
    assert found.p_min_kw[1:7, 0] == pytest.approx([-5, -5, -5, -5, -5, 0])
    assert found.p_max_kw[[0, 7], 0] == pytest.approx([0, 0])
    above = aggregator.flexibility(request, ceiling="max")
    assert above.e_max_kwh[7, 0] == pytest.approx(25.0)
    one_way = plan_request([Car(soc=0.5)], [Stay(0, 1, 7, target=0.8)], steps=8)
    assert aggregator.flexibility(one_way).e_min_kwh.min() == 0.0


@settings(max_examples=10, deadline=None, derandomize=True)
@given(request_=small_requests(), seed=st.integers(0, 99))
def test_every_plan_of_the_first_stays_lies_inside_the_summed_envelope(request_, seed):
    # Later stays begin with what the plan left, the envelope's with what uncontrolled charging leaves.
    first = np.concatenate([[True], np.diff(request_.stays.vehicle) != 0])
    stays = replace(request_.stays, end=np.where(first, request_.stays.end, request_.stays.start))
    request_ = replace(request_, stays=stays)
    rng = np.random.default_rng(seed)
    shape = (request_.timeline.count, len(request_.vehicle_id))
    found = execute(
        request_,
        rng.uniform(-12, 12, shape),
        strategy="any",
        controlled=np.ones(shape[1], bool),
    )
    fleet = aggregator.summed(aggregator.flexibility(request_, ceiling="max"))
    stored = stored_kwh(request_, found).sum(axis=1)
    assert np.all(stored <= fleet.e_max_kwh + 1e-6)
    assert np.all(stored >= fleet.e_min_kwh - 1e-6)
    power = found.p_kw.sum(axis=1)
    idle = 1e-6 + 2 * request_.batteries.idle_kw.sum()
    assert np.all(power <= fleet.p_max_kw + idle)
    assert np.all(power >= fleet.p_min_kw - idle)


def test_uncontrolled_charging_runs_along_the_upper_bound_and_groups_add_up():
    request = home_fleet(6, 3)
    request = replace(
        request,
        group_id=("left", "right"),
        group_member=np.stack([np.arange(6) < 2, np.arange(6) >= 2]),
        background_kw=np.repeat(request.background_kw, 2, axis=1),
        import_limit_kw=np.repeat(request.import_limit_kw, 2, axis=1),
        export_limit_kw=np.repeat(request.export_limit_kw, 2, axis=1),
    )
    whole = aggregator.summed(aggregator.flexibility(request))
    stored = stored_kwh(request, uncontrolled_dispatch(request)).sum(axis=1)
    np.testing.assert_allclose(stored, whole.e_max_kwh, atol=1e-9)
    parts = aggregator.flexibility_by_group(request)
    assert list(parts) == ["left", "right"]
    for name in ("e_min_kwh", "e_max_kwh", "p_min_kw", "p_max_kw"):
        total = sum(getattr(part, name) for part in parts.values())
        np.testing.assert_allclose(total, getattr(whole, name), atol=1e-9)


def test_up_is_less_charging_and_feeding_and_down_is_the_rest_of_the_charger():
    # 3.7 of 7.4 kW: a car that only charges offers 3.7 both ways, one that feeds 11.1 up.
    cars = [Car("one way", soc=0.3, capacity_kwh=200), Car("both ways", soc=0.5, capacity_kwh=200)]
    stays = [Stay(k, 0, 24, target=0.8, p_kw=7.4, p_discharge_kw=7.4 * k) for k in range(2)]
    request = plan_request(cars, stays)

    class Half:
        """Charge at half power."""

        def plan(self, given):
            return execute(
                given, np.full((24, 2), 3.7), strategy="half", controlled=np.ones(2, bool)
            )

    up, down = offered(request, Half().plan(request), np.ones(2, bool), np.arange(24))
    assert up[:5, 0] == pytest.approx(3.7)
    assert up[:5, 1] == pytest.approx(11.1)
    assert down[:5] == pytest.approx(3.7)
    found = profile(request, baseline=Half())
    assert found.up_kw[0, 2] == pytest.approx(14.8)
    assert found.table.loc[2, "plugged_p50"] == 1.0


def test_an_offer_of_a_block_really_is_kept_to_its_end():
    request = home_fleet(8, 2, seed=5)
    own, block = np.ones(8, bool), np.arange(request.timeline.count) // 4
    plan = uncontrolled_dispatch(request)
    up, down = offered(request, plan, own, block)
    for number in (18, 20, 21, 22, 26):
        for sign, power in ((-1.0, up), (1.0, down)):
            asked = plan.p_kw + sign * np.where((block == number)[:, None], power, 0.0)
            found = execute(request, asked, strategy="called", controlled=own)
            inside = block == number
            got = sign * (found.p_kw - plan.p_kw)[inside].sum(axis=1)
            assert np.all(got >= power[inside].sum(axis=1) - 1e-6)
            assert found.unmet_kwh.sum() <= plan.unmet_kwh.sum() + 1e-6


def test_availability_comes_from_the_stays():
    some, all_ = profile(home_fleet(comes=0.6, days=6)), profile(home_fleet(comes=1.0, days=6))
    assert some.plugged[1:, 2].max() < 0.9
    assert all_.plugged[1:, 2].min() > 0.95
    assert some.up_kw[:, 2].mean() < 0.8 * all_.up_kw[:, 2].mean()
    assert profile(home_fleet(days=6)).up_kw[:, 11].max() == 0.0


def test_main_fuses_bound_the_offer():
    place = Place("building", 5.0, import_limit_kw=9.0, export_limit_kw=1.0, chargers=2)
    stays = [Stay(k, 0, 24, p_discharge_kw=10.0, target=0.5) for k in range(2)]
    cars = [Car(f"car {k}", soc=0.7, capacity_kwh=90) for k in range(2)]
    found = profile(plan_request(cars, stays, places=[place], groups=[Group(5.0, 100.0, 100.0)]))
    assert found.down_kw[0, 3] == pytest.approx(4.0)
    assert found.up_kw[0, 3] == pytest.approx(6.0)
    assert found.export_room_kw[0, 0, 3] == pytest.approx(105.0)
    assert found.import_room_kw[0, 0, 3] == pytest.approx(95.0)


def test_the_tenth_percentile_is_there_on_nine_days_of_ten_not_seen_before():
    kept, whole = [], []
    for seed in range(12):
        days = profile(home_fleet(10, 26, seed=seed, per_hour=1)).up_kw[1:-1]
        order = np.random.default_rng(seed).permutation(len(days))
        known, later = days[order[:19]], days[order[19:]]
        kept.append((firm_power(known, 0.9) <= later + 1e-9).mean())
        joint = firm_power(known, 0.9, whole_day=True)
        whole.append((joint <= later + 1e-9).all(axis=1).mean())
    assert np.mean(kept) >= 0.9
    assert np.mean(whole) >= 0.85


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    st.integers(9, 60),
    st.sampled_from([0.5, 0.8, 0.9]),
    st.integers(0, 1000),
)
def test_firm_power_is_undercut_on_few_of_its_own_days(days, confidence, seed):
    samples = np.random.default_rng(seed).gamma(2.0, 30.0, (days, 3))
    firm = firm_power(samples, confidence)
    assert np.all((samples < firm).mean(axis=0) <= 1.0 - confidence)
    joint = firm_power(samples, confidence, whole_day=True)
    assert (samples < joint - 1e-9).any(axis=1).mean() <= 1.0 - confidence


def test_too_few_days_show_nothing():
    assert firm_power(np.full((8, 2), 50.0), 0.9).tolist() == [0.0, 0.0]
    offers = bids(profile(home_fleet(5, 8)), MarketRules(1.0, 0.0))
    assert not offers["accepted"].any()
    assert offers["reason"].str.contains("8 days cannot show").all()


def test_published_sizes_of_fleets():
    # 1 MW from cars of 15 kW: 67; half as many again because not all are plugged in: 100.5, so 101.
    assert cars_for(1000.0, 15.0) == 67
    assert cars_for(1000.0, 15.0, margin=1.5) == 101
    assert 1.5 * 67 == 100.5
    # The pilot in PJM's area: 100 kW, cars of 18 kW, at least nine of them with 162 kW.
    assert cars_for(100.0, 18.0) == 6
    assert cars_for(100.0, 18.0, margin=1.5) == 9
    # 500 cars with home wiring give 1 to 2 MW: 2 to 4 kW each.
    assert [1000.0 / 500, 2000.0 / 500] == [2.0, 4.0]
    assert cars_for(1000.0, 2.0) == cars_for(2000.0, 4.0) == 500


@pytest.mark.reference
def test_published_sizes_are_those_of_the_reference(reference):
    text = (reference / "reference/requirements/seed_arithmetic.json").read_text()
    cases = {case["id"]: case for case in json.loads(text)["cases"]}
    one = cases["agg-67"]["inp"]
    assert cars_for(1000.0 * one["min_mw"], one["kw_per_ev"]) == cases["agg-67"]["expect"]["n"]
    factor = cases["agg-100"]["inp"]["factor"]
    expect = cases["agg-100"]["expect"]
    assert cars_for(1000.0, 15.0, margin=factor) == expect["ceil"]
    pilot = cases["pjm-9"]
    size, power = pilot["inp"]["min_kw"], pilot["inp"]["kw_per_ev"]
    assert cars_for(size, power) == pilot["expect"]["n_min"]
    assert cars_for(size, power, margin=1.5) == pilot["expect"]["with_1_5"]
    assert power * pilot["expect"]["with_1_5"] == pilot["expect"]["power_of_9_kw"]
    market = json.loads((reference / "reference/requirements/market_ancillary.json").read_text())[
        "cases"
    ]
    least = next(case for case in market if case["id"] == "min-size")
    rules = MarketRules(1000.0 * least["inp"]["min_mw"])
    assert rules.offer_kw(1000.0 * least["inp"]["offer_mw"]) == 0.0


def test_an_offer_below_the_least_size_is_rejected():
    assert MarketRules(100.0).offer_kw(90.0) == 0.0
    assert MarketRules(100.0).offer_kw(100.0) == 100.0
    assert MarketRules(1000.0).offer_kw(1990.0) == 1900.0
    assert MarketRules(1000.0, block_kw=0.0).offer_kw(1990.0) == 1990.0
    single = bids(profile(home_fleet(1, 12)), MarketRules(100.0))
    assert not single["accepted"].any()
    assert single["reason"].eq("below 100 kW").all()


def test_thirty_cars_never_bid_a_megawatt_but_a_portfolio_of_them_does():
    feeder = profile(home_fleet(30, 14))
    assert not bids(feeder)["accepted"].any()
    many = portfolio(feeder, feeders=15)
    offers = bids(many)
    assert many.cars == 450
    evening = offers[(offers["direction"] == "up") & (offers["hour"] == 21)].iloc[0]
    assert evening["accepted"]
    needed = aggregator.cars_needed(feeder, draws=200).set_index(["direction", "hour"])
    at_nine = needed.loc[("up", 21.0)]
    assert 1000.0 / (30 * 7.0) < at_nine["feeders"] < 15
    assert at_nine["margin"] > 1.0
    # At noon the cars are away: no number of them reaches it.
    assert np.isnan(needed.loc[("up", 10.0), "cars"])
    one_less = portfolio(feeder, feeders=int(at_nine["feeders"]) - 1, draws=200)
    assert firm_power(one_less.up_kw, 0.9)[21] < 1000.0


def test_the_firm_power_of_many_is_more_than_many_times_that_of_one():
    feeder = profile(home_fleet(10, 16, comes=0.7))
    many, copies = portfolio(feeder, feeders=50), portfolio(feeder, feeders=50, common=1.0)
    one = firm_power(feeder.up_kw, 0.9)[22]
    assert firm_power(many.up_kw, 0.9)[22] > 1.05 * 50 * one
    assert firm_power(copies.up_kw, 0.9)[22] == pytest.approx(50 * one, rel=0.05)
    assert many.up_kw.mean() == pytest.approx(50 * feeder.up_kw.mean(), rel=0.01)
    spread = many.up_kw[:, 22].std() / (np.sqrt(50) * feeder.up_kw[:, 22].std())
    assert spread == pytest.approx(1.0, abs=0.1)
    again = portfolio(feeder, feeders=50)
    assert again.up_kw.tobytes() == many.up_kw.tobytes()
    assert portfolio(feeder, feeders=50, seed=1).up_kw.tobytes() != many.up_kw.tobytes()
    scaled = portfolio(feeder, cars=504)
    assert scaled.cars == 504
    assert scaled.up_kw.mean() == pytest.approx(50.4 * feeder.up_kw.mean(), rel=0.01)


def test_each_feeder_carries_its_share_or_is_named():
    wide, narrow = (
        profile(home_fleet(30, 12, seed=seed, limit_kw=limit))
        for seed, limit in ((0, 600.0), (1, 150.0))
    )
    offers = bids(portfolio(wide, feeders=12))
    found = aggregator.check_feeders(offers, [wide, narrow], counts=[6, 6])
    shares = found.groupby(["direction", "hour"])["share_kw"].sum() * 6
    told = offers[offers["accepted"]].set_index(["direction", "hour"])["offer_kw"]
    np.testing.assert_allclose(shares, told.loc[shares.index])
    assert found[found["feeder"].str.startswith("1")]["fits"].all()
    tight = found[found["feeder"].str.startswith("2") & ~found["fits"]]
    assert (tight["share_kw"] > tight["room_kw"]).all()
    assert set(tight["direction"]) == {"down"}


def test_scenarios_and_days_are_samples_of_the_same_block():
    one, two = home_fleet(5, 8), home_fleet(5, 8, seed=1)
    assert profile([one, two]).days == 16
    assert profile(one, days="weekends").days == 2
    assert profile(one, days="weekdays").days == 6
    four = profile(one, block_h=4.0)
    assert four.hours.tolist() == [0, 4, 8, 12, 16, 20]
    hourly = profile(one).up_kw.reshape(8, 6, 4).min(axis=2)
    assert np.all(four.up_kw <= hourly + 1e-6)
    assert profile(one, enrolled=0.4).cars < 5


def test_what_does_not_fit_is_refused():
    feeder = profile(home_fleet(2, 3))
    with pytest.raises(InputError, match="make the profile with block_h=4"):
        bids(feeder, MarketRules(block_h=4.0))
    with pytest.raises(InputError, match="confidence is 1"):
        MarketRules(confidence=1.0)
    with pytest.raises(InputError, match="block_h 0"):
        MarketRules(block_h=0.0)
    with pytest.raises(InputError, match="either feeders or cars"):
        portfolio(feeder)
    with pytest.raises(InputError, match="the profile already has 2"):
        portfolio(feeder, cars=1)
    with pytest.raises(InputError, match="must be at least 1"):
        portfolio(feeder, feeders=0)
    with pytest.raises(InputError, match="no whole local day"):
        profile(plan_request([Car()], [Stay(0, 0, 9)], steps=12))
    with pytest.raises(InputError, match="must divide 24 hours"):
        profile(home_fleet(1, 2), block_h=5.0)
    with pytest.raises(InputError, match="different fleets"):
        profile([home_fleet(1, 2), home_fleet(2, 2)])
    with pytest.raises(InputError, match="at least one request"):
        profile([])
    with pytest.raises(InputError, match="'sundays' is unknown"):
        profile(home_fleet(1, 2), days="sundays")
    with pytest.raises(InputError, match="ceiling 'top'"):
        aggregator.flexibility(home_fleet(1, 2), ceiling="top")
    with pytest.raises(InputError, match="must be above 0"):
        cars_for(100.0, 0.0)
    with pytest.raises(InputError, match="for each of 1 feeders"):
        aggregator.check_feeders(bids(feeder), feeder, counts=[1, 2])


def test_the_room_is_public():
    assert gi.aggregator is aggregator
    assert set(aggregator.__all__) <= set(dir(aggregator))
