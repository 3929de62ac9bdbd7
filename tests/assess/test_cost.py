import dataclasses

import numpy as np
import pytest

from gridimpact.assess import CostReducer, assess, compare_with_base
from gridimpact.assess.cost import hours_of_month
from gridimpact.timeline import Timeline
from tests.assess.case import context, dispatch, request, segment, tariff, timeline

ROWS = [(0, 0, 0, 96, 0.8), (1, 2, 0, 96, 0.8)]  # one car at home1, one at the hall


def charging(steps=96, level=4.0):
    p = np.zeros((steps, 2))
    p[0:8] = level
    return p


def day(p=None, base=False, **changes):
    time = timeline(96)
    asked = dataclasses.replace(request(time, ROWS, **changes), charger_site=np.array([0, 2]))
    planned = None if base else dispatch(asked, charging() if p is None else p)
    return segment(96, with_cars=(asked, planned))


def test_a_site_pays_on_its_net_power():
    # 1 kW of load, 3 kW of sun: 2 kW fed, but drawn while the car takes 4 kW.
    result = assess(context(), day(pv_kw=-3.0), "x")
    home = result.tables["sites"].set_index("site_id").loc["home1"]
    assert home["import_kwh"] == pytest.approx(2.0 * 2)
    assert home["export_kwh"] == pytest.approx(2.0 * 22)
    assert home["cost"] == pytest.approx(4.0 * 0.30 - 44.0 * 0.10)
    other = result.tables["sites"].set_index("site_id").loc["home2"]
    assert other["export_kwh"] == pytest.approx(48.0)


def test_bills_are_of_sites_with_cars_and_peaks_of_buildings():
    result = assess(context(), day(), "x")
    with_car = (24 * 1.0 + 8.0) * 0.30
    assert result.summary["cost_eur"] == pytest.approx(2 * with_car)
    assert result.summary["cost_per_home_eur"] == pytest.approx(with_car)
    assert result.summary["building_peak_kw"] == 5.0


def test_a_car_costs_its_bill_over_the_same_sites_without_cars():
    base = assess(context(), day(base=True), "no_ev")
    result = compare_with_base(assess(context(), day(), "x"), base)
    assert base.summary["ev_cost_per_car_eur"] is None
    assert result.summary["ev_cost_per_car_eur"] == pytest.approx(8.0 * 0.30)
    # A base that does not know a site cannot price it.
    lame = dataclasses.replace(base, tables={"sites": base.tables["sites"].iloc[1:]})
    assert (
        compare_with_base(assess(context(), day(), "x"), lame).summary["ev_cost_per_car_eur"]
        is None
    )


def test_demand_is_charged_by_month_on_the_highest_draw_and_prorated():
    rate = tariff(96, demand_charge_per_kw_month=10.0)
    result = assess(context(), day(tariffs=(rate,)), "x")
    hall = result.tables["sites"].set_index("site_id").loc["hall"]
    assert hall["demand_cost"] == pytest.approx(10.0 * 5.0 / 31)
    assert any("in proportion to the time" in note.text for note in result.notes)


def test_subscribed_power_and_its_excess_are_charged():
    rate = tariff(
        96, subscribed_kw=3.0, subscribed_per_kw_month=2.0, excess_per_kw_month=20.0,
        demand_charge_per_kw_month=1.0,
    )  # fmt: skip
    result = assess(context(), day(tariffs=(tariff(96), rate), own_tariff=(0, 0, 1, 0)), "x")
    table = result.tables["sites"].set_index("site_id")
    assert table.loc["hall", "demand_cost"] == pytest.approx((5 + 3 * 2 + 20 * 2) / 31)
    assert table.loc["home1", "demand_cost"] == 0.0


def test_a_whole_month_pays_whole_and_two_months_pay_twice():
    time = Timeline.between("2016-03-01", "2016-05-01", step="1h", zone="Europe/Berlin")
    steps = time.count
    rate = tariff(steps, demand_charge_per_kw_month=10.0)
    asked = dataclasses.replace(
        request(time, [(0, 2, 0, steps, 0.8)], tariffs=(rate,)), charger_site=np.array([2])
    )
    p = np.zeros((steps, 1))
    p[5] = 6.0
    march = 31 * 24 - 1  # summer time begins
    p[march + 5] = 9.0
    solved = dataclasses.replace(
        segment(steps, with_cars=(asked, dispatch(asked, p))), timeline=time
    )
    result = assess(context(), solved, "x")
    hall = result.tables["sites"].set_index("site_id").loc["hall"]
    assert hall["demand_cost"] == pytest.approx(10.0 * (7 + 10))
    assert not any("in proportion" in note.text for note in result.notes)
    assert any("highest step of 60 min" in note.text for note in result.notes)
    assert hours_of_month(12 * 2016 + 2, "Europe/Berlin") == march
    assert hours_of_month(12 * 2016 + 11, "UTC") == 744.0


def test_segments_of_one_month_share_its_peak():
    rate = tariff(96, demand_charge_per_kw_month=31.0)
    high, low = day(tariffs=(rate,)), day(charging(level=1.0), tariffs=(rate,))
    later = timeline(96, start="2016-01-20")
    low = dataclasses.replace(
        low, timeline=later, request=dataclasses.replace(low.request, timeline=later)
    )
    result = assess(context(), [high, low], "x")
    hall = result.tables["sites"].set_index("site_id").loc["hall"]
    assert hall["demand_cost"] == pytest.approx(2 * 5.0)


def test_the_main_fuse_is_reported_where_it_is_exceeded():
    p = charging(level=24.0)
    result = assess(context(), day(p), "x")
    hours = result.tables["sites"].set_index("site_id")["hours_over_fuse"]
    assert hours.to_dict() == {"home1": 2.0, "home2": 0.0, "hall": 0.0, "home3": 0.0}
    assert any("more than their main fuse" in note.text for note in result.notes)


@pytest.mark.parametrize(
    "free", [(), (tariff(96, import_price=np.zeros(96), export_price=np.zeros(96)),)]
)
def test_without_prices_there_is_no_bill(free):
    result = assess(context(), day(tariffs=free), "x")
    assert result.summary["cost_eur"] is None
    assert result.tables["sites"]["cost"].isna().all()
    assert result.summary["building_peak_kw"] == 5.0
    assert any("no tariff has a price" in note.text for note in result.notes)


def test_another_currency_is_named():
    dollars = tariff(96, currency="USD")
    result = assess(context(), day(tariffs=(dollars,)), "x")
    assert result.tables["sites"]["currency"].unique().tolist() == ["USD"]
    assert any("amounts are in USD" in note.text for note in result.notes)


def test_without_meters_money_is_not_assessed():
    assert CostReducer.start(context()).finish() is None
    result = assess(context(), segment(96), "x")
    assert result.summary["cost_eur"] is None
    assert not len(result.tables["sites"])
    assert any("no site demand given" in note.text for note in result.notes)


def test_no_chargers_no_bill_for_cars():
    time = timeline(96)
    asked = dataclasses.replace(request(time, []), charger_site=np.zeros(0, dtype=int))
    result = assess(context(), segment(96, with_cars=(asked, None)), "no_ev")
    assert result.summary["cost_eur"] is None
    assert result.summary["cost_per_home_eur"] is None
    assert result.tables["sites"]["cost"].notna().all()
