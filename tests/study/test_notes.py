"""What a study assumed or left out stands in its result, its report and its stored folder."""

from __future__ import annotations

import pandapower as pp

import gridimpact as gi
from tests.network.nets import feeder
from tests.study import case

LEFT_OUT = "own generation of 50 kW at 1 sites is left out: no generation profile is given"


def generating(pv):
    net = feeder(3)
    for bus in net.bus.index[-3:]:
        pp.create_load(net, bus, p_mw=0.002, q_mvar=0.0005)
    pp.create_sgen(net, int(net.load.bus.iloc[0]), p_mw=0.05)
    network = gi.open_network(net)
    fleet = gi.synthesize_fleet(0, case.DAY)
    profiles = case.constant(network, pv=pv)
    return gi.Study(network, profiles, fleet, strategies=["uncontrolled"], name="generation")


def test_generation_without_a_profile_is_told_wherever_results_are_read(tmp_path):
    result = generating(0.0).run("all", progress=False)
    (note,) = (n for n in result.notes if LEFT_OUT in n.text)
    assert (note.kind, note.where) == ("warning", "profiles, pv_p_kw")
    assert "give PV profiles" in note.text
    page = result.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert LEFT_OUT in page
    assert note in gi.Result.from_folder(result.save(tmp_path / "stored")).notes


def test_generation_with_a_profile_feeds_in_and_needs_no_word():
    result = generating(-50.0).run("all", progress=False)
    assert not any("left out" in n.text and n.where == "profiles, pv_p_kw" for n in result.notes)
    assert (result.dataset["pv_p_kw"].values < 0).any()


def test_stays_that_go_on_beyond_the_counted_days_are_told():
    notes = case.study(["uncontrolled"]).run("all", progress=False).notes
    assert any("go on beyond the last counted step" in n.text for n in notes)
