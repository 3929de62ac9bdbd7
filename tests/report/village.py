"""A made-up village with every variable a report shows: 250 kVA, 56 homes, a hall, 60 cars.

The electricity is a linear drop along the cables and a first-order oil: plausible, quick, and
enough to draw. Nothing here is a result of the package.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from gridimpact.conventions import METRICS, VARIABLES
from gridimpact.records import (
    Admittance,
    Assessment,
    Fleet,
    Grid,
    Network,
    Note,
    Profiles,
    StudyResult,
)
from gridimpact.timeline import Timeline

STRATEGIES = (
    "no_ev",
    "uncontrolled",
    "g2v_valley_filling",
    "v2g_peak_shaving",
    "v2h_self_consumption",
    "v2b_demand_charge",
    "mix",
)
FEEDERS, HOMES, HALL_CARS, RATING = 4, 14, 4, 250.0
STEPS_A_DAY = 96


def village_grid(geographic: bool = True) -> Grid:
    """Four cables leave one busbar; a home every 35 to 60 m."""
    rng = np.random.default_rng(5)
    homes = FEEDERS * HOMES
    count = homes + 2
    start, distance, feeder = (
        np.zeros(homes, int),
        np.zeros(count),
        np.zeros(count, int),
    )
    xy = np.zeros((count, 2))
    length = rng.uniform(28, 52, homes)
    for line in range(homes):
        number, place = divmod(line, HOMES)
        before = 1 if place == 0 else (line + 1 if place != 9 else 2 + number * HOMES + 4)
        start[line] = before
        distance[line + 2] = distance[before] + length[line]
        feeder[line + 2] = number + 1
        angle = 0.6 + number * np.pi / 2 + (0.9 if place >= 9 else 0.0) + rng.normal(0, 0.18)
        xy[line + 2] = xy[before] + length[line] * np.array([np.cos(angle), np.sin(angle)])
    if geographic:
        xy = np.array([8.0, 48.5]) + xy / np.array([73_600.0, 111_200.0])
    return Grid(
        bus_index=np.arange(count) + 10,
        bus_name=("Station MV", "Station LV", *(f"Home {n + 1}" for n in range(homes))),
        bus_vn_kv=np.r_[20.0, np.full(count - 1, 0.4)],
        bus_xy=xy,
        bus_geographic=geographic,
        bus_node=np.arange(count),
        bus_supplied=np.ones(count, bool),
        bus_distance_m=distance,
        bus_feeder=feeder,
        bus_transformer=np.r_[-1, np.zeros(count - 1, int)],
        bus_phases=np.ones((count, 3), bool),
        line_index=np.arange(homes),
        line_name=tuple(f"Cable {n + 1}" for n in range(homes)),
        line_from=start,
        line_to=np.arange(homes) + 2,
        line_length_m=length,
        line_i_max_ka=np.r_[np.full(homes - 1, 0.27), np.nan],
        line_branch=np.arange(homes),
        transformer_index=np.array([0]),
        transformer_name=("T1 Elm Street",),
        transformer_hv=np.array([0]),
        transformer_lv=np.array([1]),
        transformer_sn_kva=np.array([RATING]),
        transformer_i_rated_ka=np.array([[0.0072, 0.361]]),
        transformer_loss_ratio=np.array([6.0]),
        transformer_branch=np.array([homes]),
        admittance=_no_admittance(count),
    )


def _no_admittance(count: int) -> Admittance:
    none = np.zeros(0)
    return Admittance(
        100.0, np.full(count, 0.4), None, np.array([0]), np.array([1 + 0j]), np.ones(count, bool),
        none, none, none, none, none, none,
    )  # fmt: skip


def village_network(geographic: bool = True, name: str = "Elm Street") -> Network:
    """Homes on their buses, the hall on the ninth node of feeder 2."""
    grid = village_grid(geographic)
    homes = FEEDERS * HOMES
    sites = pd.DataFrame(
        {
            "bus": np.r_[grid.bus_index[2:], grid.bus_index[2 + HOMES + 8]],
            "phases": "abc",
            "kind": ["home"] * homes + ["building"],
            "fuse_a": 35.0,
            "name": [f"Home {n + 1}" for n in range(homes)] + ["Town hall"],
        },
        index=pd.Index([f"s{n:03d}" for n in range(homes + 1)], name="site_id"),
    )
    notes = (
        Note("assumption", "ext_grid 0, vm_pu", "The busbar set-point is assumed 1.0 pu."),
        Note("dropped", "controller", "One tap controller of the net is not used."),
    )
    return Network(name, "made for this test", "CC0", None, grid, sites, notes)


def _axis() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return time, segment, counted and the local hour of a winter and a summer week."""
    parts = [Timeline.days(day, 8, zone="Europe/Berlin") for day in ("2016-01-15", "2016-07-04")]
    time = np.concatenate([part.times for part in parts]).astype("datetime64[ns]")
    segment = np.repeat([0, 1], [part.count for part in parts])
    counted = np.concatenate([part.local_day > 0 for part in parts])
    hour = np.concatenate([part.local_hour for part in parts])
    return time, segment, counted, hour


def _base(hour: np.ndarray, segment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    sites = FEEDERS * HOMES + 1
    shape = 0.25 + 0.35 * np.exp(-(((hour - 7.5) / 1.6) ** 2))
    shape += 0.9 * np.exp(-(((hour - 19.0) / 2.3) ** 2))
    season = np.where(segment == 0, 1.25, 0.75)
    size = rng.lognormal(-0.1, 0.35, sites)
    load = shape[:, None] * season[:, None] * size * rng.gamma(3.0, 1 / 3, (len(hour), sites))
    office = 14 * np.exp(-(((hour - 12) / 3.5) ** 4)) + 3 + rng.normal(0, 0.5, len(hour))
    load[:, -1] = office
    sun = np.clip(np.cos((hour - 13.3) / 8 * np.pi / 2 * 1.15), 0, None) ** 1.6
    sun *= np.where(segment == 0, 0.25, 1.0)
    peak = np.where(rng.random(sites) < 0.35, rng.uniform(4, 8, sites), 0.0)
    return load, -sun[:, None] * peak


def _cars(strategy: str, hour: np.ndarray, load: np.ndarray, pv: np.ndarray) -> tuple:
    """Return power (time, car), energy missing (session) and the cars controlled."""
    rng = np.random.default_rng(9)
    homes = FEEDERS * HOMES
    cars = homes + HALL_CARS
    power = np.zeros((len(hour), cars))
    group = rng.permutation(cars) / cars
    at_hall = np.arange(cars) >= homes
    controlled = {
        "g2v_valley_filling": np.ones(cars, bool),
        "v2g_peak_shaving": (group < 0.3) & ~at_hall,
        "v2h_self_consumption": (group < 0.5) & ~at_hall,
        "v2b_demand_charge": at_hall,
        "mix": (group < 0.7) | at_hall,
    }.get(strategy, np.zeros(cars, bool))
    missing, car_of = [], []
    days = len(hour) // STEPS_A_DAY
    for day in range(days):
        for car in range(cars):
            arrive, leave = (32, 68) if at_hall[car] else (int(rng.normal(72, 5)), 96 + 28)
            need = rng.uniform(4, 20)
            first, last = day * 96 + arrive, min(day * 96 + leave, len(hour))
            car_of.append(car)
            missing.append(0.0 if rng.random() > 0.02 else rng.uniform(0.2, 3))
            if strategy == "no_ev":
                continue
            steps = np.arange(first, last)
            if not controlled[car]:
                full = np.full(len(steps), 11.0)
            else:
                late = (hour[steps] > 22.5) | (hour[steps] < 6) | at_hall[car]
                full = np.where(late, max(need / 6.5, 0.4), 0.0)
            give = _give(strategy, steps, hour, at_hall[car], load, pv, car) * controlled[car]
            target = need - give.sum() * 0.25
            drawn = np.minimum(full, np.clip(target * 4 - np.cumsum(full) + full, 0, None))
            power[steps, car] = drawn + give
    return power, np.array(missing) * (strategy != "no_ev"), controlled, np.array(car_of)


def _give(strategy, steps, hour, at_hall, load, pv, car):
    """Return the power fed back, never above zero."""
    clock = hour[steps]
    if strategy == "v2g_peak_shaving":
        return np.where((clock > 18) & (clock < 20.5), -3.0, 0.0)
    if strategy in ("v2h_self_consumption", "mix") and not at_hall:
        own = np.clip(load[steps, car] + pv[steps, car], 0, 5)
        return np.where((clock > 17) & (clock < 22), -own, 0.0)
    if strategy in ("v2b_demand_charge", "mix") and at_hall:
        return np.where((clock > 10.5) & (clock < 13), -2.0, 0.0)
    return np.zeros(len(steps))


def _solve(grid: Grid, p_bus: np.ndarray) -> dict[str, np.ndarray]:
    """Sum the power down each cable and drop the voltage along it."""
    homes = len(grid.line_to)
    below = np.zeros((homes, homes + 2))
    for line in range(homes):
        at = line + 2
        while at > 1:
            below[at - 2, line + 2] = 1
            at = grid.line_from[at - 2]
    flow = p_bus @ below.T
    r = grid.line_length_m / 1000 * 0.32
    x = grid.line_length_m / 1000 * 0.08
    drop = (flow * r + 0.33 * flow * x) * 1e3 / 400**2
    total = p_bus.sum(1)
    q = 0.25 * np.abs(total)
    busbar = 1.0 - total / RATING * 0.013 - q / RATING * 0.038
    vm = busbar[:, None] - drop @ below
    vm[:, 0] = 1.0
    loading = np.abs(flow) * 1.03 / (np.sqrt(3) * 0.4 * 270) * 100
    loading[:, -1] = np.nan
    kva = np.hypot(total, q)
    return {
        "vm_pu": vm,
        "line_loading_percent": loading,
        "transformer_loading_percent": kva[:, None] / RATING * 100,
        "transformer_p_kw": total[:, None] * 1.015,
        "transformer_q_kvar": q[:, None],
        "losses_kw": 0.012 * np.abs(total) + 0.6,
    }


def _heat(loading: np.ndarray, ambient: np.ndarray) -> dict[str, np.ndarray]:
    ultimate = 55 * ((loading / 100) ** 2 * 6 + 1) / 7
    oil = np.empty_like(ultimate)
    now = ultimate[0]
    for step in range(len(oil)):
        now = now + (ultimate[step] - now) * 0.08
        oil[step] = now
    top = ambient[:, None] + oil
    spot = top + 23 * (loading / 100) ** 1.6
    return {
        "top_oil_c": top,
        "hot_spot_c": spot,
        "ageing_rate": np.exp(15000 / 383 - 15000 / (spot + 273)),
    }


def _dataset(grid: Grid, network: Network, lanes: bool) -> tuple[xr.Dataset, dict]:
    time, segment, counted, hour = _axis()
    load, pv = _base(hour, segment)
    ambient = np.where(segment == 0, 1.0, 21.0) + 5 * np.cos((hour - 15) / 12 * np.pi)
    homes = FEEDERS * HOMES
    charger_bus = np.r_[np.arange(homes), np.full(HALL_CARS, homes)]
    site_row = np.r_[np.arange(homes) + 2, 2 + HOMES + 8]
    found: dict[str, list] = {}
    extra = {}
    for strategy in STRATEGIES:
        power, missing, controlled, car_of = _cars(strategy, hour, load, pv)
        p_site = load + pv
        np.add.at(p_site.T, charger_bus, power.T)
        p_bus = np.zeros((len(hour), homes + 2))
        np.add.at(p_bus.T, site_row, p_site.T)
        values = _solve(grid, p_bus)
        values |= _heat(values["transformer_loading_percent"], ambient)
        values |= {"charger_p_kw": power, "charger_q_kvar": power * 0.1, "unmet_kwh": missing}
        values["status"] = np.zeros(len(hour), np.int8)
        values["soc"] = np.clip(0.6 + np.cumsum(power, 0) * 0 + 0.1 * (power > 0), 0, 1)
        if lanes and strategy == "v2g_peak_shaving":
            _fail(values, slice(400, 403))
        for key, value in values.items():
            found.setdefault(key, []).append(value)
        extra[strategy] = (controlled, p_site, power)
    arrays = {key: np.stack(value) for key, value in found.items()}
    price = 0.28 + 0.08 * np.exp(-(((hour - 19) / 2.5) ** 2)) - 0.05 * (hour < 6)
    arrays |= {"load_p_kw": load, "load_q_kvar": load * 0.3, "pv_p_kw": pv}
    arrays |= {"temp_air_c": ambient, "price": price}
    coords = {
        "time": time,
        "segment": ("time", segment),
        "counted": ("time", counted),
        "strategy": list(STRATEGIES),
        "site": list(network.sites.index),
        "site_kind": ("site", list(network.sites["kind"])),
        "charger": [f"c{n:03d}" for n in range(homes + HALL_CARS)],
        "charger_site": ("charger", [network.sites.index[n] for n in charger_bus]),
        "vehicle": [f"v{n:03d}" for n in range(homes + HALL_CARS)],
        "session": [f"x{n:05d}" for n in range(len(car_of))],
        "session_vehicle": ("session", [f"v{n:03d}" for n in car_of]),
        "bus": grid.bus_index,
        "bus_name": ("bus", list(grid.bus_name)),
        "line": grid.line_index,
        "line_name": ("line", list(grid.line_name)),
        "transformer": grid.transformer_index,
        "transformer_name": ("transformer", list(grid.transformer_name)),
        "site_bus": ("site", np.asarray(network.sites["bus"])),
    }
    data = {key: (VARIABLES[key].dims, value) for key, value in arrays.items()}
    attrs = {"zone": "Europe/Berlin", "step_s": 900, "seed": 1, "limits": "eu_lv_planning"}
    return xr.Dataset(data, coords, attrs), extra


def _fail(values: dict[str, np.ndarray], steps: slice) -> None:
    values["status"][steps] = 1
    for key in ("vm_pu", "line_loading_percent", "transformer_loading_percent", "losses_kw",
                "transformer_p_kw", "transformer_q_kvar"):  # fmt: skip
        values[key][steps] = np.nan


def _row(data: xr.Dataset, strategy: str, extra: dict) -> dict[str, float]:
    """Return the figures of one strategy by plain reductions."""
    counted = np.asarray(data["counted"].values)
    one = data.sel(strategy=strategy).isel(time=counted)
    controlled, site, power = extra[strategy]
    site, power = site[counted], power[counted]
    base = extra["no_ev"][1][counted]
    price = one["price"].values
    load = one["transformer_loading_percent"].values
    vm = one["vm_pu"].values[:, 1:]
    p_kw = one["transformer_p_kw"].values
    hours = float(counted.sum()) / 4
    bill = float((price[:, None] * np.clip(site, 0, None)).sum() / 4)
    bill_base = float((price[:, None] * np.clip(base, 0, None)).sum() / 4)
    missing = one["unmet_kwh"].values
    cars = 60 if strategy != "no_ev" else 0
    outside = (vm - vm[:, :1] < -0.05) | (vm - vm[:, :1] > 0.03)
    values = dict.fromkeys(METRICS, 0.0) | {
        "cars": cars, "cars_controlled": int(controlled.sum()), "hours_assessed": hours,
        "transformer_loading_max_percent": np.nanmax(load),
        "transformer_hours_over_80": (load > 80).sum() / 4,
        "transformer_hours_over_100": (load > 100).sum() / 4,
        "transformer_hours_over_120": (load > 120).sum() / 4,
        "line_loading_max_percent": np.nanmax(one["line_loading_percent"].values),
        "line_hours_over_100": np.nansum((one["line_loading_percent"].values > 100).any(1)) / 4,
        "lines_unrated": 1, "vm_min_pu": np.nanmin(vm), "vm_max_pu": np.nanmax(vm),
        "voltage_hours_outside": outside.any(1).sum() / 4,
        "voltage_buses_outside": outside.any(0).sum(),
        "top_oil_max_c": one["top_oil_c"].values.max(),
        "hot_spot_max_c": one["hot_spot_c"].values.max(),
        "ageing_equivalent": one["ageing_rate"].values.mean(),
        "loss_of_life_percent": one["ageing_rate"].values.sum() / 4 / 180_000 * 100,
        "losses_kwh": np.nansum(one["losses_kw"].values) / 4,
        "energy_import_kwh": np.nansum(np.clip(p_kw, 0, None)) / 4,
        "energy_export_kwh": -np.nansum(np.clip(p_kw, None, 0)) / 4,
        "ev_energy_kwh": power.sum() / 4,
        "ev_discharge_kwh": -np.clip(power, None, 0).sum() / 4,
        "departures": len(missing) if cars else 0,
        "departures_below_target_percent": (missing > 0).mean() * 100,
        "unmet_kwh": missing.sum(), "battery_throughput_kwh": np.abs(power).sum() / 4,
        "equivalent_full_cycles": np.abs(power).sum() / 8 / 60 / 60,
        "cost_eur": bill, "cost_per_home_eur": bill / 56,
        "ev_cost_per_car_eur": (bill - bill_base) / 60,
        "wear_cost_per_car_eur": -np.clip(power, None, 0).sum() / 4 * 0.08 / 60,
        "building_peak_kw": site[:, -1].max(), "lanes": int(counted.sum()),
        "lanes_failed": int((one["status"].values > 0).sum()),
    }  # fmt: skip
    if not cars:
        for key in ("departures_below_target_percent", "ev_cost_per_car_eur"):
            values[key] = np.nan
    return values


def _violations(data: xr.Dataset, strategy: str) -> pd.DataFrame:
    """List the runs of steps over 100 % and below 0.95 pu."""
    one = data.sel(strategy=strategy).isel(time=np.asarray(data["counted"].values))
    checks = [
        ("transformer_loading", "T1 Elm Street", one["transformer_loading_percent"].values[:, 0],
         100.0, "%", 1)
    ]  # fmt: skip
    checks += [
        (
            "voltage_low",
            str(one["bus_name"].values[bus]),
            one["vm_pu"].values[:, bus] - one["vm_pu"].values[:, 1] + 1,
            0.95,
            "pu",
            -1,
        )
        for bus in range(2, one.sizes["bus"])
    ]
    rows = []
    for kind, name, values, limit, unit, way in checks:
        over = np.r_[False, way * (values - limit) > 0, False]
        edges = np.flatnonzero(np.diff(over.astype(int)))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            worst = values[first:last].max() if way > 0 else values[first:last].min()
            start, end = one["time"].values[first], one["time"].values[last - 1]
            rows.append(
                {"kind": kind, "element": 0, "name": name, "start": pd.Timestamp(start),
                 "end": pd.Timestamp(end) + pd.Timedelta("15min"), "duration_h": (last - first) / 4,
                 "worst": worst, "limit": limit, "unit": unit, "caused_by": "ev",
                 "origin": "preexisting" if strategy == "no_ev" else "ev_caused"}
            )  # fmt: skip
    columns = [
        "kind",
        "element",
        "name",
        "start",
        "end",
        "duration_h",
        "worst",
        "limit",
        "unit",
        "caused_by",
        "origin",
    ]
    return pd.DataFrame(rows, columns=columns)


def village_result(
    name: str = "Elm Street", *, geographic: bool = True, lanes: bool = True
) -> StudyResult:
    """Return the whole study; `lanes` leaves three failed steps in one strategy."""
    network = village_network(geographic, name)
    data, extra = _dataset(network.grid, network, lanes)
    rows, assessments = {}, {}
    for strategy in STRATEGIES:
        found = _violations(data, strategy)
        summary = _row(data, strategy, extra) | {
            "violations": len(found),
            "violations_ev_caused": int((found["origin"] == "ev_caused").sum()),
            "violations_aggravated": 0,
            "violations_relieved": 0,
        }
        rows[strategy] = summary
        note = Note("assumption", "transformer 0, insulation", "Paper is assumed not upgraded.")
        buses = pd.DataFrame({"name": list(network.grid.bus_name)}, index=network.grid.bus_index)
        buses["vm_min_pu"] = np.nanmin(data["vm_pu"].sel(strategy=strategy).values, axis=0)
        assessments[strategy] = Assessment(
            strategy, "eu_lv_planning", summary, found, {"buses": buses}, (note,)
        )
    comparison = pd.DataFrame.from_dict(rows, orient="index")
    comparison.index.name = "strategy"
    notes = (Note("info", "price", "Dutch day-ahead prices of 2019 mapped by weekday."),)
    return StudyResult(
        name, network, village_fleet(), data, assessments, comparison, _manifest(rows), notes
    )


def village_fleet() -> Fleet:
    """Return a fleet of three cars, enough for its card."""
    vehicles = pd.DataFrame(
        {"model": ["Compact", "Van", "Compact"], "capacity_kwh": [52.0, 77.0, 52.0]},
        index=pd.Index(["v0", "v1", "v2"], name="vehicle_id"),
    )
    chargers = pd.DataFrame(
        {"site_id": "s000", "p_max_kw": 11.0, "bidirectional": [True, False, False]},
        index=pd.Index(["c0", "c1", "c2"], name="charger_id"),
    )
    sessions = pd.DataFrame(
        {"vehicle_id": "v0", "charger_id": "c0", "plug_in": pd.Timestamp("2016-01-15 17:00"),
         "plug_out": pd.Timestamp("2016-01-16 07:00"), "trip_kwh": 8.0},
        index=pd.Index(["x0"], name="session_id"),
    )  # fmt: skip
    rejected = pd.DataFrame({"row": [7], "reason": ["plug_out before plug_in"]})
    return Fleet(vehicles, chargers, sessions, rejected)


def village_profiles() -> Profiles:
    """Return four hours of two sites."""
    time = Timeline(np.datetime64("2016-01-15T00:00"), 900, 16, "Europe/Berlin")
    load = np.full((16, 2), 0.5)
    return Profiles(time, ("s0", "s1"), load, -load * 0.5, source="synthetic")


def _manifest(rows: dict) -> dict:
    return {
        "gridimpact": "0.1.0",
        "versions": {"gridimpact": "0.1.0", "numpy": "2.4.0", "pandapower": "3.5.6"},
        "seed": 1,
        "limits": {
            "name": "eu_lv_planning", "edition": "planning practice", "source": "EN 50160, shared",
            "vm_min_pu": None, "vm_max_pu": None, "drop_pu": 0.05, "rise_pu": 0.03,
            "transformer_loading_percent": 150.0, "line_loading_percent": 100.0,
            "hot_spot_c": 120.0,
        },
        "engine": "batched", "steps": 1344 * 7, "steps_failed": 3, "wall_s": 7.4,
        "created": "2026-01-01T00:00:00+00:00",
        "sources": [
            {"name": "ERA5 temperature", "source": "https://example.org/era5", "licence": "CC-BY-4.0"},
            {"name": "Day-ahead prices", "source": "ENTSO-E", "licence": "CC-BY-4.0"},
        ],
        "strategies": {
            key: {
                "name": key, "settings": {"reserve_soc": 0.4} if "v2" in key else {},
                "foresight": "stays announced, prices announced, base load perfect"
                if key == "g2v_valley_filling" else "stays announced",
                "cars_controlled": rows[key]["cars_controlled"],
            }
            for key in rows
        },
    }  # fmt: skip
