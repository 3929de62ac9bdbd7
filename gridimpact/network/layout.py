"""Where the buses lie: coordinates of the source, else a radial layout of our own.

The layout draws the spanning tree outwards from the sources; nothing here touches power flow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from gridimpact.records import BoolArray, FloatArray, Note

HOP_M = 20.0
"""Drawn length of a branch without length (transformer, switch) [m]."""
EARTH_M = 6_371_000.0


def place_buses(net: Any) -> tuple[FloatArray, bool, list[Note]]:
    """Return coordinates of every bus.

    Parameters
    ----------
    net : pandapowerNet
        Cleaned net; column ``geo`` of its buses may hold GeoJSON points.

    Returns
    -------
    bus_xy : ndarray, shape (bus, 2)
        Longitude and latitude [degree], or metres [m], in order of ``net.bus.index``.
    geographic : bool
        Whether they are longitude and latitude.
    notes : list of Note
        What was laid out or scaled.

    Notes
    -----
    Points count as longitude and latitude when they lie in that range and their great-circle
    distances agree with the lines' lengths within a factor of five (median); schematic drawings
    in small numbers do not and are scaled to the lines' total length.
    """
    given = points_of(net.bus["geo"])
    known: BoolArray = np.asarray(np.isfinite(given).all(axis=1))
    if known.sum() < max(2, 0.5 * len(net.bus)) or _same_place(given[known]):
        note = Note(
            "info", "bus, geo", "the source has no coordinates: own radial layout in metres"
        )
        return radial_layout(net), False, [note]
    notes = []
    if not known.all():
        text = f"{int((~known).sum())} buses without coordinates drawn beside their neighbours"
        notes.append(Note("info", "bus, geo", text))
        given = _fill(net, given, known)
    if _is_geographic(net, given):
        return given, True, notes
    scaled, factor = _scaled(net, given)
    if factor != 1.0:
        text = f"schematic coordinates scaled by {factor:.3g} to the total length of the lines"
        notes.append(Note("info", "bus, geo", text))
    return scaled, False, notes


def points_of(geo: pd.Series) -> FloatArray:
    """Return the points of GeoJSON texts, NaN where there is none.

    Examples
    --------
    >>> points_of(pd.Series(['{"type": "Point", "coordinates": [1.0, 2.0]}', None])).tolist()
    [[1.0, 2.0], [nan, nan]]
    """
    rows = []
    for text in geo:
        shape = json.loads(text) if isinstance(text, str) else None
        is_point = isinstance(shape, Mapping) and shape.get("type") == "Point"
        rows.append(shape["coordinates"][:2] if shape and is_point else (np.nan, np.nan))
    return np.asarray(rows, dtype=np.float64).reshape(-1, 2)


def closed_graph(net: Any) -> nx.Graph:
    """Return the graph of buses and closed branches, edges with ``length_m``.

    Lines and transformers with an open switch, and elements out of service, are left out.
    """
    graph = nx.Graph()
    graph.add_nodes_from(net.bus.index[net.bus.in_service].tolist())
    switch = net.switch
    opened = switch[~switch.closed]
    lines = net.line[net.line.in_service & ~net.line.index.isin(_open(opened, "l"))]
    for a, b, length in zip(lines.from_bus, lines.to_bus, lines.length_km, strict=True):
        graph.add_edge(int(a), int(b), length_m=1000.0 * float(length))
    trafos = net.trafo[net.trafo.in_service & ~net.trafo.index.isin(_open(opened, "t"))]
    pairs = list(zip(trafos.hv_bus, trafos.lv_bus, strict=True))
    pairs += _windings(net, opened)
    for table in ("impedance", "tcsc"):
        if table in net:
            joined = net[table][net[table].in_service]
            pairs += list(zip(joined.from_bus, joined.to_bus, strict=True))
    couplers = switch[switch.closed & (switch.et == "b")]
    pairs += list(zip(couplers.bus, couplers.element, strict=True))
    for a, b in pairs:
        if not graph.has_edge(int(a), int(b)):
            graph.add_edge(int(a), int(b), length_m=0.0)
    graph.remove_nodes_from(net.bus.index[~net.bus.in_service].tolist())
    return graph


def _windings(net: Any, opened: pd.DataFrame) -> list[tuple[int, int]]:
    """Return the buses that three-winding transformers join; an open switch cuts one winding."""
    cut = opened[opened.et == "t3"]
    cuts = set(zip(cut.element, cut.bus, strict=True))
    wound = net.trafo3w[net.trafo3w.in_service]
    pairs = []
    for row in wound.itertuples():
        live = [b for b in (row.hv_bus, row.mv_bus, row.lv_bus) if (row.Index, b) not in cuts]
        pairs += list(pairwise(live))
    return pairs


def _open(opened: pd.DataFrame, kind: str) -> pd.Series:
    """Return the elements of one kind behind an open switch."""
    return opened.element[opened.et == kind]


def radial_layout(net: Any) -> FloatArray:
    """Return a drawing of the network's spanning tree, in metres.

    Parameters
    ----------
    net : pandapowerNet
        Cleaned net.

    Returns
    -------
    ndarray, shape (bus, 2)
        Distance from the centre is the length of line from the source [m]; each branch gets a
        sector in proportion to the end buses it leads to, so branches never cross.
    """
    graph = closed_graph(net)
    place = {int(bus): (0.0, 0.0) for bus in net.bus.index}
    sources = net.ext_grid.bus[net.ext_grid.in_service].astype(int).tolist()
    offset = 0.0
    for component in _components(graph, sources):
        root = next((bus for bus in sources if bus in component), min(component))
        drawn = _draw_tree(graph.subgraph(component), root)
        reach = max(1.0, max(float(np.hypot(*point)) for point in drawn.values()))
        for bus, (x, y) in drawn.items():
            place[bus] = (x + offset + reach, y)
        offset += 2.0 * reach + HOP_M
    for bus in net.bus.index.difference(list(graph.nodes)):
        offset += HOP_M
        place[int(bus)] = (offset, 0.0)
    return np.asarray([place[int(bus)] for bus in net.bus.index], dtype=np.float64)


def _components(graph: nx.Graph, sources: list[int]) -> list[set[int]]:
    """Return the connected parts, those with a source first, then by size and lowest bus."""
    parts = [set(part) for part in nx.connected_components(graph)]
    return sorted(parts, key=lambda part: (part.isdisjoint(sources), -len(part), min(part)))


def _draw_tree(graph: nx.Graph, root: int) -> dict[int, tuple[float, float]]:
    """Return the drawing of one connected part around its root."""
    children = {bus: sorted(next_) for bus, next_ in nx.bfs_successors(graph, root)}
    order = [root, *(b for _, found in nx.bfs_successors(graph, root) for b in sorted(found))]
    leaves = dict.fromkeys(order, 1)
    for bus in reversed(order):
        leaves[bus] = max(1, sum(leaves[child] for child in children.get(bus, [])))
    sector = {root: (0.0, 2.0 * np.pi)}
    radius = {root: 0.0}
    drawn = {root: (0.0, 0.0)}
    for bus in order:
        begin, end = sector[bus]
        share = (end - begin) / leaves[bus]
        for child in children.get(bus, []):
            width = share * leaves[child]
            sector[child] = (begin, begin + width)
            length = graph.edges[bus, child]["length_m"]
            radius[child] = radius[bus] + (length if length > 0.0 else HOP_M)
            angle = begin + 0.5 * width
            drawn[child] = (radius[child] * np.cos(angle), radius[child] * np.sin(angle))
            begin += width
    return drawn


def _same_place(points: FloatArray) -> bool:
    """Return whether all points fall on one."""
    return bool(len(points) == 0 or np.ptp(points, axis=0).max() == 0.0)


def _fill(net: Any, given: FloatArray, known: BoolArray) -> FloatArray:
    """Give buses without coordinates those of the nearest neighbour by hops."""
    graph = closed_graph(net)
    position = {int(bus): number for number, bus in enumerate(net.bus.index)}
    filled = given.copy()
    filled[~known] = np.nanmean(given[known], axis=0)
    roots = {int(net.bus.index[i]) for i in np.flatnonzero(known)} & set(graph.nodes)
    nearest = {root: root for root in roots}
    queue = sorted(roots)
    for bus in queue:
        for other in sorted(graph.neighbors(bus)):
            if other not in nearest:
                nearest[other] = nearest[bus]
                queue.append(other)
    for bus, root in nearest.items():
        if not known[position[bus]]:
            filled[position[bus]] = given[position[root]]
    return filled


def _drawn_m(net: Any, points: FloatArray, metres: bool) -> FloatArray:
    """Return the drawn length of every line, in metres or in the drawing's own unit."""
    place = pd.Series(np.arange(len(net.bus)), index=net.bus.index)
    a = points[place.loc[net.line.from_bus].to_numpy()]
    b = points[place.loc[net.line.to_bus].to_numpy()]
    step = b - a
    if metres:
        step = np.radians(step) * EARTH_M
        step[:, 0] *= np.cos(np.radians(0.5 * (a[:, 1] + b[:, 1])))
    return np.asarray(np.hypot(step[:, 0], step[:, 1]), dtype=np.float64)


def _is_geographic(net: Any, points: FloatArray) -> bool:
    """Return whether points are longitude and latitude, judged by the lines' lengths."""
    in_range = bool((np.abs(points) <= (180.0, 90.0)).all())
    if not in_range or net.line.empty:
        return in_range
    length = 1000.0 * net.line.length_km.to_numpy(np.float64)
    drawn = _drawn_m(net, points, metres=True)
    useful = (drawn > 0.0) & (length > 0.0)
    if not useful.any():
        return False
    return bool(0.2 < np.median(drawn[useful] / length[useful]) < 5.0)


def _scaled(net: Any, points: FloatArray) -> tuple[FloatArray, float]:
    """Return points in metres; a drawing that is not to scale is scaled to the lines' length."""
    length = 1000.0 * float(net.line.length_km.sum())
    drawn = float(_drawn_m(net, points, metres=False).sum()) if len(net.line) else 0.0
    if drawn <= 0.0 or length <= 0.0 or 0.5 < drawn / length < 2.0:
        return points, 1.0
    return points * (length / drawn), length / drawn
