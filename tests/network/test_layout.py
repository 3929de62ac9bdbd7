"""Coordinates: the source's where it has them, else a drawing that keeps distances and never crosses."""

from __future__ import annotations

import json

import numpy as np
import pandapower as pp
import pytest

from gridimpact.network.layout import closed_graph, place_buses, radial_layout
from tests.network.nets import feeder


def _point(x, y):
    return json.dumps({"type": "Point", "coordinates": [x, y]})


def test_a_drawing_keeps_each_line_at_its_length_from_the_source():
    net = feeder(homes=4)
    xy = radial_layout(net)
    centre = xy[0]
    radius = np.hypot(*(xy - centre).T)
    assert np.allclose(np.diff(radius)[1:], 50.0)
    assert np.unique(np.round(xy, 6), axis=0).shape[0] == len(net.bus)


def test_branches_get_sectors_of_their_own():
    net = feeder(homes=1)
    for _ in range(5):
        bus = pp.create_bus(net, 0.4)
        pp.create_line(net, 1, bus, 0.1, "NAYY 4x150 SE")
    xy = radial_layout(net) - radial_layout(net)[0]
    ends = xy[3:]
    angle = np.sort(np.arctan2(ends[:, 1], ends[:, 0]) % (2 * np.pi))
    assert np.diff(angle).min() > 0.9


def test_islands_and_dead_buses_are_drawn_apart():
    net = feeder()
    lone = pp.create_bus(net, 0.4)
    off = pp.create_bus(net, 0.4, in_service=False)
    xy, geographic, notes = place_buses(net)
    assert not geographic
    assert np.isfinite(xy).all()
    assert np.unique(np.round(xy, 6), axis=0).shape[0] == len(net.bus)
    assert "own radial layout" in notes[0].text
    assert off not in closed_graph(net)
    assert lone in closed_graph(net)


def test_longitude_and_latitude_are_told_from_a_schematic_drawing():
    net = feeder()
    step = 50.0 / 111_194.9  # 50 m of meridian in degrees
    net.bus["geo"] = [_point(7.8, 48.4 + i * step) for i in range(5)]
    xy, geographic, _ = place_buses(net)
    assert geographic
    assert xy[2, 0] == 7.8
    net.bus["geo"] = [_point(0.0, float(i)) for i in range(5)]
    xy, geographic, notes = place_buses(net)
    assert not geographic
    assert "scaled by" in notes[0].text
    assert np.diff(xy[:, 1])[1:].sum() == pytest.approx(150.0, rel=0.01)


def test_a_bus_without_coordinates_lies_beside_its_neighbour():
    net = feeder()
    net.bus["geo"] = [_point(i * 50.0, 1000.0) for i in range(4)] + [None]
    xy, geographic, notes = place_buses(net)
    assert not geographic
    assert np.array_equal(xy[4], xy[3])
    assert "1 buses without coordinates" in notes[0].text


def test_open_switches_part_the_graph():
    net = feeder()
    pp.create_switch(net, 2, 1, et="l", closed=False)
    graph = closed_graph(net)
    assert not graph.has_edge(2, 3)
    assert graph.has_edge(1, 2)
