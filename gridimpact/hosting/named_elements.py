"""Names, pandapower indices and feeders of the elements that scenarios name by position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridimpact.records import IntArray, Network

ELEMENT = {
    "voltage": ("bus", "voltage_bus"),
    "unbalance": ("bus", "unbalance_bus"),
    "line_loading": ("line", "line"),
    "transformer_loading": ("transformer", "transformer"),
    "hot_spot": ("transformer", "transformer"),
    "ageing": ("transformer", "transformer"),
    "export": ("transformer", "transformer"),
    "connection": ("site", "site"),
}
"""Axis and field of a scenario that name the element of each kind of limit; service has none."""


@dataclass(frozen=True)
class ElementAxis:
    """Elements of one kind by position, arrays over (element + 1,): the last stands for "none"."""

    index: IntArray
    """pandapower index; of a site that of its bus; -1 for none."""
    name: NDArray[np.object_]
    feeder: IntArray
    """As `Grid.bus_feeder`; -1 for none."""

    def text(self, position: int) -> str:
        """Return name and feeder in words, "" for none."""
        feeder = int(self.feeder[position])
        return str(self.name[position]) + (f", feeder {feeder}" if feeder > 0 else "")


def element_axes(network: Network) -> dict[str, ElementAxis]:
    """Return the axes "bus", "line", "transformer" and "site" of a network.

    A bus with a single meter goes by the meter's name, which a planner knows; a line belongs to the feeder of
    its far end, a transformer to that of its low-voltage side.
    """
    grid = network.grid
    at = np.searchsorted(grid.bus_index, _site_bus(network), sorter=np.argsort(grid.bus_index))
    site_bus = np.argsort(grid.bus_index)[at] if len(at) else np.zeros(0, dtype=np.int64)
    site_name = [str(n) for n in network.sites["name"]]
    meters = np.bincount(site_bus, minlength=len(grid.bus_index))
    bus_name = list(grid.bus_name)
    for bus, name in zip(site_bus, site_name, strict=True):
        bus_name[bus] = name if meters[bus] == 1 else bus_name[bus]
    of_bus = grid.bus_feeder
    return {
        "bus": _axis(grid.bus_index, bus_name, of_bus),
        "line": _axis(
            grid.line_index,
            grid.line_name,
            np.maximum(of_bus[grid.line_from], of_bus[grid.line_to]),
        ),
        "transformer": _axis(
            grid.transformer_index, grid.transformer_name, of_bus[grid.transformer_lv]
        ),
        "site": _axis(grid.bus_index[site_bus], site_name, of_bus[site_bus]),
    }


def _site_bus(network: Network) -> IntArray:
    return np.asarray(network.sites["bus"].to_numpy(dtype=np.int64))


def _axis(index: IntArray, names: list[str] | tuple[str, ...], feeder: IntArray) -> ElementAxis:
    return ElementAxis(
        index=np.r_[index, -1].astype(np.int64),
        name=np.array([*names, ""], dtype=object),
        feeder=np.r_[feeder, -1].astype(np.int64),
    )
