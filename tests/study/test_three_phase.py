"""Studies in three phases from end to end: who stands on which phase, what is stored, what is replayed."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache

import numpy as np
import pandapower as pp
import pytest
import xarray as xr

import gridimpact as gi
from gridimpact.ageing import Nameplate, thermal_series
from gridimpact.errors import GridError, InputError
from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.powerflow import FlowOptions
from gridimpact.powerflow.given import phase_shares
from gridimpact.records import Injections, Profiles
from gridimpact.study.config import parse_config
from gridimpact.study.elements import (
    CHARGER,
    ONE_PHASE_CARS,
    PV,
    elements_of,
    first_phase,
    phases_of_pv,
)
from gridimpact.study.inject import inject
from gridimpact.study.plan import plan
from gridimpact.study.power_flow import FlowSetup, flow_setup, resolved
from gridimpact.study.requests import build_requests
from gridimpact.study.run import run_study
from gridimpact.study.store_read import read_results
from gridimpact.study.thermal import temperatures
from tests.network.nets import feeder
from tests.study import case

CAR = {"capacity_kwh": 60.0, "p_charge_max_kw": 7.4, "phases": 1}
NIGHT = ("2016-04-15 01:00", "2016-04-15 09:00", 30.0)


def one_phase_study(net, *, phase="b", kw=1.0, pv=0.0, **options):
    """A car on one phase at the second home of a small feeder, all homes drawing the same."""
    fleet = case.fleet_of([("a", *NIGHT)], {"a": CAR}, p_max_kw=7.4, phases=phase)
    placed = gi.place(fleet, net, at={"c_a": str(net.sites.index[1])}, phases="keep")
    profiles = case.constant(net, kw=kw, pv=pv)
    return gi.Study(net, profiles, placed, strategies=["uncontrolled"], **options)


@lru_cache(maxsize=1)
def european() -> gi.Study:
    """Single-phase homes, PV and cars on the IEEE European LV feeder, a day by the hour."""
    net = open_network("ieee_european_lv")
    rng = np.random.default_rng(8)
    shape = (case.DAY.count, len(net.sites))
    generation = -rng.uniform(0, 4, shape) * (np.arange(shape[1]) % 4 == 0)
    names = tuple(str(s) for s in net.sites.index)
    homes = Profiles(case.DAY, names, rng.gamma(1.2, 1.2, shape), generation, source="drawn")
    sessions = [(f"v{k}", *NIGHT) for k in range(20)]
    fleet = case.fleet_of(sessions, {f"v{k}": CAR for k in range(20)}, p_max_kw=7.4, phases="a")
    placed = gi.place(fleet, net, seed=2)
    return gi.Study(
        net, homes, placed, strategies=["g2v.valley_filling"], ambient=np.full(case.DAY.count, 5.0)
    )


@lru_cache(maxsize=1)
def solved():
    return european().run("all", verify=3, progress=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return solved().save(tmp_path_factory.mktemp("three") / "results")


def test_single_phase_cars_on_the_european_feeder_are_solved_in_three_phases():
    result = solved()
    assert result.manifest["power_flow"] == {"kind": "three-phase", "zero_sequence": "require"}
    assert result.manifest["engine_options"]["phases"] == 3
    data = result.dataset
    assert data["vm_pu"].dims == ("strategy", "time", "bus", "phase")
    assert data["vm_pu"].dtype == np.float32
    assert not data["status"].any()
    assert np.isfinite(data["unbalance_percent"]).all()
    assert data["transformer_phase_loading_percent"].sizes["phase"] == 3
    verdicts = result.record.assessments["uncontrolled"].tables["verdicts"].set_index("subject")
    assert verdicts.loc["voltage", "verdict"] in ("pass", "fail")
    buses = result.record.assessments["uncontrolled"].tables["buses"].set_index("bus")
    lowest = data["vm_pu"].sel(strategy="uncontrolled").min(("time", "phase"))
    told = buses["vm_min_pu"].reindex(data["bus"].values)
    assert np.allclose(told, lowest, atol=1e-6)


def test_a_balanced_flow_would_have_hidden_the_lowest_phase():
    spec = dataclasses.replace(european().spec, power_flow="balanced")
    balanced = run_study(spec, days="all", progress=False)
    low = balanced.comparison.at["uncontrolled", "vm_min_pu"]
    assert solved().record.comparison.at["uncontrolled", "vm_min_pu"] < low - 0.02
    reason = balanced.assessments["uncontrolled"].tables["verdicts"].set_index("subject")
    assert reason.loc["voltage", "verdict"] in ("not assessed", "fail")


def test_every_step_agrees_with_another_engine():
    verified = solved().manifest["verified"]
    assert verified["lanes"] == 3
    assert verified["vm_pu"] < 1e-5


def test_the_files_alone_give_the_same_voltages_in_power_grid_model(folder):
    pytest.importorskip("power_grid_model")
    from gridimpact.powerflow.pgm_engine import PgmEngine

    data = xr.open_dataset(folder / "results.nc", engine="h5netcdf").load()
    network = with_phases(open_network(folder / "network.json", derating=1.0))
    assert network.net.load.empty
    bus = np.concatenate([data["site_bus"], data["site_bus"], data["charger_bus"]])
    phases = [*data["site_phase"].values, *data["pv_phase"].values, *data["charger_phase"].values]
    steps = [2, 5, 19]
    none = np.zeros((len(steps), data.sizes["site"]))
    for row in data["strategy"].values:
        own = data.sel(strategy=row).isel(time=steps)
        active = [own["load_p_kw"], own["pv_p_kw"], own["charger_p_kw"]]
        reactive = [own["load_q_kvar"], none, own["charger_q_kvar"]]
        given = Injections(
            timeline=case.DAY.part(0, len(steps)),
            bus=np.searchsorted(network.grid.bus_index, bus),
            p_kw=np.concatenate(active, axis=1)[None],
            q_kvar=np.concatenate(reactive, axis=1)[None],
            phase_share=phase_shares(phases),
            zip_p=np.zeros((len(bus), 2)),
            zip_q=np.zeros((len(bus), 2)),
        )
        again = PgmEngine(network.net).solve(network.grid, given, FlowOptions(phases=3))
        assert np.abs(again.vm_pu[0] - own["vm_pu"].values).max() < 2e-6


def test_stored_results_are_read_back_with_their_phases(folder):
    again = read_results(folder)
    assert again.network.grid.phase_model is not None
    xr.testing.assert_identical(again.dataset["vm_pu"], solved().dataset["vm_pu"])
    worst = again.assessments["uncontrolled"].tables["worst"].set_index("metric")
    assert worst.loc["vm_min_pu", "phase"] in ("a", "b", "c")
    page = (folder / "report.html").read_text()
    assert "three-phase" in page
    assert "phase " + worst.loc["vm_min_pu", "phase"] in page


def test_parts_change_no_byte(monkeypatch):
    spec = resolved(one_phase_study(case.three_homes(), zero_sequence="assume").spec)
    whole = run_study(spec, days="all", progress=False)
    small = lambda spec: dataclasses.replace(flow_setup(spec), lanes=5)  # noqa: E731
    monkeypatch.setattr("gridimpact.study.run.flow_setup", small)
    parts = run_study(spec, days="all", progress=False)
    for name in whole.dataset.data_vars:
        assert whole.dataset[name].values.tobytes() == parts.dataset[name].values.tobytes(), name
    assert whole.comparison.equals(parts.comparison)


def test_auto_stays_balanced_without_zero_sequence_and_says_what_to_do():
    result = one_phase_study(case.three_homes()).run("all", progress=False)
    assert result.manifest["power_flow"] == {"kind": "balanced"}
    notes = [n.text for n in result.record.notes if n.where == "power flow"]
    assert any("set zero_sequence: assume" in text for text in notes)
    verdicts = result.record.assessments["uncontrolled"].tables["verdicts"].set_index("subject")
    assert verdicts.loc["voltage", "verdict"] == "not assessed"


def test_assumed_zero_sequence_is_told_and_lowers_one_phase():
    study = one_phase_study(case.three_homes(), zero_sequence="assume")
    result = study.run("all", progress=False)
    assert result.manifest["power_flow"]["kind"] == "three-phase"
    assumed = {n.where for n in result.record.notes if n.kind == "assumption"}
    assert {"line, zero sequence", "trafo, zero sequence"} <= assumed
    vm = result.dataset["vm_pu"].sel(strategy="uncontrolled").isel(time=3, bus=3).values
    assert vm.argmin() == 1
    assert vm[0] - vm[1] > 0.005


def test_three_phases_without_data_are_refused_with_both_ways_out():
    study = one_phase_study(case.three_homes(), power_flow="three_phase")
    with pytest.raises(GridError) as caught:
        run_study(study.spec, days="all", progress=False)
    text = str(caught.value)
    assert "r0_ohm_per_km" in text
    assert "zero_sequence: assume" in text
    assert "power_flow: balanced" in text
    with pytest.raises(InputError, match="r0_ohm_per_km"):
        study.check()


def test_connections_on_three_phases_stay_balanced():
    fleet = gi.place(gi.synthesize_fleet(0, case.DAY), case.three_homes())
    study = gi.Study(
        case.three_homes(), case.constant(case.three_homes()), fleet,
        strategies=["uncontrolled"], zero_sequence="assume",
    )  # fmt: skip
    assert resolved(study.spec).power_flow == "balanced"


def test_equal_phases_give_the_balanced_voltages():
    net = case.three_homes()
    fleet = case.fleet_of([("a", *NIGHT)], {"a": CAR | {"phases": 3}})
    placed = gi.place(fleet, net, at={"c_a": "Home 2"})
    spec = gi.Study(
        net, case.constant(net), placed, strategies=["uncontrolled"],
        power_flow="three_phase", zero_sequence="assume",
    ).spec  # fmt: skip
    three = run_study(spec, days="all", progress=False)
    one = run_study(dataclasses.replace(spec, power_flow="balanced"), days="all", progress=False)
    assert np.abs(three.dataset["vm_pu"] - one.dataset["vm_pu"]).max() < 1e-6
    assert float(three.dataset["unbalance_percent"].max()) < 1e-6


def mixed_spec():
    """One three-phase charger that a car of one phase and one of three phases take in turn."""
    net = case.three_homes()
    fleet = case.fleet_of(
        [("a", *NIGHT), ("b", "2016-04-15 12:00", "2016-04-15 20:00", 30.0)],
        {"a": CAR, "b": CAR | {"phases": 3, "p_charge_max_kw": 11.0}},
    )
    sessions = fleet.sessions.assign(charger_id="c_a")
    fleet = dataclasses.replace(fleet, sessions=sessions, chargers=fleet.chargers.loc[["c_a"]])
    placed = gi.place(fleet, net, at={"c_a": "Home 2"})
    study = gi.Study(
        net, case.constant(net), placed, strategies=["uncontrolled"], zero_sequence="assume"
    )
    return resolved(study.spec)


def test_a_car_of_one_phase_at_a_shared_charger_loads_one_phase_only():
    spec = mixed_spec()
    assert spec.power_flow == "three_phase"
    assert spec.fleet.chargers["phases"].tolist() == ["abc"]
    segment = case.whole(spec)
    request = build_requests(spec, segment)
    dispatch = plan(gi.Uncontrolled(), request)
    given, found = inject(spec, segment, request, dispatch), elements_of(spec, with_cars=True)
    both, one = found.places(CHARGER)[0], found.places(ONE_PHASE_CARS)[0]
    assert found.phases[one] == first_phase(spec, 0)
    morning, evening = given.p_kw[0, 3], given.p_kw[0, 13]
    assert (morning[both], morning[one] > 3) == (0.0, True)
    assert (evening[both] > 10, evening[one]) == (True, 0.0)
    total = given.p_kw[0][:, [both, one]].sum(axis=1)
    assert total == pytest.approx(dispatch.p_kw.sum(axis=1), rel=1e-12)
    result = run_study(spec, days="all", progress=False)
    stored = result.dataset["charger_p_kw"].sel(strategy="uncontrolled").values[:, 0]
    assert stored == pytest.approx(total)
    assert result.dataset["charger_phase_of_one_phase_cars"].values.tolist() == [found.phases[one]]
    assert any("first conductor" in n.text for n in result.notes)


def test_small_inverters_feed_one_phase_only_where_the_study_says_so():
    net = case.three_homes()
    plain = one_phase_study(net, pv=-4.0, zero_sequence="assume").spec
    assert phases_of_pv(plain)[0] == "abc"
    small = dataclasses.replace(plain, pv_single_phase_kva=4.6)
    assert phases_of_pv(small)[0] in ("a", "b", "c")
    large = dataclasses.replace(plain, pv_single_phase_kva=3.7)
    assert phases_of_pv(large)[0] == "abc"
    found = elements_of(small, with_cars=False)
    assert found.phases[found.places(PV)[0]] == phases_of_pv(small)[0]
    with pytest.raises(InputError, match="pv_single_phase_kva"):
        dataclasses.replace(plain, pv_single_phase_kva=0.0)


STEEP = {"v_pu": [0.9, 1.0, 1.1], "q_share": [-0.4, 0.0, 0.4]}


@pytest.mark.parametrize("power_flow", ["balanced", "three_phase"])
def test_reactive_power_that_answers_is_stored_so_that_the_flow_can_be_replayed(power_flow):
    study = one_phase_study(
        case.three_homes(), pv=-6.0, power_flow=power_flow, zero_sequence="assume",
        volt_var={"pv": STEEP, "chargers": STEEP},
    )  # fmt: skip
    data = study.run("all", progress=False).dataset.sel(strategy="uncontrolled")
    assert (data["pv_q_kvar"].values[:, 0] > 0.1).all()
    assert np.abs(data["charger_q_kvar"].values).max() > 0.01
    plain = resolved(dataclasses.replace(study.spec, volt_var={}))
    segment = case.whole(plain)
    request = build_requests(plain, segment)
    given = inject(plain, segment, request, plan(gi.Uncontrolled(), request))
    found = elements_of(plain, with_cars=True)
    q_kvar = given.q_kvar.copy()
    q_kvar[0][:, found.places(PV)] = data["pv_q_kvar"].values[:, :1]
    q_kvar[0][:, found.places(CHARGER)] = data["charger_q_kvar"].values
    setup: FlowSetup = flow_setup(plain)
    again = setup.engine.solve(
        plain.network.grid, dataclasses.replace(given, q_kvar=q_kvar), setup.options
    )
    assert np.abs(again.vm_pu[0] - data["vm_pu"].values).max() < 1e-6


def test_unknown_options_and_curves_are_refused():
    with pytest.raises(InputError, match="power_flow"):
        one_phase_study(case.three_homes(), power_flow="both")
    with pytest.raises(InputError, match="heat_pumps"):
        one_phase_study(case.three_homes(), volt_var={"heat_pumps": "ieee_1547_b"})
    with pytest.raises(InputError, match="ieee_1547_b"):
        one_phase_study(case.three_homes(), pv=-3.0, volt_var={"pv": "ieee_1547_z"}).check()


def tapped():
    """The small feeder with a tap changer that has to act."""
    net = feeder(3)
    for name, value in (
        ("tap_side", "hv"), ("tap_neutral", 0), ("tap_pos", 0), ("tap_min", -4), ("tap_max", 4),
        ("tap_step_percent", 1.5), ("tap_changer_type", "Ratio"),
    ):  # fmt: skip
        net.trafo[name] = value
    return open_network(net, tap_control={0: {"vm_set_pu": 0.98, "deadband_pu": 0.02}})


@pytest.mark.parametrize("options", [{"power_flow": "balanced"}, {"zero_sequence": "assume"}])
def test_tap_positions_are_stored_and_hold_the_busbar(options, tmp_path):
    study = one_phase_study(tapped(), **options)
    result = study.run("all", progress=False)
    taps = result.dataset["tap_pos"].sel(strategy="uncontrolled").values[:, 0]
    assert (taps >= 1).all()
    busbar = result.dataset["vm_pu"].sel(strategy="uncontrolled").isel(bus=1).values
    mean = busbar.reshape(len(busbar), -1).mean(axis=1)
    assert ((mean > 0.969) & (mean < 0.991)).all()
    again = gi.Study.from_file(study.save(tmp_path / "copy"))
    (control,), (own,) = again.spec.network.grid.tap_controls, study.spec.network.grid.tap_controls
    assert (control.vm_low_pu, control.vm_high_pu) == pytest.approx((own.vm_low_pu, own.vm_high_pu))
    assert np.array_equal(control.two_port, own.two_port)
    assert again.spec.power_flow == study.spec.power_flow
    folder = result.save(tmp_path / "results")
    assert len(read_results(folder).network.grid.tap_controls) == 1


def test_a_generator_sends_the_study_to_pandapower_visibly():
    net = feeder(3)
    pp.create_gen(net, 3, p_mw=0.01, vm_pu=1.0)
    result = one_phase_study(open_network(net)).run("all", progress=False)
    assert result.manifest["engine"].startswith("pandapower")
    held = result.dataset["vm_pu"].sel(bus=3).values
    assert held == pytest.approx(1.0)
    notes = " ".join(n.text for n in result.record.notes if n.where == "power flow")
    assert "generator" in notes
    moved = result.manifest["busbar_sensitivity"]["uncontrolled"]
    assert moved["lower"] <= moved["as_set"] <= moved["higher"]


def test_the_source_is_moved_in_every_phase():
    moved = solved().manifest["busbar_sensitivity"]["uncontrolled"]
    assert moved["as_set"] - moved["lower"] == pytest.approx(0.03, abs=0.01)


def test_oil_follows_the_mean_square_and_the_hot_spot_the_worst_winding():
    spec = one_phase_study(case.three_homes(), ambient=np.full(case.DAY.count, 20.0)).spec
    plate = Nameplate.preset("iec_onan")
    by_phase = np.tile([120.0, 30.0, 30.0], (1, case.DAY.count, 1, 1))
    worst = by_phase.max(axis=3)
    given = inject(spec, case.whole(spec), build_requests(spec, case.whole(spec)), None)
    series, bridged = temperatures(spec, case.whole(spec), plate, worst, given, by_phase)
    assert bridged == 0
    air, hours = spec.ambient.temp_air_c, case.DAY.dt_h
    square = np.sqrt((1.2**2 + 2 * 0.3**2) / 3)
    oil = thermal_series(np.full((1, case.DAY.count, 1), square), air, plate, hours)
    wound = thermal_series(worst / 100, air, plate, hours)
    assert series.top_oil_c == pytest.approx(oil.top_oil_c)
    gradient = wound.hot_spot_c - wound.top_oil_c
    assert series.hot_spot_c == pytest.approx(oil.top_oil_c + gradient)
    balanced, _ = temperatures(spec, case.whole(spec), plate, worst, given)
    assert (series.hot_spot_c < balanced.hot_spot_c).all()


def test_a_study_file_may_ask_for_all_of_it(tmp_path):
    config = parse_config("""
network: {source: feeder.json, tap_control: {0: {vm_set_pu: 1.0, deadband_pu: 0.02, side: lv}}}
timeline: {first: 2016-01-01, last: 2016-01-07, zone: Europe/Berlin}
households: {annual_kwh: 3500}
strategies: [uncontrolled]
power_flow: three_phase
zero_sequence: assume
pv_single_phase_kva: 4.6
volt_var: {pv: vde_ar_n_4105, chargers: {v_pu: [0.95, 1.05], q_share: [-0.2, 0.2]}}
""")
    assert config.network.tap_control[0].deadband_pu == 0.02
    assert (config.power_flow, config.zero_sequence) == ("three_phase", "assume")
    assert config.volt_var.model_dump(exclude_none=True)["chargers"]["v_pu"] == [0.95, 1.05]
    with pytest.raises(InputError, match="zero_sequnce"):
        parse_config("network: {source: x}\ntimeline: {first: a, last: b, zone: c}\n"
                     "households: {}\nstrategies: [uncontrolled]\nzero_sequnce: assume")  # fmt: skip
    study = one_phase_study(
        case.three_homes(), zero_sequence="assume", pv_single_phase_kva=4.6,
        volt_var={"pv": "vde_ar_n_4105", "chargers": STEEP},
    )  # fmt: skip
    again = gi.Study.from_file(study.save(tmp_path / "copy")).spec
    for name in ("power_flow", "zero_sequence", "pv_single_phase_kva"):
        assert getattr(again, name) == getattr(study.spec, name)
    assert json.loads(json.dumps(again.volt_var)) == json.loads(json.dumps(study.spec.volt_var))
