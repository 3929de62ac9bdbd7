"""Which transformer and feeder supplies each bus, and how many metres of line lie between.

The search follows closed lines and switches outward from each busbar; it knows no power flow.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.records import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class SupplyPaths:
    """Arrays over (bus,), as the fields of `gridimpact.records.Grid` of the same meaning."""

    distance_m: FloatArray
    feeder: IntArray
    transformer: IntArray


@dataclass(frozen=True)
class _Edges:
    """Closed connections at one voltage level: ``line`` is the line's position or -1."""

    first: IntArray
    second: IntArray
    length_m: FloatArray
    line: IntArray


@dataclass(frozen=True)
class _Windings:
    """Closed transformer connections between areas; ``transformer`` is -1 for three windings."""

    high: IntArray
    low: IntArray
    transformer: IntArray


def supply_paths(net: Any, supplied: BoolArray) -> SupplyPaths:
    """Return distance, feeder and supplying transformer of every bus.

    Parameters
    ----------
    net : pandapowerNet
        Never written to.
    supplied : numpy.ndarray
        (bus,) whether a source reaches the bus.

    Notes
    -----
    A transformer supplies the side that lies farther from the external grids, counted in
    transformers passed. Where several reach a bus, the shortest path of line counts, then the
    first transformer of the table. An area without a supplying transformer is measured from its
    external grids; it has feeders only if no transformer hangs on it.
    """
    edges, windings, sources = _edges(net, supplied), _windings(net, supplied), _sources(net)
    count = len(supplied)
    area = _areas(count, edges)
    level = _levels(area, windings, [bus for bus in sources if supplied[bus]])
    starts, fed = _starts(area, level, windings, supplied)
    upstream = [bus for bus in sources if supplied[bus] and area[bus] not in fed]
    has_transformer = {int(area[bus]) for bus in np.concatenate([windings.high, windings.low])}
    numbered = {int(area[bus]) for bus in upstream} - has_transformer
    numbered |= {int(area[bus]) for bus, _ in starts}
    starts += [(bus, -1) for bus in upstream]
    return _spread(count, edges, starts, area, numbered)


def _edges(net: Any, supplied: BoolArray) -> _Edges:
    line, switch, impedance = net["line"], net["switch"], net["impedance"]
    closed = line["in_service"].to_numpy(dtype=bool) & ~_opened(net, "l", line.index)
    line_from, line_to = _bus(net, line["from_bus"]), _bus(net, line["to_bus"])
    bridge = switch["closed"].to_numpy(dtype=bool) & (switch["et"] == "b").to_numpy()
    bridges = switch[bridge]
    couplers = impedance[impedance["in_service"].to_numpy(dtype=bool)][["from_bus", "to_bus"]]
    if net.get("tcsc") is not None and len(net["tcsc"]):
        series = net["tcsc"][net["tcsc"]["in_service"].to_numpy(dtype=bool)]
        couplers = pd.concat([couplers, series[["from_bus", "to_bus"]]])
    first = [line_from[closed], _bus(net, bridges["bus"]), _bus(net, couplers["from_bus"])]
    second = [line_to[closed], _bus(net, bridges["element"]), _bus(net, couplers["to_bus"])]
    short = len(bridges) + len(couplers)
    lengths = 1e3 * line["length_km"].to_numpy(dtype=np.float64)[closed]
    found = _Edges(
        np.concatenate(first),
        np.concatenate(second),
        np.concatenate([lengths, np.zeros(short)]),
        np.concatenate([np.flatnonzero(closed), np.full(short, -1)]).astype(np.int64),
    )
    keep = supplied[found.first] & supplied[found.second]
    return _Edges(found.first[keep], found.second[keep], found.length_m[keep], found.line[keep])


def _windings(net: Any, supplied: BoolArray) -> _Windings:
    two, three = net["trafo"], net["trafo3w"]
    closed = two["in_service"].to_numpy(dtype=bool) & ~_opened(net, "t", two.index)
    star = three[three["in_service"].to_numpy(dtype=bool)]
    switch = net["switch"]
    cut = switch[(switch["et"] == "t3") & ~switch["closed"].astype(bool)]
    cuts = set(zip(cut["element"], cut["bus"], strict=True))
    pairs = [
        (row[first], row[second])
        for index, row in star[["hv_bus", "mv_bus", "lv_bus"]].iterrows()
        for first, second in (("hv_bus", "mv_bus"), ("hv_bus", "lv_bus"), ("mv_bus", "lv_bus"))
        if not cuts & {(index, row[first]), (index, row[second])}
    ]
    high3, low3 = (_bus(net, np.array([p[side] for p in pairs])) for side in (0, 1))
    high = np.concatenate([_bus(net, two["hv_bus"])[closed], high3])
    low = np.concatenate([_bus(net, two["lv_bus"])[closed], low3])
    place = np.concatenate([np.flatnonzero(closed), np.full(len(pairs), -1)]).astype(np.int64)
    keep = supplied[high] & supplied[low]
    return _Windings(high[keep], low[keep], place[keep])


def _sources(net: Any) -> list[int]:
    grid = net["ext_grid"]
    buses = list(_bus(net, grid["bus"][grid["in_service"].astype(bool)]))
    gen = net["gen"]
    if "slack" in gen:
        slack = gen["slack"].fillna(False).astype(bool) & gen["in_service"].astype(bool)
        buses += list(_bus(net, gen["bus"][slack]))
    return sorted({int(bus) for bus in buses})


def _opened(net: Any, kind: str, index: Any) -> BoolArray:
    switch = net["switch"]
    rows = switch[(switch["et"] == kind) & ~switch["closed"].astype(bool)]
    return np.asarray(index.isin(rows["element"]), dtype=bool)


def _bus(net: Any, column: Any) -> IntArray:
    return np.asarray(
        net["bus"].index.get_indexer(np.asarray(column, dtype=np.int64)), dtype=np.int64
    )


def _areas(count: int, edges: _Edges) -> IntArray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(edges.first)), (edges.first, edges.second)), (count, count))
    _, area = connected_components(links, directed=False)
    return np.asarray(area, dtype=np.int64)


def _levels(area: IntArray, windings: _Windings, sources: list[int]) -> dict[int, int]:
    """Return how many transformers lie between each area and the nearest external grid."""
    neighbours: dict[int, set[int]] = {}
    for high, low in zip(area[windings.high], area[windings.low], strict=True):
        neighbours.setdefault(int(high), set()).add(int(low))
        neighbours.setdefault(int(low), set()).add(int(high))
    level = {int(area[bus]): 0 for bus in sources}
    front = list(level)
    while front:
        reached = [(a, b) for a in front for b in neighbours.get(a, ()) if b not in level]
        for origin, target in reached:
            level.setdefault(target, level[origin] + 1)
        front = sorted({target for _, target in reached})
    return level


def _starts(
    area: IntArray, level: dict[int, int], windings: _Windings, supplied: BoolArray
) -> tuple[list[tuple[int, int]], set[int]]:
    """Return the busbars that transformers feed and the areas fed so."""
    starts: list[tuple[int, int]] = []
    for high, low, transformer in zip(
        windings.high, windings.low, windings.transformer, strict=True
    ):
        high_level, low_level = (level.get(int(area[side]), 0) for side in (high, low))
        if low_level > high_level:
            starts.append((int(low), int(transformer)))
        elif high_level > low_level:
            starts.append((int(high), int(transformer)))
    return starts, {int(area[bus]) for bus, _ in starts}


def _spread(
    count: int,
    edges: _Edges,
    starts: Iterable[tuple[int, int]],
    area: IntArray,
    numbered: set[int],
) -> SupplyPaths:
    """Walk outward from the starts, shortest line first; ties go to the first transformer."""
    neighbours: list[list[tuple[int, float, int]]] = [[] for _ in range(count)]
    for a, b, length, line in zip(
        edges.first, edges.second, edges.length_m, edges.line, strict=True
    ):
        neighbours[a].append((int(b), float(length), int(line)))
        neighbours[b].append((int(a), float(length), int(line)))
    distance = np.full(count, np.nan)
    feeder = np.full(count, -1, dtype=np.int64)
    transformer = np.full(count, -1, dtype=np.int64)
    far = len(area)
    # Queue entries: metres, lines passed first (0 at a busbar), transformer, head line, bus.
    queue = [(0.0, t if t >= 0 else far, -1, bus) for bus, t in starts]
    heapq.heapify(queue)
    while queue:
        metres, supplier, head, bus = heapq.heappop(queue)
        if feeder[bus] >= 0:
            continue
        distance[bus], transformer[bus] = metres, supplier if supplier < far else -1
        feeder[bus] = head + 1
        for other, length, line in neighbours[bus]:
            if feeder[other] < 0:
                first = line if head < 0 and line >= 0 and int(area[bus]) in numbered else head
                heapq.heappush(queue, (metres + length, supplier, first, other))
    # Heads are line positions; number them 1, 2, ... in the order of the line table.
    heads = np.unique(feeder[feeder > 0])
    feeder[feeder > 0] = 1 + np.searchsorted(heads, feeder[feeder > 0])
    return SupplyPaths(distance, feeder, transformer)
