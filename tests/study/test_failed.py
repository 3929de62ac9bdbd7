"""A power flow without a solution is never a number: it is marked, counted, and aged with care."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.conventions import Status
from gridimpact.study.store import write_results
from gridimpact.study.store_read import read_results
from tests.study.case import constant, fleet_of, three_homes

TWO_DAYS = gi.Timeline.days("2016-04-15", 3, step="1h", zone="UTC")
CAR = {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0}
LOST = 30


def overloaded(steps):
    """Return a study whose homes ask for megawatts at some steps."""
    net = three_homes()
    net = dataclasses.replace(net, sites=net.sites.assign(kind="building"))
    profiles = constant(net, TWO_DAYS, kw=2.0)
    load = profiles.load_p_kw.copy()
    load[steps] = 600.0
    night = fleet_of([("a", "2016-04-15 18:00", "2016-04-16 07:00", 20.0)], {"a": CAR})
    placed = gi.place(night, net, at={"c_a": "Home 2"})
    return gi.Study(net, dataclasses.replace(profiles, load_p_kw=load), placed,
                    strategies=["g2v.valley_filling"], ambient=np.full(TWO_DAYS.count, 10.0))  # fmt: skip


@pytest.fixture(scope="module")
def result():
    return overloaded([LOST]).run("all", verify=60, progress=False)


def test_a_lost_step_is_marked_and_everything_it_would_say_is_missing(result):
    data = result.dataset
    status = data["status"].to_numpy()
    assert (status[:, LOST] != Status.OK).all()
    assert not np.delete(status, LOST, axis=1).any()
    for name in ("vm_pu", "line_loading_percent", "transformer_loading_percent", "losses_kw",
                 "transformer_p_kw"):  # fmt: skip
        values = data[name].to_numpy()
        assert np.isnan(values[:, LOST]).all(), name
        assert np.isfinite(np.delete(values, LOST, axis=1)).all(), name


def test_lost_steps_are_counted_in_every_summary_and_kept_out_of_the_check(result):
    assert result.manifest["steps_failed"] == 3
    assert (result.summary()["lanes_failed"] == 1).all()
    assert result.manifest["verified"]["vm_pu"] < 1e-8
    assert 50 < result.manifest["verified"]["lanes"] <= 60
    assert np.isfinite(result.summary()["vm_min_pu"]).all()


def test_the_oil_does_not_forget_a_lost_step(result):
    hot = result.dataset["hot_spot_c"].to_numpy()
    assert np.isfinite(hot).all()
    assert (hot[:, LOST] > hot[:, LOST - 1] + 50).all()
    assert result.manifest["ageing_steps_bridged"] == 3
    assert any("aged by injected apparent power" in note.text for note in result.record.notes)


def test_missing_values_are_stored_as_missing(result, tmp_path):
    folder = write_results(result.record, tmp_path / "results", {})
    again = read_results(folder).dataset
    assert np.isnan(again["vm_pu"].to_numpy()[:, LOST]).all()
    assert again["status"].to_numpy().tolist() == result.dataset["status"].to_numpy().tolist()


def test_a_study_of_lost_steps_alone_is_stopped_with_what_to_look_at():
    lost = overloaded(np.arange(0, 72))
    with pytest.raises(gi.FlowNotConverged, match=r"none of 72 power flows .* check the unit"):
        lost.run("all", progress=False)
