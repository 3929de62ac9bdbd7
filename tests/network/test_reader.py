"""The reader takes networks as data: sound files come through whole, crafted ones never act."""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridimpact.errors import GridError
from gridimpact.network.reader import read_net
from tests.network.nets import crafted, feeder, packed, saved

MARK = "gridimpact_marker_module"


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module in the working folder whose import leaves a file behind."""
    fired = tmp_path / "fired"
    (tmp_path / f"{MARK}.py").write_text(f"open({str(fired)!r}, 'w').write('x')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield fired
    assert not fired.exists()
    assert MARK not in sys.modules


def test_a_file_of_pandapower_gives_the_same_voltages(tmp_path):
    net = feeder()
    own, notes = read_net(saved(net, tmp_path / "net.json"))
    pp.runpp(net)
    pp.runpp(own)
    assert np.array_equal(net.res_bus.vm_pu, own.res_bus.vm_pu)
    assert notes == []


def test_a_live_net_is_copied_and_never_written_to():
    net = feeder()
    pp.runpp(net)
    before = net.res_bus.copy()
    own, notes = read_net(net)
    own.load["p_mw"] = 1.0
    assert net.load.p_mw.max() == 0.004
    pd.testing.assert_frame_equal(net.res_bus, before)
    assert own.res_bus.empty
    assert notes == []


def test_own_dtypes_and_extra_columns_survive(tmp_path):
    net = feeder()
    net.load["meter"] = ["a", "b", None]
    net.load["floor_m2"] = [100, 120.5, None]
    net.line["buried"] = True
    own, _ = read_net(saved(net, tmp_path / "net.json"))
    assert own.load.bus.dtype == net.load.bus.dtype
    assert own.load["meter"].tolist() == ["a", "b", None]
    assert own.load["floor_m2"].iloc[1] == 120.5
    assert own.line["buried"].dtype == bool


@pytest.mark.parametrize(
    "entry",
    [
        {"_module": MARK, "_class": "Nope"},
        {"_module": MARK, "_class": "Nope", "_object": {}},
        {"_module": "subprocess", "_class": "Popen", "_object": "touch fired"},
        {"_module": "os", "_class": "function", "_object": "system"},
        {"_module": "os", "_class": "method", "_object": "system"},
        {"_module": "builtins", "_class": "eval", "_object": "open('fired','w')"},
        {"_module": "pandas", "_class": "read_pickle", "_object": "fired"},
        {"_module": "numpy", "_class": "load", "_object": "fired"},
        {"_module": "pathlib", "_class": "Path", "_object": "fired"},
        {"_module": "networkx", "_class": "MultiGraph", "_object": {}},
        {"deep": [{"deeper": {"_module": MARK, "_class": "Nope"}}]},
        [{"_class": "function", "_object": "system"}],
    ],
)
def test_a_file_that_asks_for_an_object_is_refused_and_nothing_runs(entry, tmp_path, trap):
    path = crafted(tmp_path / "net.json", extra=entry)
    with pytest.raises(GridError, match=r"asks for the object|which is code"):
        read_net(path)


@pytest.mark.parametrize("table", ["load", "bus", "extra"])
def test_a_table_that_points_at_a_file_is_refused(table, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text(pd.DataFrame({"vn_kv": [0.4]}).to_json(orient="split"))
    entry = packed(pd.DataFrame(), _object=str(secret))
    path = crafted(tmp_path / "net.json", **{table: entry})
    with pytest.raises(GridError, match="refers to the file"):
        read_net(path)


def test_an_object_hidden_in_a_cell_is_refused(tmp_path, trap):
    tree = json.loads(pp.to_json(feeder()))
    table = json.loads(tree["_object"]["load"]["_object"])
    table["data"][0][0] = {"_module": MARK, "_class": "Nope"}
    tree["_object"]["load"]["_object"] = json.dumps(table)
    path = tmp_path / "net.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(GridError, match=f"load: asks for the object {MARK}.Nope"):
        read_net(path)


def test_controllers_are_dropped_with_a_note_and_never_called(tmp_path, trap):
    body = {
        "is_converged": {"_module": MARK, "_class": "function", "_object": "f"},
        "control_step": {"_module": MARK, "_class": "function", "_object": "f"},
    }
    control = {"_module": MARK, "_class": "Controller", "_object": body}
    frame = pd.DataFrame({"object": [json.dumps(control)], "in_service": [True], "level": [0]})
    own, notes = read_net(crafted(tmp_path / "net.json", controller=packed(frame)))
    assert own.controller.empty
    assert [n.where for n in notes] == ["controller"]
    pp.runpp(own, run_control=True)


def test_an_output_writer_is_dropped_and_writes_nothing(tmp_path):
    frame = pd.DataFrame({"object": [json.dumps({"output_path": str(tmp_path / "out")})]})
    own, notes = read_net(crafted(tmp_path / "net.json", output_writer=packed(frame)))
    assert "output_writer" not in own or own.output_writer.empty
    assert "output writer" in notes[0].text
    assert not (tmp_path / "out").exists()


def test_stored_power_flow_options_cannot_change_results(tmp_path):
    net = feeder()
    pp.runpp(net)
    wrong = {"tolerance_mva": 1e6, "max_iteration": 1, "init": "flat"}
    own, notes = read_net(crafted(tmp_path / "net.json", user_pf_options=wrong))
    pp.runpp(own)
    assert own.res_bus.vm_pu.min() == pytest.approx(net.res_bus.vm_pu.min(), abs=1e-9)
    assert notes[0].where == "user_pf_options"
    live = feeder()
    pp.set_user_pf_options(live, **wrong)
    copied, more = read_net(live)
    assert dict(copied.user_pf_options) == {}
    assert more[0].where == "user_pf_options"


def test_private_entries_and_stored_results_are_dropped_as_one_note(tmp_path):
    net = feeder()
    pp.runpp(net)
    own, notes = read_net(saved(net, tmp_path / "net.json"))
    assert own.res_bus.empty
    assert len(notes) == 1
    assert notes[0].kind == "dropped"


def test_pickles_are_never_opened(tmp_path, trap):
    path = tmp_path / "net.p"
    path.write_bytes(pickle.dumps({"bus": 1}))
    with pytest.raises(GridError, match="never read"):
        read_net(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nests deeper"),
        ('{"_module": "pandapower.auxiliary", "a": ' + "9" * 5000 + "}", "no readable JSON"),
        ("{", "no readable JSON"),
        ('{"a": 1, "a": 2}', "occurs twice"),
        ("[1, 2]", "not a pandapower net"),
        (
            '{"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": "x"}',
            "without",
        ),
        ("\x80\x81", "JSON"),
    ],
)
def test_broken_files_are_refused_in_words(text, words, tmp_path):
    path = tmp_path / "net.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(GridError, match=words):
        read_net(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GridError, match=r"no network file 'gone\.json'"):
        read_net(tmp_path / "gone.json")


def test_a_newer_format_is_refused_and_an_ancient_one_too(tmp_path):
    with pytest.raises(GridError, match=r"newer than .* upgrade pandapower"):
        read_net(crafted(tmp_path / "new.json", format_version="99.0.0"))
    with pytest.raises(GridError, match=r"older than 2\.0"):
        read_net(crafted(tmp_path / "old.json", format_version="1.4.0"))
    with pytest.raises(GridError, match="unreadable"):
        read_net(crafted(tmp_path / "odd.json", format_version="latest"))


def test_format_2_is_brought_up_to_date_with_its_coordinates(tmp_path):
    net = feeder()
    spots = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0], "y": 0.0}, index=net.bus.index)
    old = net.load.drop(columns=[c for c in net.load if c.startswith("const_")])
    old["const_z_percent"], old["const_i_percent"] = 10.0, 20.0
    bus = net.bus.drop(columns="geo")
    path = crafted(
        tmp_path / "net.json",
        bus=packed(bus),
        bus_geodata=packed(spots),
        load=packed(old),
        format_version="2.9.0",
        version="2.9.0",
    )
    own, _ = read_net(path)
    assert own.load.const_z_p_percent.tolist() == [10.0] * 3
    assert own.load.const_i_q_percent.tolist() == [20.0] * 3
    assert json.loads(own.bus.geo.iloc[1])["coordinates"] == [2.0, 0.0]


def test_every_wrong_cell_is_named_at_once(tmp_path):
    net = feeder()
    load, line = net.load.astype(object), net.line.astype(object)
    load.loc[1, "p_mw"] = "much"
    load.loc[2, "bus"] = -4
    line.loc[0, "in_service"] = None
    path = crafted(tmp_path / "net.json", load=packed(load), line=packed(line))
    with pytest.raises(GridError) as caught:
        read_net(path)
    text = str(caught.value)
    assert "load, p_mw: row 1 ('much'): must be a number" in text
    assert "load, bus: row 2 (-4): must be a whole number" in text
    assert "line, in_service: row 0 (None): must be true or false" in text
    assert len(caught.value.problems) == 3


def test_missing_columns_are_named_and_optional_ones_filled(tmp_path):
    net = feeder()
    path = crafted(tmp_path / "a.json", load=packed(net.load.drop(columns=["p_mw", "bus"])))
    with pytest.raises(GridError, match="load, p_mw: is missing"):
        read_net(path)
    kept = crafted(tmp_path / "b.json", load=packed(net.load[["bus", "p_mw"]]))
    own, _ = read_net(kept)
    assert own.load.scaling.tolist() == [1.0] * 3
    assert own.load.in_service.all()


def test_row_labels_must_differ(tmp_path):
    net = feeder()
    load = net.load.copy()
    load.index = [0, 0, 1]
    table = packed(load.reset_index(drop=True))
    table["_object"] = table["_object"].replace('"index":[0,1,2]', '"index":[0,0,1]')
    with pytest.raises(GridError, match="row labels must be different"):
        read_net(crafted(tmp_path / "net.json", load=table))


@pytest.mark.parametrize(
    "name", ["شبكة", "家庭", "🔌" * 30, "</script><img src=x onerror=1>", "=1+1", "x" * 10_000]
)
def test_any_name_is_only_text(name, tmp_path):
    net = feeder()
    net.load.loc[0, "name"] = name
    own, _ = read_net(saved(net, tmp_path / "net.json"))
    assert own.load.name.iloc[0] == name


def test_too_many_buses_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gridimpact.network.assemble.MAX_BUSES", 4)
    with pytest.raises(GridError, match="more than 4"):
        read_net(feeder())


def test_too_large_files_are_refused_unread(tmp_path, monkeypatch):
    path = saved(feeder(), tmp_path / "net.json")
    monkeypatch.setattr("gridimpact.network.reader.MAX_BYTES", 100)
    with pytest.raises(GridError, match="more than the 100"):
        read_net(path)


def test_objects_in_a_live_net_are_refused_or_dropped():
    net = feeder()
    net.load["thing"] = [object(), None, None]
    _, notes = read_net(net)
    assert any(n.where == "load, thing" for n in notes)
    with pytest.raises(GridError, match="no table 'bus'"):
        read_net({"load": net.load})
