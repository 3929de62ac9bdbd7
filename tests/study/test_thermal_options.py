"""What a study says of its transformers: which model runs, what is refused, what is told."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.ageing import (
    AnnexGPlate,
    Clause7,
    IecPlate,
    Nameplate,
    annex_g_series,
    iec_series,
    loss_ratio_at_tap,
    thermal_series,
)
from gridimpact.errors import InputError
from gridimpact.study.config import parse_config
from gridimpact.study.manifest import manifest_of
from gridimpact.study.thermal_options import transformer_options
from gridimpact.study.thermal_plates import described, plates_of, tap_turns
from tests.study import case
from tests.study.thermal_case import AIR, REPORT, thermal_run

NETWORK = case.three_homes()


def loading_pu(result):
    return result.dataset["transformer_loading_percent"].values[[0]].astype(float) / 100.0


def hot_spot(result):
    return result.dataset["hot_spot_c"].values[0]


@pytest.mark.parametrize(
    ("model", "choices"),
    [
        ("clause7", Clause7()),
        ("clause7_uncorrected", Clause7(exponent_corrected=False)),
        ("clause7_lagged", Clause7(ambient_lagged=True)),
    ],
)
def test_a_study_ages_as_clause_7_itself_does_on_the_loading_it_stored(model, choices):
    result = thermal_run(model=model)
    plate = plates_of(NETWORK, transformer_options({"model": model})).lead
    own = thermal_series(loading_pu(result), AIR, plate, 1.0, model=choices)
    assert hot_spot(result) == pytest.approx(own.hot_spot_c[0], abs=1e-3)
    assert result.dataset["ageing_rate"].values[0] == pytest.approx(own.ageing_rate[0], rel=1e-4)


def test_models_differ_as_their_ambient_does():
    """A cold front reaches the hot spot at once without lag, and late with it."""
    at_once, lagged, iec = (
        hot_spot(thermal_run(model=model))[:, 0]
        for model in ("clause7", "clause7_lagged", "iec_60076_7")
    )
    drop = int(np.argmin(np.diff(AIR))) + 1
    assert at_once[drop] < lagged[drop] - 5.0
    assert at_once[drop] < iec[drop] - 5.0
    assert abs(lagged[drop] - iec[drop]) < 1.0


def test_iec_runs_with_the_class_asked_for():
    result = thermal_run(model="iec_60076_7", cooling="onaf", insulation="upgraded")
    lead = plates_of(NETWORK, transformer_options(None)).lead
    plate = dataclasses.replace(
        IecPlate.preset("onaf", insulation="upgraded"),
        loss_ratio=lead.loss_ratio,
        enclosure_rise_k=lead.enclosure_rise_k,
    )
    own = iec_series(loading_pu(result), AIR, plate, 1.0)
    assert hot_spot(result) == pytest.approx(own.hot_spot_c[0], abs=1e-3)
    told = " ".join(n.text for n in result.notes)
    assert "class onaf" in told
    assert "rated rises and time constants" not in told


def test_annex_g_runs_on_its_test_report():
    result = thermal_run(model="annex_g", annex_g=REPORT)
    own = annex_g_series(loading_pu(result), AIR, AnnexGPlate(**REPORT), 1.0)
    assert hot_spot(result) == pytest.approx(own.hot_spot_c[0], abs=2e-3)
    table = result.record.assessments["no_ev"].tables["transformers"]
    assert table["insulation"].tolist() == ["upgraded"]


def test_the_air_around_a_test_reports_tank_is_the_one_that_is_told():
    for place, rise in ((None, 0.0), ("compact_station", 10.0)):
        options = {"model": "annex_g", "annex_g": REPORT, "enclosure": place}
        found = plates_of(NETWORK, transformer_options(options))
        assert found.model[0].enclosure_rise == rise
        assert found.lead.enclosure_rise_k[0] == rise
        (note,) = [n.text for n in found.notes if n.text.startswith("air around")]
        assert ("10 K" in note) == (rise > 0.0)


def test_annex_g_without_a_report_says_what_it_needs():
    with pytest.raises(InputError, match="bottom_oil_rise_k, core_coil_kg, tank_kg, oil_l"):
        transformer_options({"model": "annex_g"})
    short = {key: value for key, value in REPORT.items() if key not in ("tank_kg", "oil_l")}
    with pytest.raises(InputError, match="lacks tank_kg, oil_l"):
        transformer_options({"model": "annex_g", "annex_g": short})
    with pytest.raises(InputError, match="is not read by model 'clause7'"):
        transformer_options({"annex_g": REPORT})
    other = REPORT | {"rated_kva": 1000.0}
    with pytest.raises(InputError, match="is of 1000 kVA, the network has"):
        plates_of(NETWORK, transformer_options({"model": "annex_g", "annex_g": other}))


def test_every_wrong_entry_is_named_at_once_with_what_was_meant():
    wrong = {
        "modell": "clause7",
        "insulation": "upgradet",
        "life_h": "tensile_51",
        "used_percent": 120,
        "cooling": "onan",
        "harmonics": {"los_factor": 2.0},
        "replacement": {"discount_rate": 0.03},
        "by_name": {"T": {"enclosur": "pole"}},
    }
    with pytest.raises(InputError) as caught:
        transformer_options(wrong)
    text = str(caught.value)
    for part in (
        "did you mean 'model'", "did you mean 'upgraded'", "tensile_50", "0 to 100", "lacks cost",
        "did you mean 'loss_factor'", "did you mean 'enclosure'", "'cooling'".strip("'"),
    ):  # fmt: skip
        assert part in text
    with pytest.raises(InputError, match="no such transformer"):
        plates_of(NETWORK, transformer_options({"by_name": {"T9": {"enclosure": "pole"}}}))


def test_a_default_study_takes_every_default():
    options = transformer_options(None)
    assert (options.model, options.start, options.life_h) == ("clause7", "steady", 180_000.0)
    assert thermal_run().dataset.equals(thermal_run(start="steady", tap="principal").dataset)


def test_harmonics_start_enclosure_and_paper_reach_the_hot_spot():
    plain = thermal_run()
    rich = thermal_run(harmonics={"loss_factor": 3.0, "eddy_pu": 0.1})
    assert (hot_spot(rich) > hot_spot(plain)).all()
    pole = thermal_run(enclosure="pole")
    assert hot_spot(plain) - hot_spot(pole) == pytest.approx(10.0, abs=1e-3)
    cold = thermal_run(start="cold")
    assert hot_spot(cold)[0, 0] < hot_spot(plain)[0, 0] - 5.0
    again = thermal_run(start="periodic")
    assert hot_spot(again)[-1, 0] == pytest.approx(hot_spot(plain)[-1, 0], abs=0.5)
    upgraded = thermal_run(insulation="upgraded")
    assert (upgraded.dataset["ageing_rate"] < plain.dataset["ageing_rate"]).all()
    short = thermal_run(life_h="tensile_50").summary()["loss_of_life_percent"]
    ratio = short / plain.summary()["loss_of_life_percent"]
    assert ratio.to_numpy() == pytest.approx(180.0 / 65.0)


def test_a_transformer_has_its_own_enclosure_and_paper():
    name = NETWORK.grid.transformer_name[0]
    own = {"enclosure": "pole", "insulation": "rise_55", "used_percent": 30.0}
    options = transformer_options({"by_name": {name: own}, "enclosure": "building"})
    lead = plates_of(NETWORK, options).lead
    assert lead.insulation == ("rise_55",)
    assert lead.insulation_known.all()
    assert lead.enclosure_rise_k.tolist() == [0.0]
    assert options.of(name, "used_percent") == 30.0
    assert options.of("another", "used_percent") == 0.0


def test_the_loss_ratio_follows_the_tap_only_where_asked():
    network = gi.open_network("lv_schutterwald_area")
    turns = tap_turns(network)
    assert turns == pytest.approx([0.025])
    usual, moved = (
        plates_of(network, transformer_options({"tap": tap})).lead.loss_ratio
        for tap in ("principal", "in_use")
    )
    assert moved == pytest.approx(loss_ratio_at_tap(usual, turns))
    assert moved[0] > usual[0]


def test_a_network_of_sixty_hertz_gets_its_practice():
    net = NETWORK.net.deepcopy() if hasattr(NETWORK.net, "deepcopy") else NETWORK.net
    assert plates_of(NETWORK, transformer_options(None)).lead.insulation == ("non_upgraded",)
    american = type(net)(net)
    american["f_hz"] = 60.0
    network = dataclasses.replace(NETWORK, net=american)
    assert plates_of(network, transformer_options(None)).lead.insulation == ("upgraded",)


def test_manifest_file_and_saved_study_say_what_was_chosen(tmp_path):
    chosen = {
        "model": "iec_60076_7", "cooling": "onan", "insulation": "upgraded", "life_h": "tensile_25",
        "harmonics": {"loss_factor": 2.0, "eddy_pu": 0.05}, "replacement": {"cost": 9000},
    }  # fmt: skip
    text = "network: {source: x}\ntimeline: {first: a, last: b, zone: c}\nhouseholds: {}\n"
    config = parse_config(f"{text}strategies: [uncontrolled]\ntransformer: {json.dumps(chosen)}")
    assert transformer_options(config.transformer).replacement.cost == 9000
    spec = case.spec_of(
        gi.synthesize_fleet(0, case.DAY, seed=0), [], ambient=AIR, transformer=chosen
    )
    entry = manifest_of(spec, (), {}, {})["transformer"]
    assert entry == described(spec.network, spec.transformer)
    assert entry["insulation"] == "upgraded"
    assert entry["life_h"] == 135_000.0
    assert entry["harmonics"]["loss_factor"] == 2.0
    assert "class onan" in entry["data"]
    json.dumps(entry)
    study = gi.Study(
        NETWORK, spec.profiles, spec.fleet, strategies=["uncontrolled"], ambient=AIR,
        transformer=chosen,
    )  # fmt: skip
    again = gi.Study.from_file(study.save(tmp_path / "copy")).spec.transformer
    assert again == study.spec.transformer


def test_options_without_temperature_and_other_models_beside_a_controller_are_told():
    spec = case.spec_of(
        gi.synthesize_fleet(0, case.DAY, seed=0), [], transformer={"model": "clause7_lagged"}
    )
    study = gi.Study(NETWORK, spec.profiles, spec.fleet, strategies=["uncontrolled"],
                     transformer={"start": "cold"})  # fmt: skip
    assert any("needs an air temperature" in p.what for p in study.check())
    limited = gi.Study(NETWORK, spec.profiles, spec.fleet, ambient=AIR, transformer={"start": "cold"},
                       strategies=[gi.grid_aware.HotSpotLimit()])  # fmt: skip
    assert any("controller follows Clause 7" in p.what for p in limited.check())


def test_importing_and_exporting_age_alike():
    """The same current either way: +P and -P, so losses alone part them."""
    found = []
    for sign in (1.0, -1.0):
        result = thermal_run(load_kw=sign * 40.0)
        plate = plates_of(NETWORK, transformer_options(None)).lead
        load = loading_pu(result)
        own = thermal_series(load, AIR, plate, 1.0)
        assert hot_spot(result) == pytest.approx(own.hot_spot_c[0], abs=1e-3)
        found.append((load, hot_spot(result)))
    (drawn, warm), (fed, back) = found
    assert drawn == pytest.approx(fed, rel=0.1)
    assert warm == pytest.approx(back, abs=3.0)
    assert isinstance(plate, Nameplate)


def test_a_step_too_coarse_for_the_load_is_told():
    load = np.where(np.arange(24) % 12 == 6, 300.0, 5.0)
    told = [n.text for n in thermal_run(load_kw=load).notes if n.where == "transformer ageing"]
    assert len(told) == 1
    assert "of 60 min" in told[0]
    quiet = thermal_run(load_kw=5.0).notes
    assert not [n for n in quiet if n.where == "transformer ageing"]
