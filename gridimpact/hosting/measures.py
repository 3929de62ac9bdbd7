"""What a planner may do to a network that hosts too few cars, and what each thing costs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import networkx as nx
import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.network.variants import (
    NAYY_4X240,
    at_tap,
    next_size_kva,
    with_thicker_lines,
    with_transformer_size,
)
from gridimpact.records import Grid, Network, ScanSettings
from gridimpact.study.spec import StudySpec

VOLTAGE_KINDS = ("voltage", "unbalance")
TRANSFORMER_KINDS = ("transformer_loading", "hot_spot", "ageing", "export")
BINDING_SHARE_PERCENT = 5.0
"""Elements that bind in fewer of the binding draws than this are left as they are [%]."""
CHARGER_CURVE = "vde_ar_n_4105"


def _prices() -> Mapping[float, float]:
    table = {
        100.0: 8e3,
        160.0: 9e3,
        250.0: 11e3,
        400.0: 14e3,
        630.0: 18e3,
        800.0: 22e3,
        1000.0: 26e3,
    }
    return MappingProxyType(table)


@dataclass(frozen=True)
class Costs:
    """Prices of measures, installed; own round numbers to be replaced by the user's.

    Attributes
    ----------
    tap_eur : float
        One visit to set an off-load tap changer.
    transformer_eur : mapping of float to float
        By rating [kVA], exchanged; between ratings by straight lines, beyond them in proportion.
    cable_eur_per_m : float
        Laid in the ground [EUR/m].
    phase_eur_per_car : float
        Moving a single-phase charger to another phase.
    volt_var_eur_per_car : float
        Setting a charger's curve.
    managed_eur_per_car : float
        Control of a car's charging over the years compared.
    """

    tap_eur: float = 500.0
    transformer_eur: Mapping[float, float] = field(default_factory=_prices)
    cable_eur_per_m: float = 100.0
    phase_eur_per_car: float = 150.0
    volt_var_eur_per_car: float = 50.0
    managed_eur_per_car: float = 100.0

    def __post_init__(self) -> None:
        """Refuse prices that are none."""
        numbers = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        table = numbers.pop("transformer_eur")
        numbers |= {f"transformer_eur, {size:g} kVA": price for size, price in table.items()}
        problems = [
            Problem(f"costs, {name}", f"is {value!r}", "give a price of 0 or more")
            for name, value in numbers.items()
            if not (np.isfinite(value) and value >= 0.0)
        ]
        if not table:
            problems.append(
                Problem("costs, transformer_eur", "is empty", "name at least one rating")
            )
        raise_problems(problems, "costs of measures")

    def of_transformer(self, sn_kva: float) -> float:
        """Return the price of a transformer of this rating [EUR]."""
        sizes = np.array(sorted(self.transformer_eur))
        prices = np.array([self.transformer_eur[size] for size in sizes])
        if sn_kva > sizes[-1]:
            return float(prices[-1] * sn_kva / sizes[-1])
        return float(np.interp(sn_kva, sizes, prices))


@dataclass(frozen=True)
class Measure:
    """One change of a study.

    Attributes
    ----------
    name : str
        "tap", "transformer", "cable", "phase_balancing" or "volt_var".
    detail : str
        What is done, in words.
    fixed_eur : float
        Price whatever the number of cars.
    eur_per_car : float
        Price for each car then hosted.
    change : callable
        From the study to the changed study.
    settings : callable
        From the settings of the scan to those of the changed scan.
    """

    name: str
    detail: str
    fixed_eur: float
    eur_per_car: float
    change: Callable[[StudySpec], StudySpec]
    settings: Callable[[ScanSettings], ScanSettings] = lambda settings: settings


def measures_for(spec: StudySpec, binding: pd.DataFrame, costs: Costs) -> list[Measure]:
    """Return what may help against what binds.

    Parameters
    ----------
    spec : StudySpec
        The study as it is.
    binding : DataFrame
        `BINDING_COLUMNS` of the one strategy looked at.
    costs : Costs
        Prices.

    Returns
    -------
    list of Measure
        Taps one step either way and thicker cables from the busbar to the buses whose voltage binds; larger
        transformers where they bind; thicker cables where lines bind; in three phases chargers spread over
        the phases; reactive power of chargers along a curve. Only what touches what binds is offered.
    """
    worth = binding[binding["percent"] >= BINDING_SHARE_PERCENT]
    network = spec.network
    found = [*_taps(network, worth, costs), *_transformers(network, worth, costs)]
    found += _cables(network, worth, costs)
    voltage = worth["limit"].isin(VOLTAGE_KINDS).any()
    if voltage and spec.power_flow == "three_phase":
        found.append(
            Measure(
                "phase_balancing",
                "single-phase chargers of a feeder take its phases in turn",
                0.0,
                costs.phase_eur_per_car,
                lambda study: study,
                lambda settings: dataclasses.replace(settings, phases="rotate"),
            )
        )
    if (worth["limit"] == "voltage").any() and "chargers" not in spec.volt_var:
        curve = {**spec.volt_var, "chargers": CHARGER_CURVE}
        found.append(
            Measure(
                "volt_var",
                f"chargers follow the curve {CHARGER_CURVE}",
                0.0,
                costs.volt_var_eur_per_car,
                lambda study: dataclasses.replace(study, volt_var=curve),
            )
        )
    return found


def _with_network(network: Network) -> Callable[[StudySpec], StudySpec]:
    return lambda study: dataclasses.replace(study, network=network)


def _taps(network: Network, binding: pd.DataFrame, costs: Costs) -> Iterator[Measure]:
    """Yield one step either way of the tap changers that supply buses whose voltage binds."""
    grid, table = network.grid, network.net["trafo"]
    buses = binding.loc[binding["limit"] == "voltage", "element"]
    places = pd.Index(grid.bus_index).get_indexer(pd.Index(buses))
    held = {control.transformer for control in grid.tap_controls}
    for k in sorted({int(grid.bus_transformer[place]) for place in places if place >= 0} - held):
        if k < 0:
            continue
        index = int(grid.transformer_index[k])
        row = table.loc[index]
        for step in (-1, 1):
            position = float(row["tap_pos"]) + step
            if not float(row["tap_min"]) <= position <= float(row["tap_max"]):
                continue
            text = f"{grid.transformer_name[k]} from tap {row['tap_pos']:g} to {position:g}"
            changed = at_tap(network, index, int(position))
            yield Measure("tap", text, costs.tap_eur, 0.0, _with_network(changed))


def _transformers(network: Network, binding: pd.DataFrame, costs: Costs) -> Iterator[Measure]:
    """Yield the next size of every transformer that binds."""
    grid, table = network.grid, network.net["trafo"]
    held = {control.transformer for control in grid.tap_controls}
    rows = binding[binding["limit"].isin(TRANSFORMER_KINDS)]
    for index in sorted({int(k) for k in rows["element"]} & set(table.index)):
        k = int(np.flatnonzero(grid.transformer_index == index)[0])
        unit = 1e3 * float(table.loc[index, "sn_mva"])
        larger = next_size_kva(unit)
        if larger is None or k in held:
            continue
        count = int(table.loc[index, "parallel"])
        text = f"{grid.transformer_name[k]} from {unit:g} to {larger:g} kVA"
        changed = with_transformer_size(network, index, larger)
        price = count * costs.of_transformer(larger)
        yield Measure("transformer", text, price, 0.0, _with_network(changed))


def _cables(network: Network, binding: pd.DataFrame, costs: Costs) -> Iterator[Measure]:
    """Yield thicker cables: lines that bind, and the way from the busbar to buses whose voltage binds."""
    grid = network.grid
    loaded = binding.loc[binding["limit"] == "line_loading", "element"]
    lines = {int(np.flatnonzero(grid.line_index == k)[0]) for k in loaded if k in grid.line_index}
    buses = binding.loc[binding["limit"].isin(VOLTAGE_KINDS), "element"]
    places = pd.Index(grid.bus_index).get_indexer(pd.Index(buses))
    for what, chosen in (
        ("lines that are overloaded", lines),
        ("lines to the weakest buses", lines | lines_to(grid, [int(p) for p in places if p >= 0])),
    ):
        if not chosen or (what.endswith("buses") and chosen == lines):
            continue
        rows = [int(grid.line_index[k]) for k in sorted(chosen)]
        metres = float(grid.line_length_m[sorted(chosen)].sum())
        text = f"{len(rows)} {what}, {metres:.0f} m, {NAYY_4X240.name} or a second one"
        changed = with_thicker_lines(network, rows)
        yield Measure("cable", text, metres * costs.cable_eur_per_m, 0.0, _with_network(changed))


def lines_to(grid: Grid, buses: list[int]) -> set[int]:
    """Return the lines on the shortest ways from the busbars to some buses.

    Parameters
    ----------
    grid : Grid
    buses : list of int
        Positions on the bus axis.

    Returns
    -------
    set of int
        Positions on the line axis; of parallel lines the shorter one.
    """
    graph = nx.Graph()
    for k in np.flatnonzero(grid.line_branch >= 0).tolist():
        ends = (int(grid.bus_node[grid.line_from[k]]), int(grid.bus_node[grid.line_to[k]]))
        length = float(grid.line_length_m[k])
        if not graph.has_edge(*ends) or graph.edges[ends]["length"] > length:
            graph.add_edge(*ends, length=length, line=k)
    found: set[int] = set()
    for bus in buses:
        busbar = _busbar_node(grid, bus)
        node = int(grid.bus_node[bus])
        if busbar not in graph or node not in graph or not nx.has_path(graph, busbar, node):
            continue
        way = nx.shortest_path(graph, busbar, node, weight="length")
        found |= {graph.edges[edge]["line"] for edge in itertools.pairwise(way)}
    return found


def _busbar_node(grid: Grid, bus: int) -> int:
    """Return the node of the busbar that supplies a bus, that of its source where no transformer does."""
    k = int(grid.bus_transformer[bus])
    if k < 0:
        near = np.flatnonzero((grid.bus_feeder == 0) & (grid.bus_transformer < 0))
        return int(grid.bus_node[near[0]]) if near.size else -1
    high, low = int(grid.transformer_hv[k]), int(grid.transformer_lv[k])
    own = grid.bus_vn_kv[bus]
    upward = abs(grid.bus_vn_kv[high] - own) < abs(grid.bus_vn_kv[low] - own)
    return int(grid.bus_node[high if upward else low])
