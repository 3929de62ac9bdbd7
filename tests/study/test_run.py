"""A solved study keeps its promises: energy, service, meters, reserves, and a base that nothing moves."""

from __future__ import annotations

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.conventions import METRICS, VARIABLES
from gridimpact.study.run import labelled
from tests.study import case
from tests.study.ledger import Files

SOC = 1e-9


@pytest.fixture(scope="module")
def files(written):
    return Files(written)


def test_every_strategy_has_a_row_and_the_two_references_come_first(solved):
    names = ["no_ev", "uncontrolled", *[s.name for s in case.strategies()[1:]]]
    assert solved.comparison.index.tolist() == names
    assert solved.comparison.columns.tolist() == list(METRICS)
    assert list(solved.assessments) == names
    assert solved.dataset["strategy"].values.tolist() == names


def test_every_variable_is_there_with_its_axes_and_unit(solved):
    held = set(solved.dataset.data_vars)
    left_out = {
        "unbalance_percent", "transformer_phase_loading_percent", "transformer3w_loading_percent",
        "tap_pos", "pv_q_kvar", "inner_loss_kwh",
    }  # fmt: skip
    assert held == set(VARIABLES) - left_out
    for name in held:
        assert solved.dataset[name].dims == VARIABLES[name].dims
        assert solved.dataset[name].attrs["units"] == VARIABLES[name].unit


def test_every_lane_was_solved_and_agrees_with_pandapower(solved):
    assert not solved.dataset["status"].any()
    assert solved.manifest["steps_failed"] == 0
    assert solved.manifest["steps"] == solved.dataset["status"].size
    verified = solved.manifest["verified"]
    assert verified["lanes"] == 12
    assert verified["vm_pu"] < 1e-8
    assert verified["line_loading_percent"] < 1e-4
    assert verified["transformer_loading_percent"] < 1e-4


def test_energy_ledger_of_each_vehicle_closes_from_the_files_alone(files):
    """Battery at departure = battery at arrival + what the meter counted less losses."""
    worst, stays = 0.0, 0
    for strategy in files.strategies:
        for stay in files.stays(strategy):
            car = files.vehicles.loc[stay.vehicle]
            soc = files.soc[strategy][stay.first : stay.last, files.vehicle[stay.vehicle]]
            begin = (
                float(files.data["soc_initial"][stay.period].sel(vehicle=stay.vehicle))
                if files.under_way(stay)
                else files.of_session("soc_arrival", stay)
            )
            expected = begin + np.cumsum(files.battery_kwh(stay)) / car["capacity_kwh"]
            worst = max(worst, float(np.abs(soc - expected).max()))
            stays += 1
    assert worst < 1e-9
    assert stays > 300


def test_trips_carry_the_battery_from_one_stay_to_the_next(files):
    """Arrival = departure before less the trip, plus what was charged elsewhere on the way."""
    checked = 0
    for strategy in files.strategies:
        before = None
        for stay in files.stays(strategy):
            chained = before is not None and (before.period, before.vehicle) == (
                stay.period,
                stay.vehicle,
            )
            given = files.sessions.loc[stay.session, "soc_arrival"]
            if chained and np.isnan(given):
                rows = files.sessions[files.sessions["vehicle_id"] == stay.vehicle]
                between = rows["plug_in"].between(
                    files.sessions.loc[before.session, "plug_in"],
                    files.sessions.loc[stay.session, "plug_in"],
                    inclusive="right",
                )
                driven = rows.loc[between, "trip_kwh"].sum() - files.of_session("away_kwh", stay)
                capacity = files.vehicles.loc[stay.vehicle, "capacity_kwh"]
                left = files.soc[strategy][before.last - 1, files.vehicle[stay.vehicle]]
                arrival = files.of_session("soc_arrival", stay)
                assert arrival == pytest.approx(left - driven / capacity, rel=1e-9, abs=1e-12)
                checked += 1
            before = stay
    assert checked > 100


def test_no_power_flows_where_no_car_is_plugged_in(files):
    for strategy in files.strategies:
        plugged = np.zeros_like(files.power[strategy], dtype=bool)
        for stay in files.stays(strategy):
            plugged[stay.first : stay.last, files.charger[stay.charger]] = True
        assert not files.power[strategy][~plugged].any(), strategy


def test_nobody_leaves_below_target_unless_unmet_energy_says_so(files):
    departures = 0
    for strategy in files.strategies:
        steps = len(files.power[strategy])
        last_of_period = np.flatnonzero(np.diff(files.data["segment"].to_numpy())) + 1
        for stay in files.stays(strategy):
            if stay.last in (*last_of_period, steps):
                continue
            car = files.vehicles.loc[stay.vehicle]
            target = min(files.sessions.loc[stay.session, "soc_target"], car["soc_max"])
            soc = files.soc[strategy][stay.last - 1, files.vehicle[stay.vehicle]]
            missing = max(target - soc, 0.0) * car["capacity_kwh"]
            assert files.of_session("unmet_kwh", stay) == pytest.approx(missing, abs=1e-6)
            departures += 1
    assert departures > 200


def test_every_strategy_ends_each_period_where_uncontrolled_charging_does_or_above(files):
    segment = files.data["segment"].to_numpy()
    for period in np.unique(segment):
        last = int(np.flatnonzero(segment == period)[-1])
        for strategy in files.strategies:
            lacking = {
                stay.vehicle
                for stay in files.stays(strategy)
                if stay.period == period and files.of_session("unmet_kwh", stay) > 0
            }
            served = [n for v, n in files.vehicle.items() if v not in lacking]
            gap = files.soc["uncontrolled"][last, served] - files.soc[strategy][last, served]
            assert gap.max() < SOC, strategy
            assert len(served) > 8


@pytest.mark.parametrize("kind", ["home", "building"])
def test_discharge_behind_a_meter_never_exceeds_its_load_less_its_pv(files, kind):
    family = "v2h" if kind == "home" else "v2b"
    rows = [s for s in files.strategies if s.startswith(family)]
    assert len(rows) == 2
    data = files.data
    net = (data["load_p_kw"] + data["pv_p_kw"]).to_pandas()
    fed_total = 0.0
    for strategy in rows:
        power = data["charger_p_kw"].sel(strategy=strategy).to_pandas()
        by_site = power.T.groupby(data["charger_site"].to_numpy()).sum().T
        fed = -by_site.clip(upper=0.0)
        room = net[fed.columns].clip(lower=0.0)
        assert (fed <= room + 1e-6).to_numpy().all()
        single = -power.clip(upper=0.0)
        at_kind = data["site_kind"].sel(site=data["charger_site"]).to_numpy() == kind
        assert not single.to_numpy()[:, ~at_kind].any()
        fed_total += float(single.to_numpy().sum())
    assert fed_total > 1.0


def test_charging_only_strategies_never_discharge(files):
    for strategy in [s for s in files.strategies if s.startswith("g2v") or s == "uncontrolled"]:
        assert files.power[strategy].min() >= 0.0


def test_v2g_never_discharges_below_the_reserve(files):
    for strategy in ("v2g_peak_shaving", "v2g_arbitrage"):
        fed = 0.0
        for stay in files.stays(strategy):
            p_kw = files.power[strategy][stay.first : stay.last, files.charger[stay.charger]]
            soc = files.soc[strategy][stay.first : stay.last, files.vehicle[stay.vehicle]]
            reserve = max(0.4, files.vehicles.loc[stay.vehicle, "soc_reserve"])
            assert (soc[p_kw < -1e-9] >= reserve - SOC).all()
            fed -= p_kw[p_kw < 0].sum()
        assert fed > 1.0, strategy


def test_a_stay_over_two_periods_closes_in_both(files):
    begin = files.data["session_start_step"].to_numpy()
    assert ((begin >= 0).sum(axis=0) == 2).any()


def test_figures_count_no_margin_day(solved):
    counted = int(solved.dataset["counted"].sum())
    assert counted == 3 * 96
    assert (solved.comparison["hours_assessed"] == 72.0).all()
    assert [d["steps"] for d in solved.manifest["days"]] == [96, 192]


def test_without_cars_uncontrolled_equals_the_base_bit_by_bit():
    net, _, _, _ = case.parts()
    empty = gi.place(gi.synthesize_fleet(0, case.WEEK), net)
    found = case.study([gi.Uncontrolled()], empty).run("2016-04-16", progress=False)
    data = found.dataset
    for name in ("vm_pu", "line_loading_percent", "transformer_loading_percent", "losses_kw",
                 "hot_spot_c", "transformer_p_kw"):  # fmt: skip
        base, row = (data[name].sel(strategy=s).to_numpy() for s in ("no_ev", "uncontrolled"))
        assert base.tobytes() == row.tobytes(), name
    table = found.summary().drop(columns=[m for m in METRICS if m.startswith(("violations", "ev_", "unmet", "departures", "battery", "wear", "equivalent", "stored"))])  # fmt: skip
    assert table.loc["no_ev"].equals(table.loc["uncontrolled"])
    assert found.summary().loc["uncontrolled", "violations_ev_caused"] == 0


def test_two_runs_give_the_same_bytes_and_a_strategy_more_changes_no_other_row(solved):
    chosen = [gi.g2v.TransformerLimit(0.3), gi.v2h.SelfConsumption()]
    again = case.study(chosen).run(case.DAYS, progress=False).record
    rows = again.dataset["strategy"].values.tolist()
    assert rows == ["no_ev", "uncontrolled", "g2v_transformer_limit", "v2h_self_consumption"]
    part = solved.dataset.sel(strategy=rows)
    for name in part.data_vars:
        assert part[name].to_numpy().tobytes() == again.dataset[name].to_numpy().tobytes(), name
    assert solved.comparison.loc[rows].equals(again.comparison)


def test_rows_are_told_apart_by_settings_where_they_share_a_name():
    low, high = gi.g2v.TransformerLimit(0.5), gi.g2v.TransformerLimit(0.7)
    assert list(labelled([low, high])) == [
        "uncontrolled",
        "g2v_transformer_limit(limit=0.5)",
        "g2v_transformer_limit(limit=0.7)",
    ]


def test_notes_are_said_once_and_the_busbar_s_sensitivity_is_among_them(solved):
    assert len(set(solved.notes)) == len(solved.notes)
    assert any(n.where == "busbar set-point" for n in solved.notes)
    moved = solved.manifest["busbar_sensitivity"]["uncontrolled"]
    assert moved["lower"] < moved["as_set"] < moved["higher"]
    assert moved["as_set"] - moved["lower"] == pytest.approx(0.03, abs=0.005)
