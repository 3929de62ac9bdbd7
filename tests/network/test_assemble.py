"""A net built from plain tables is pandapower's own kind, whole or refused; written, it reads back."""

from __future__ import annotations

import pandapower as pp
import pandas as pd
import pytest

from gridimpact.errors import GridError
from gridimpact.network.assemble import assemble, write_net
from gridimpact.network.reader import parse_live, read_net
from tests.network.nets import crafted, feeder, packed


def test_what_is_written_reads_back_the_same_here_and_in_pandapower(tmp_path):
    net, _ = read_net(feeder())
    write_net(net, tmp_path / "net.json")
    again, notes = read_net(tmp_path / "net.json")
    theirs = pp.from_json(str(tmp_path / "net.json"))
    assert notes == []
    for table in ("bus", "line", "load", "trafo", "ext_grid"):
        pd.testing.assert_frame_equal(net[table], again[table])
        assert theirs[table].shape == net[table].shape


@pytest.mark.parametrize(("name", "value"), [("f_hz", 0.0), ("sn_mva", "one"), ("f_hz", True)])
def test_single_values_must_be_positive_numbers(name, value):
    raw, notes = parse_live(feeder())
    raw.scalars[name] = value
    with pytest.raises(GridError, match=rf"net, {name}: is .* must be above 0"):
        assemble(raw, notes, "net")


def test_private_columns_are_dropped_with_a_note():
    net = feeder()
    net.load["_secret"] = 1
    own, notes = read_net(net)
    assert "_secret" not in own.load
    assert notes[0].where == "load, _secret"


def test_tap_tables_are_switched_off_and_told():
    net = feeder()
    net.trafo["tap_dependency_table"] = True
    own, notes = read_net(net)
    assert not own.trafo.tap_dependency_table.any()
    assert "the tap acts by its step" in notes[0].text


def test_line_routes_of_format_2_become_geometry(tmp_path):
    net = feeder()
    routes = pd.DataFrame({"coords": [[[0.0, 0.0], [1.0, 2.0]], None, None]})
    path = crafted(
        tmp_path / "net.json",
        line=packed(net.line.drop(columns="geo")),
        line_geodata=packed(routes),
        format_version="2.14.0",
        version="2.14.0",
    )
    own, _ = read_net(path)
    assert own.line.geo.iloc[0] == '{"type": "LineString", "coordinates": [[0.0, 0.0], [1.0, 2.0]]}'
    assert own.line.geo.iloc[1] is None


def test_a_converter_that_fails_is_told(tmp_path, monkeypatch):
    def fail(net):
        raise KeyError("tap")

    monkeypatch.setattr(pp, "convert_format", fail)
    path = crafted(tmp_path / "net.json", format_version="2.9.0", version="2.9.0")
    with pytest.raises(GridError, match=r"format 2\.9\.0 cannot be converted"):
        read_net(path)


def test_optional_columns_are_filled_by_their_defaults(tmp_path):
    net = feeder()
    kept = ["from_bus", "to_bus", "length_km", "r_ohm_per_km", "x_ohm_per_km"]
    trafo = net.trafo.drop(columns=["tap_pos", "tap_side", "id_characteristic_table", "pfe_kw"])
    path = crafted(tmp_path / "net.json", line=packed(net.line[kept]), trafo=packed(trafo))
    own, _ = read_net(path)
    assert own.line[["parallel", "df"]].to_numpy().tolist() == [[1, 1.0]] * 3
    assert own.line.max_i_ka.isna().all()
    assert own.trafo.pfe_kw.tolist() == [0.0]
    assert own.trafo.id_characteristic_table.isna().all()
    pp.runpp(own)
    assert own.converged
