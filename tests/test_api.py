"""The names and arguments a planner types, on packaged and on own data, and what they give back."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import gridimpact as gi
from gridimpact.assess import AssessContext, SegmentResult
from gridimpact.errors import InputError
from gridimpact.study import choose_segments
from tests.own_data import write_own_data
from tests.study import case

TOPICS = ("headroom", "transformer_week", "duration", "voltage_profile", "map", "hottest_day",
          "fleet", "money")  # fmt: skip


@pytest.fixture(scope="module")
def solved():
    """Return the shared study, solved with every strategy."""
    return case.solved_study()


@pytest.fixture(scope="module")
def result(solved):
    """Return the shared result as a user holds it."""
    return gi.Result(solved)


def test_daily_work_on_a_packaged_network(tmp_path):
    net = gi.open_network("kerber_rural")
    time = gi.Timeline.days("2016-01-11", 3, step="30min", zone="Europe/Berlin")
    homes = gi.synthesize_households(
        net, time, annual_kwh=3500, peak_kva=21, heat_pump_share=0.5, seed=1
    )
    cars = gi.synthesize_fleet(5, time, charger="ac_11kw", seed=1)
    study = gi.Study(net, homes, gi.place(cars, net, seed=1), prices="nl_2019", ambient="germany_2016",
                     strategies=[gi.Uncontrolled(), gi.g2v.ValleyFilling(), gi.v2g.PeakShaving(),
                                 gi.v2h.SelfConsumption()])  # fmt: skip
    assert all(problem.severity == "warning" for problem in study.check())
    result = study.run(days="design", progress=False)
    assert isinstance(result.plot.voltage_profile(), Figure)
    assert result.report(tmp_path / "village.html").stat().st_size > 50_000
    assert "21 kVA" in homes.calibrated or "21" in homes.calibrated
    assert result.manifest["calibration"] == homes.calibrated
    pyplot.close("all")


def test_the_room_of_assessment_can_be_called_whenever_it_is_imported():
    code = "import gridimpact as gi, inspect; f = gi.assess; import gridimpact.assess; "
    code += "assert callable(gi.assess) and list(inspect.signature(gi.assess).parameters)[:2] == "
    code += "['context', 'segments'] and gi.assess.limits.EU_LV_PLANNING.name"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Return a folder of own data."""
    return write_own_data(tmp_path_factory.mktemp("own"))


def test_daily_work_on_own_data(own, monkeypatch):
    monkeypatch.chdir(own)
    net = gi.open_network("feeder12.json")
    load = gi.read_profiles("ami.csv", quantity="energy_kwh", stamp="end", zone="America/Chicago")
    cars = gi.read_sessions("log.csv", zone="America/Chicago",
                            columns={"plug_in": "Start", "plug_out": "End", "energy_kwh": "kWh",
                                     "vehicle_id": "Vehicle", "charger_id": "Charger"})  # fmt: skip
    assert cars.rejected["row"].tolist() == [5]
    assert "before" in cars.rejected["reason"].iloc[0]
    assert load.load_p_kw[0].tolist() == [1.0, 2.0, 3.0]
    assert str(load.timeline.start) == "2016-07-11T05:00:00"
    study = gi.Study(net, load, gi.place(cars, net, at="charger_to_bus.csv"), limits="ansi_c84_1",
                     prices="tariff.json", ambient="chicago.epw",
                     strategies=[gi.Uncontrolled(), gi.g2v.TransformerLimit(0.9),
                                 gi.v2g.Arbitrage(reserve_soc=0.4)])  # fmt: skip
    result = study.run(verify=50, progress=False, days="all")
    assert result.manifest["verified"]["lanes"] == 50
    assert result.manifest["verified"]["vm_pu"] < 1e-8
    against = result.summary(against="uncontrolled")
    assert (against.loc["uncontrolled"].dropna() == 0).all()
    assert against.loc["no_ev", "transformer_loading_max_percent"] < 0
    caused = result.violations(caused_by="ev")
    assert set(caused["origin"]) <= {"ev_caused", "aggravated"}
    # Logged energy is battery energy per session and 12.5 kWh at the meter.
    drawn = result.dataset["charger_p_kw"].sel(strategy="uncontrolled").sum().item() * 0.25
    assert drawn == pytest.approx(50.0, rel=0.02)
    assert result.manifest["limits"]["name"] == "ansi_c84_1"
    assert not np.isnan(result.summary().loc["v2g_arbitrage", "ev_cost_per_car_eur"])


def test_own_data_can_be_written_down_as_a_study_file(own, monkeypatch):
    text = """
name: Own feeder
network: {source: feeder12.json}
timeline: {first: 2016-07-11, last: 2016-07-13, zone: America/Chicago}
profiles: {file: ami.csv, quantity: energy_kwh, stamp: end, zone: America/Chicago}
fleet:
  - sessions: log.csv
    zone: America/Chicago
    columns: {plug_in: Start, plug_out: End, energy_kwh: kWh, vehicle_id: Vehicle, charger_id: Charger}
    at: charger_to_bus.csv
prices: tariff.json
ambient: chicago.epw
limits: ansi_c84_1
strategies: [uncontrolled, g2v.transformer_limit: {limit: 0.9}]
days: all
"""
    text = text.replace("[uncontrolled, g2v.transformer_limit: {limit: 0.9}]",
                        "[uncontrolled, {g2v.transformer_limit: {limit: 0.9}}]")  # fmt: skip
    (own / "study.yaml").write_text(text)
    study = gi.Study.from_file(own / "study.yaml")
    assert study.days == "all"
    assert study.spec.fleet.chargers["site_id"].tolist() == ["Home 1", "Home 3"]
    assert study.spec.tariffs[""].currency == "USD"
    assert study.spec.ambient.temp_air_c.mean() > 15.0
    assert "Own feeder" in repr(study)
    assert "2 cars" in repr(study)


def test_public_signatures_are_those_of_the_manual():
    def names(function):
        return list(inspect.signature(function).parameters)

    assert names(gi.open_network)[0] == "source"
    assert names(gi.place) == ["fleet", "network", "at", "cars_per_home", "phases", "seed"]
    assert inspect.signature(gi.place).parameters["phases"].default == "allocate"
    study = inspect.signature(gi.Study.__init__).parameters
    assert list(study)[1:10] == ["network", "profiles", "fleet", "strategies", "limits", "prices",
                                 "ambient", "seed", "name"]  # fmt: skip
    assert study["limits"].default == "eu_lv_planning"
    assert study["prices"].default is None
    assert {"check", "run", "save", "from_file"} <= set(dir(gi.Study))
    assert {"summary", "violations", "plot", "report", "excel", "save"} <= set(dir(gi.Result))
    assert names(gi.Study.run) == ["self", "days", "verify", "progress", "verify_engine"]


def test_the_arrows_can_be_walked_by_hand_to_the_same_figures(result, solved):
    """Each stage is a public function whose result can be held in the hand."""
    spec = case.study().spec
    total = spec.profiles.load_p_kw.sum(axis=1) + spec.profiles.pv_p_kw.sum(axis=1)
    segments = choose_segments(spec.timeline, case.DAYS, total, spec.profiles.pv_p_kw.sum(axis=1))
    context = AssessContext(grid=spec.network.grid, sites=spec.network.sites, limits=spec.limits)
    found = {}
    for label, strategy in {
        "no_ev": None,
        "v2h_self_consumption": gi.v2h.SelfConsumption(),
    }.items():
        pieces = []
        for segment in segments:
            request = gi.build_requests(spec, segment)
            dispatch = None if strategy is None else gi.plan(strategy, request)
            injections = gi.inject(spec, segment, request, dispatch)
            flow = gi.solve(spec.network.grid, injections)
            pieces.append(SegmentResult(segment.timeline, flow, counted=segment.counted,
                                        request=request, dispatch=dispatch))  # fmt: skip
        found[label] = gi.assess(context, pieces, label)
    table = gi.compare(found)
    for metric in ("transformer_loading_max_percent", "vm_min_pu", "losses_kwh", "unmet_kwh"):
        rows = solved.comparison.loc[table.index, metric]
        assert table[metric].to_numpy() == pytest.approx(rows.to_numpy(), rel=1e-12, nan_ok=True)


def test_summary_is_a_copy_and_against_is_a_difference(result, solved):
    table = result.summary()
    table.iloc[:, :] = 0
    assert result.summary().equals(solved.comparison)
    difference = result.summary(against="no_ev")
    peak = solved.comparison["transformer_loading_max_percent"]
    assert difference.loc["g2v_price", "transformer_loading_max_percent"] == pytest.approx(
        peak["g2v_price"] - peak["no_ev"]
    )
    with pytest.raises(InputError, match="there are no_ev, uncontrolled"):
        result.summary(against="uncontroled")


def test_violations_can_be_asked_by_cause_and_strategy():
    net, homes, fleet, _ = case.parts()
    study = gi.Study(net, homes, fleet, strategies=["g2v.price"], prices="nl_2019",
                     limits={"name": "tight", "edition": "test", "source": "test",
                             "transformer_loading_percent": 16.0})  # fmt: skip
    result = study.run("2016-04-19", progress=False)
    everything, by_cars = result.violations(), result.violations(caused_by="ev")
    assert everything.columns[0] == "strategy"
    assert set(everything["strategy"]) >= {"no_ev", "uncontrolled", "g2v_price"}
    assert 0 < len(by_cars) < len(everything)
    assert "no_ev" not in set(by_cars["strategy"])
    one = result.violations(strategy="g2v_price")
    assert set(one["strategy"]) == {"g2v_price"}
    with pytest.raises(InputError, match="use 'ev'"):
        result.violations(caused_by="cars")
    with pytest.raises(InputError, match="no strategy"):
        result.violations(strategy="price")


def test_violations_of_a_study_without_any_are_an_empty_table(result):
    empty = result.violations(strategy="no_ev")
    assert len(empty) == 0
    assert {"strategy", "kind", "element", "start", "duration_h", "worst", "limit"} <= set(empty)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_is_drawn(result, topic):
    assert isinstance(getattr(result.plot, topic)(), Figure)
    pyplot.close("all")


def test_result_is_saved_and_loaded_whole(result, tmp_path):
    folder = result.save(tmp_path / "results")
    assert {"report.html", "summary.xlsx", "manifest.json"} <= case.files_of(folder)
    again = gi.Result.from_folder(folder)
    assert again.summary().equals(result.summary())
    assert repr(again) == repr(result)
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    assert {"report.html", "summary.xlsx"} <= set(listed)


def test_excel_and_report_return_where_they_lie(result, tmp_path):
    assert result.excel(tmp_path / "t.xlsx") == tmp_path / "t.xlsx"
    assert result.report(str(tmp_path / "r.html")) == tmp_path / "r.html"
    assert (tmp_path / "t.xlsx").read_bytes()[:2] == b"PK"


def test_records_show_themselves_and_names_stay_text(result, solved):
    spec = case.study().spec
    segment = case.whole(spec)
    request = gi.build_requests(spec, segment)
    dispatch = gi.plan(gi.Uncontrolled(), request)
    flow = gi.solve(spec.network.grid, gi.inject(spec, segment, request, dispatch))
    shown = [spec.network, spec.profiles, spec.fleet, dispatch, flow,
             solved.assessments["uncontrolled"], solved]  # fmt: skip
    for record in shown:
        card = record._repr_html_()
        assert card.lstrip().startswith("<"), type(record)
        assert case.MARKUP not in card
    page = result._repr_html_()
    assert case.MARKUP not in page
    assert "Uncontrolled" in page
    assert "Uncontrolled" in repr(result)


def test_a_card_escapes_a_name_it_shows():
    import dataclasses

    net = dataclasses.replace(case.rural(), name=case.MARKUP)
    card = net._repr_html_()
    assert case.MARKUP not in card
    assert "&lt;/script&gt;" in card


def test_a_fleet_may_be_given_in_parts_and_strategies_by_name():
    net, homes, fleet, _ = case.parts()
    more = gi.synthesize_fleet(2, case.WEEK, kind="fleet", seed=9)
    assert set(more.vehicles.index) & set(fleet.vehicles.index)
    home = gi.place(gi.synthesize_fleet(2, case.WEEK, seed=5), net, seed=1)
    hall = gi.place(more, net, at=case.HALL)
    study = gi.Study(net, homes, [home, hall], strategies=["uncontrolled", "g2v.valley_filling"])
    assert len(study.spec.fleet.vehicles) == 4
    assert [s.name for s in study.spec.strategies] == ["uncontrolled", "g2v_valley_filling"]
