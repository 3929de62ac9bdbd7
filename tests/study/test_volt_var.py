"""Which apparent power a study takes for what answers to voltage, and that it says so."""

from __future__ import annotations

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.errors import InputError
from gridimpact.study.config import parse_config
from gridimpact.study.elements import PV, elements_of
from gridimpact.study.volt_var import volt_var_of, volt_var_study_notes
from tests.study import case

FULL = {"v_pu": [0.9, 1.1], "q_share": [-1.0, 1.0]}
CAR = {"capacity_kwh": 60.0, "p_charge_max_kw": 11.0, "phases": 3}


def study_of(peak_kw=30.0, /, **volt_var):
    net = case.three_homes()
    fleet = case.fleet_of([("a", "2016-04-15 01:00", "2016-04-15 09:00", 30.0)], {"a": CAR})
    placed = gi.place(fleet, net, at={"c_a": str(net.sites.index[1])}, phases="keep")
    profiles = case.constant(net, pv=-peak_kw)
    return gi.Study(net, profiles, placed, strategies=["uncontrolled"], volt_var=volt_var)


def sizes(study):
    found = elements_of(study.spec, with_cars=True)
    answer = volt_var_of(study.spec, found)
    return answer.s_max_kva[np.isin(answer.element, found.places(PV))]


def told(study):
    return {note.where: note for note in volt_var_study_notes(study.spec)}


def test_shares_no_inverter_is_sized_for_need_its_apparent_power():
    with pytest.raises(InputError, match=r"volt_var, pv, q_share: reaches 1.*give s_max_per_kw"):
        study_of(pv=FULL).check()


@pytest.mark.parametrize("ratio", [1, 1.1, 1.25])
def test_apparent_power_follows_the_ratio_given_and_is_never_exceeded(ratio):
    study = study_of(pv=FULL | {"s_max_per_kw": ratio})
    study.check()
    assert sizes(study) == pytest.approx(30 * ratio)
    data = study.run("all", progress=False).dataset.sel(strategy="uncontrolled")
    s_kva = np.hypot(data["pv_p_kw"].values, data["pv_q_kvar"].values)
    assert s_kva.max() <= 30 * ratio * (1 + 1e-6)
    note = told(study)["Volt-VAr, pv"]
    assert f"{ratio:g} times that ({30 * ratio:.3g} kVA)" in note.text


def test_the_note_names_the_apparent_power_taken():
    note = told(study_of(pv={"v_pu": [0.9, 1.1], "q_share": [-0.6, 0.6]}))["Volt-VAr, pv"]
    assert note.kind == "assumption"
    assert "large enough for the curve beside it (37.5 kVA)" in note.text
    assert "11" in told(study_of(chargers="ieee_1547_b"))["Volt-VAr, chargers"].text
    none = told(study_of(0.0, pv="ieee_1547_b"))["Volt-VAr, pv"]
    assert (none.kind, none.text.split(":")[0]) == ("warning", "no site has PV")


def test_a_range_of_apparent_power_is_named_by_its_ends():
    study = study_of(pv="ieee_1547_b")
    power = study.spec.profiles.pv_p_kw
    power[:, 1] = power[:, 0] / 3
    note = told(study)["Volt-VAr, pv"]
    assert "(11.1 to 33.4 kVA)" in note.text


@pytest.mark.parametrize("ratio", [0.9, -1, float("inf"), float("nan"), "1.1", True])
def test_a_ratio_that_is_no_number_of_one_or_more_is_refused(ratio):
    with pytest.raises(InputError, match=r"volt_var, pv, s_max_per_kw"):
        study_of(pv=FULL | {"s_max_per_kw": ratio}).check()


def test_a_ratio_for_chargers_and_unknown_keys_are_refused():
    with pytest.raises(InputError, match=r"s_max_per_kw.*is given for chargers"):
        study_of(chargers=FULL | {"s_max_per_kw": 1.1}).check()
    with pytest.raises(InputError, match=r"names 's_max'.*choose of v_pu, q_share, s_max_per_kw"):
        study_of(pv=FULL | {"s_max": 33.0}).check()


def test_a_study_file_takes_the_ratio_and_a_saved_study_keeps_it(tmp_path):
    text = """
network: {source: kerber_village}
timeline: {first: 2016-01-01, last: 2016-01-02, zone: Europe/Berlin}
households: {pv_share: 0.5}
strategies: [uncontrolled]
volt_var: {pv: {v_pu: [0.9, 1.1], q_share: [-1, 1], s_max_per_kw: %s}}
"""
    assert parse_config(text % "1.1").volt_var.pv.s_max_per_kw == 1.1
    with pytest.raises(InputError, match="s_max_per_kw"):
        parse_config(text % "0.5")
    study = study_of(pv=FULL | {"s_max_per_kw": 1.1})
    again = gi.Study.from_file(study.save(tmp_path / "copy"))
    assert again.spec.volt_var["pv"] == study.spec.volt_var["pv"]
