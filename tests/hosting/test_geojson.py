"""Capacity of each connection as a map layer."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from gridimpact.errors import InputError
from gridimpact.hosting.geojson import write_nodal_geojson
from gridimpact.network import open_network
from gridimpact.records import NODAL_COLUMNS, ScanResult
from tests.hosting.power_case import four_buses, opened
from tests.hosting.test_nodal import small


@lru_cache(maxsize=1)
def mapped():
    """Return a network of four buses near Schutterwald; the second home has no coordinates."""
    net = four_buses()
    for bus, (x, y) in enumerate(
        [(7.88, 48.45), (7.88, 48.4505), (7.8801, 48.4515), (7.88, 48.4535)]
    ):
        net.bus.loc[bus, "geo"] = json.dumps({"type": "Point", "coordinates": [x, y]})
    course = [[7.88, 48.4505], [7.8802, 48.451], [7.8801, 48.4515]]
    net.line["geo"] = [json.dumps({"type": "LineString", "coordinates": course}), None]
    return open_network(net)


def table_of(network) -> pd.DataFrame:
    """Return a table of two connections and both directions."""
    grid = network.grid
    place = [int(np.flatnonzero(grid.bus_index == b)[0]) for b in network.sites["bus"]]
    rows = [
        (site, int(network.sites["bus"].loc[site]), site, "abc", 1, float(grid.bus_distance_m[at]),
         way, power, int(power // 11), reached, binding, element,
         float(grid.bus_xy[at, 0]), float(grid.bus_xy[at, 1]))
        for way, power, reached, binding, element in (
            ("import", 34.56789, True, "voltage", "Home 1"), ("export", 640.0, False, "", ""))
        for site, at in reversed(list(zip(network.sites.index, place, strict=True)))
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(NODAL_COLUMNS))


def read(path) -> dict:
    """Return a written file, read by a strict reader."""

    def refuse(text):
        raise AssertionError(text)

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_each_connection_is_one_point_with_both_directions_in_the_order_of_the_sites(tmp_path):
    network = mapped()
    found = read(write_nodal_geojson(table_of(network), network, tmp_path / "n.geojson"))
    assert found["type"] == "FeatureCollection"
    assert [f["id"] for f in found["features"]] == ["Home 0", "Home 1"]
    first = found["features"][0]
    assert first["geometry"] == {"type": "Point", "coordinates": [7.8801, 48.4515]}
    own = first["properties"]
    # Rounded down: the map never promises more than was found.
    assert own["import_capacity_kw"] == 34.567
    assert own["import_cars"] == 3
    assert own["import_binding_element"] == "Home 1"
    assert own["export_reached"] is False
    assert own["distance_m"] == 150.0


def test_a_real_scan_goes_to_the_file_as_it_stands_in_the_table(tmp_path):
    _, table = small("four_buses")
    network = mapped()
    result = ScanResult("n", "nodal", network, {}, 2, nodal=table.assign(x=7.88, y=48.45))
    found = read(write_nodal_geojson(result, network, tmp_path / "n.geojson"))
    written = [f["properties"]["import_capacity_kw"] for f in found["features"]]
    known = table.loc[table["direction"] == "import", "capacity_kw"]
    assert written == pytest.approx(known, abs=0.0011)
    assert (np.array(written) <= known.to_numpy()).all()


def test_lines_follow_their_course_and_carry_their_rating(tmp_path):
    network = mapped()
    path = write_nodal_geojson(table_of(network), network, tmp_path / "n.geojson", lines=True)
    bent, straight = read(path)["features"][2:]
    assert len(bent["geometry"]["coordinates"]) == 3
    assert straight["geometry"]["coordinates"] == [[7.8801, 48.4515], [7.88, 48.4535]]
    assert bent["properties"]["i_max_a"] == pytest.approx(
        1e3 * network.grid.line_i_max_ka[0], abs=0.05
    )
    assert straight["properties"]["length_m"] == 250.0


def test_what_is_not_known_is_null_and_no_number(tmp_path):
    network = mapped()
    table = table_of(network).assign(x=np.nan)
    table["distance_m"] = np.nan
    found = read(write_nodal_geojson(table, network, tmp_path / "n.geojson"))
    assert all(f["geometry"] is None for f in found["features"])
    assert all(f["properties"]["distance_m"] is None for f in found["features"])


def test_the_same_table_gives_the_same_bytes_over_an_older_file(tmp_path):
    network, path = mapped(), tmp_path / "n.geojson"
    path.write_text("old")
    write_nodal_geojson(table_of(network), network, path)
    first = path.read_bytes()
    shuffled = table_of(network).sample(frac=1.0, random_state=1)
    assert write_nodal_geojson(shuffled, network, path).read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["n.geojson"]


def test_a_layout_of_our_own_is_no_map(tmp_path):
    network = opened("four_buses")
    with pytest.raises(InputError, match="no longitude and latitude"):
        write_nodal_geojson(table_of(network), network, tmp_path / "n.geojson")
    assert not list(tmp_path.iterdir())


def test_everything_in_the_way_is_told_at_once(tmp_path):
    network = dataclasses.replace(opened("four_buses"), name="own")
    with pytest.raises(InputError) as error:
        write_nodal_geojson(pd.DataFrame(), network, tmp_path / "no" / "n.geojson")
    for text in ("is empty", "'own'", "is not there"):
        assert text in str(error.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t.drop(columns="cars"), "lacks cars"),
        (lambda t: t.assign(site_id="Elsewhere"), "'Elsewhere', no site"),
        (lambda t: pd.concat([t, t]), "twice"),
    ],
)
def test_a_table_of_something_else_is_refused(change, text, tmp_path):
    network = mapped()
    with pytest.raises(InputError, match=text):
        write_nodal_geojson(change(table_of(network)), network, tmp_path / "n.geojson")
    with pytest.raises(InputError, match="is a folder"):
        write_nodal_geojson(change(table_of(network)), network, tmp_path)
