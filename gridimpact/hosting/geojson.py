"""Capacity of each connection as a map layer: GeoJSON, which every geographic information system reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.hosting.files import atomic_write
from gridimpact.hosting.power_elements import DIRECTIONS
from gridimpact.records import NODAL_COLUMNS, Grid, Network, ScanResult

_DEGREE_DIGITS = 7
"""One hundredth of a metre."""
_OF_PLACE = ("site_id", "bus", "name", "phases", "feeder", "distance_m")
_OF_DIRECTION = ("capacity_kw", "cars", "reached", "binding", "binding_element")


def write_nodal_geojson(
    found: ScanResult | pd.DataFrame,
    network: Network,
    path: str | Path,
    *,
    lines: bool = False,
) -> Path:
    """Write the capacity of each connection as a GeoJSON feature collection (RFC 7946).

    Parameters
    ----------
    found : ScanResult or DataFrame
        Result of a nodal scan, or its table with the columns `gridimpact.records.NODAL_COLUMNS`.
    network : Network
        Whose buses have longitude and latitude.
    path : str or Path
        File to write, in a folder that is there; an old one is replaced whole or not at all.
    lines : bool
        Also write each line as a LineString with its rating.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the network's coordinates are not geographic, the table is empty or lacks columns, or the folder is not
        there.
    StorageError
        If the disk refuses.

    Notes
    -----
    One point for each connection, in the order of the network's sites, with what it may draw and feed under names
    such as ``import_capacity_kw``. Powers are rounded down to 1 W, so that the map never promises more than was
    found; coordinates are longitude and latitude as the network has them, taken as WGS 84. A connection without
    coordinates has no geometry.
    """
    table = found.nodal if isinstance(found, ScanResult) else found
    target = Path(path)
    raise_problems(_problems(table, network, target), "GeoJSON of nodal capacity")
    points = _points(table, network)
    shapes = _lines(network) if lines else []
    content = {
        "type": "FeatureCollection",
        "name": f"{network.name}, capacity of each connection",
        "features": points + shapes,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    atomic_write(target, text + "\n")
    return target


def _problems(table: pd.DataFrame, network: Network, path: Path) -> list[Problem]:
    """Return why nothing can be written."""
    found = []
    missing = [name for name in NODAL_COLUMNS if name not in table.columns]
    if not len(table):
        remedy = "run the nodal method first: hosting_capacity(study, method='nodal')"
        found.append(Problem("nodal", "is empty", remedy))
    elif missing:
        found.append(Problem("nodal", f"lacks {', '.join(missing)}"))
    else:
        known = {str(site) for site in network.sites.index}
        strange = [str(s) for s in table["site_id"] if str(s) not in known]
        if strange:
            what = f"names {strange[0]!r}, no site of {network.name!r}"
            found.append(Problem("nodal, site_id", what, "give the network of the scan"))
        if table.duplicated(["site_id", "direction"]).any():
            found.append(Problem("nodal", "has a connection and direction twice"))
    if not network.grid.bus_geographic:
        what = f"of {network.name!r} are a layout of our own in metres, no longitude and latitude"
        remedy = "give net.bus.geo as GeoJSON points in degrees (WGS 84), or use the table itself"
        found.append(Problem("coordinates", what, remedy))
    if path.is_dir():
        found.append(
            Problem("path", f"{str(path)!r} is a folder", "name a file, e.g. nodal.geojson")
        )
    elif not path.parent.is_dir():
        found.append(
            Problem("path", f"the folder {str(path.parent)!r} is not there", "make it first")
        )
    return found


def _points(table: pd.DataFrame, network: Network) -> list[dict[str, Any]]:
    """Return one feature for each connection of the table, in the order of the sites."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for found in table.to_dict("records"):
        record = {str(key): value for key, value in found.items()}
        rows.setdefault(str(record["site_id"]), {})[str(record["direction"])] = record
    features = []
    for site in (str(s) for s in network.sites.index):
        if site not in rows:
            continue
        ways = rows[site]
        first = next(iter(ways.values()))
        told = [way for way in DIRECTIONS if way in ways]
        properties: dict[str, Any] = {name: _plain(name, first[name]) for name in _OF_PLACE}
        for way in told:
            own = ways[way]
            properties |= {f"{way}_{name}": _plain(name, own[name]) for name in _OF_DIRECTION}
        features.append(_feature(site, _point(first["x"], first["y"]), properties))
    return features


def _lines(network: Network) -> list[dict[str, Any]]:
    """Return one feature for each line, along its own course where the network has one."""
    grid, courses = network.grid, _courses(network)
    features = []
    for k, index in enumerate(grid.line_index):
        ends = [_degrees(grid.bus_xy[bus]) for bus in (grid.line_from[k], grid.line_to[k])]
        course = courses.get(int(index)) or ([e for e in ends if e] if all(ends) else None)
        geometry = None if course is None else {"type": "LineString", "coordinates": course}
        features.append(_feature(f"line {index}", geometry, _line_properties(grid, k)))
    return features


def _line_properties(grid: Grid, k: int) -> dict[str, Any]:
    return {
        "line": int(grid.line_index[k]),
        "name": str(grid.line_name[k]),
        "from_bus": int(grid.bus_index[grid.line_from[k]]),
        "to_bus": int(grid.bus_index[grid.line_to[k]]),
        "length_m": _plain("length_m", grid.line_length_m[k]),
        "i_max_a": _plain("i_max_a", 1000.0 * grid.line_i_max_ka[k]),
        "in_service": bool(grid.line_branch[k] >= 0),
    }


def _courses(network: Network) -> dict[int, list[list[float]]]:
    """Return the course of each line that the network itself has one of in degrees."""
    table = network.net.line
    if "geo" not in table:
        return {}
    found = {}
    for index, text in table["geo"].items():
        course = _course(text)
        if course is not None:
            found[int(index)] = course
    return found


def _course(text: Any) -> list[list[float]] | None:
    """Return the points of a GeoJSON line, None where it is none in degrees."""
    if not isinstance(text, str):
        return None
    try:
        shape = json.loads(text)
        points = [_degrees(np.array(p[:2], dtype=np.float64)) for p in shape["coordinates"]]
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    known = [p for p in points if p is not None]
    return known if len(known) == len(points) and len(known) > 1 else None


def _feature(name: str, geometry: dict[str, Any] | None, of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": of}


def _point(x: float, y: float) -> dict[str, Any] | None:
    place = _degrees(np.array([x, y], dtype=np.float64))
    return None if place is None else {"type": "Point", "coordinates": place}


def _degrees(point: Any) -> list[float] | None:
    """Return longitude and latitude rounded, None where they are none."""
    x, y = (float(value) for value in point)
    if not (np.isfinite([x, y]).all() and abs(x) <= 180.0 and abs(y) <= 90.0):
        return None
    return [round(x, _DEGREE_DIGITS), round(y, _DEGREE_DIGITS)]


def _plain(name: str, value: Any) -> Any:
    """Return a value as JSON has it, rounded; None where it is not known."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if not isinstance(value, float):
        return value
    if not np.isfinite(value):
        return None
    if name in ("feeder", "cars", "bus"):
        return int(value)
    if name == "capacity_kw":
        return float(np.floor(1000.0 * value + 1e-6) / 1000.0)
    return round(value, 1)
