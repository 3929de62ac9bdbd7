"""A dropped tap controller tells its settings in plain words; nothing it names is touched."""

from __future__ import annotations

import json

import pandapower as pp
import pytest

from gridimpact.network import open_network
from gridimpact.network.controllers import live_tap_controllers, stored_tap_controllers
from tests.network.nets import feeder, saved


def with_controllers():
    net = feeder()
    pp.control.DiscreteTapControl(net, 0, 0.98, 1.03, side="lv")
    pp.control.ContinuousTapControl(net, 0, 1.01, side="hv")
    pp.control.ConstControl(net, "load", "p_mw", 0, profile_name="p", data_source=None)
    return net


def test_a_file_and_a_live_net_say_how_to_give_the_same(tmp_path):
    net = with_controllers()
    for source in (net, saved(net, tmp_path / "net.json")):
        notes = [note for note in open_network(source).notes if note.where.startswith("controller")]
        assert [note.kind for note in notes] == ["dropped"] * 3
        assert "vm_set_pu=1.005, deadband_pu=0.05)" in notes[1].text
        assert 'vm_set_pu=1.01, deadband_pu=0.02, side="hv")' in notes[2].text


@pytest.mark.parametrize(
    "table",
    [
        None,
        {},
        {"_object": "no json"},
        {"_object": json.dumps({"columns": [], "index": [], "data": []})},
        {"_object": json.dumps({"columns": ["object"], "index": [0], "data": [["text"]]})},
        {"_object": json.dumps({"columns": ["object"], "index": [0], "data": [[{"_class": "DiscreteTapControl"}]]})},
    ],
)  # fmt: skip
def test_an_unexpected_entry_gives_no_note(table):
    assert stored_tap_controllers(table) == []


def _cell(**entries):
    cell = {"_module": "os", "_class": "DiscreteTapControl", "_object": json.dumps(entries)}
    return {"_object": json.dumps({"columns": ["object"], "index": [0], "data": [[cell]]})}


def test_only_plain_numbers_count():
    good = {"element": "trafo", "element_index": [0, 2], "vm_lower_pu": 1.0, "vm_upper_pu": 1.04}
    assert [n.where[-1] for n in stored_tap_controllers(_cell(**good))] == ["0", "2"]
    for wrong in (
        {"element": "trafo3w"}, {"vm_lower_pu": None}, {"vm_lower_pu": "1.0"},
        {"element_index": {"_module": "os", "_class": "system", "_object": "true"}},
        {"vm_upper_pu": float("nan")}, {"element_index": True},
    ):  # fmt: skip
        assert stored_tap_controllers(_cell(**(good | wrong))) == []
    assert live_tap_controllers(None) == []
