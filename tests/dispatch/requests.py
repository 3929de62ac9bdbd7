"""Small plan requests for tests: written by hand, or drawn by hypothesis."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gridimpact.records import Batteries, PlanRequest, Stays, Tariff
from gridimpact.timeline import Timeline


@dataclass(frozen=True)
class Car:
    """One vehicle of a test request; its battery takes 50 kWh without losses unless told."""

    name: str = "car"
    soc: float = 0.5
    capacity_kwh: float = 50.0
    eta_charge: float = 1.0
    eta_discharge: float = 1.0
    soc_min: float = 0.0
    soc_max: float = 1.0
    soc_knee: float = 1.0
    taper_fraction: float = 1.0
    wear: float = 0.0
    soc_knee_discharge: float = 0.0
    taper_fraction_discharge: float = 1.0
    idle_kw: float = 0.0


@dataclass(frozen=True)
class Stay:
    """One plugged-in window of a test request: steps [start, end) of car `car` at charger `charger`."""

    car: int
    start: int
    end: int
    charger: int | None = None
    """None is the charger with the number of the car."""
    target: float = 0.8
    trip_kwh: float = 0.0
    soc_arrival: float = float("nan")
    reserve: float = 0.0
    p_kw: float = 10.0
    p_discharge_kw: float = 0.0
    cut: bool = False


@dataclass(frozen=True)
class Place:
    """One site of a test request, one charger each unless told."""

    kind: str = "home"
    load_kw: Any = 0.0
    pv_kw: Any = 0.0
    import_limit_kw: float = float("inf")
    export_limit_kw: float = float("inf")
    tariff: int = 0
    chargers: int = 1


@dataclass(frozen=True)
class Group:
    """One group of chargers under a limit; all chargers unless told."""

    background_kw: Any = 0.0
    import_limit_kw: Any = float("inf")
    export_limit_kw: Any = float("inf")
    chargers: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Prices:
    """A tariff of a test request."""

    buy: Any = 0.3
    sell: Any = 0.05
    extra: dict[str, float] = field(default_factory=dict)


def plan_request(
    cars: list[Car],
    stays: list[Stay],
    *,
    steps: int = 24,
    step_s: int = 3600,
    places: list[Place] | None = None,
    groups: list[Group] | None = None,
    tariffs: list[Prices] | None = None,
    seed: int = 0,
    start: str = "2016-01-04",
) -> PlanRequest:
    """Return a request; without places every car has a home of its own."""
    places = [Place() for _ in cars] if places is None else places
    groups = [Group()] if groups is None else groups
    tariffs = [Prices()] if tariffs is None else tariffs
    site_of = np.repeat(np.arange(len(places)), [place.chargers for place in places])
    stays = sorted(stays, key=lambda s: (s.car, s.start))
    member = np.zeros((len(groups), site_of.size), dtype=bool)
    for number, group in enumerate(groups):
        member[number, list(range(site_of.size) if group.chargers is None else group.chargers)] = (
            True
        )

    def series(values: list[Any]) -> np.ndarray:
        return np.stack([np.broadcast_to(np.asarray(v, float), (steps,)) for v in values], axis=1)

    return PlanRequest(
        timeline=Timeline(np.datetime64(start), step_s, steps),
        vehicle_id=tuple(car.name if len(cars) == 1 else f"{car.name}" for car in cars),
        batteries=Batteries(
            *(
                np.array([getattr(car, name) for car in cars], float)
                for name in [
                    "capacity_kwh",
                    "eta_charge",
                    "eta_discharge",
                    "soc_min",
                    "soc_max",
                    "soc_knee",
                    "taper_fraction",
                    "wear",
                    "soc_knee_discharge",
                    "taper_fraction_discharge",
                    "idle_kw",
                ]
            )
        ),
        soc_initial=np.array([car.soc for car in cars], float),
        stays=_stays(stays, site_of),
        charger_id=tuple(f"charger {k}" for k in range(site_of.size)),
        charger_site=site_of.astype(np.int64),
        site_id=tuple(f"site {k}" for k in range(len(places))),
        site_kind=tuple(place.kind for place in places),
        site_load_kw=series([place.load_kw for place in places]),
        site_pv_kw=series([place.pv_kw for place in places]),
        site_import_limit_kw=np.array([place.import_limit_kw for place in places], float),
        site_export_limit_kw=np.array([place.export_limit_kw for place in places], float),
        tariffs=tuple(
            Tariff(f"tariff {k}", series([t.buy])[:, 0], series([t.sell])[:, 0], **t.extra)
            for k, t in enumerate(tariffs)
        ),
        site_tariff=np.array([place.tariff for place in places], dtype=np.int64),
        group_id=tuple(f"group {k}" for k in range(len(groups))),
        group_member=member,
        background_kw=series([group.background_kw for group in groups]),
        import_limit_kw=series([group.import_limit_kw for group in groups]),
        export_limit_kw=series([group.export_limit_kw for group in groups]),
        seed=seed,
    )


def _stays(stays: list[Stay], site_of: np.ndarray) -> Stays:
    """Return the stays as columns."""
    charger = np.array([s.car if s.charger is None else s.charger for s in stays], dtype=np.int64)

    def column(name: str, kind: type = float) -> np.ndarray:
        return np.array([getattr(s, name) for s in stays], dtype=kind)

    return Stays(
        session_id=tuple(f"session {k}" for k in range(len(stays))),
        vehicle=column("car", np.int64),
        charger=charger,
        site=site_of[charger].astype(np.int64) if len(stays) else charger,
        start=column("start", np.int64),
        end=column("end", np.int64),
        trip_kwh=column("trip_kwh"),
        soc_arrival=column("soc_arrival"),
        soc_target=column("target"),
        soc_reserve=column("reserve"),
        p_charge_kw=column("p_kw"),
        p_discharge_kw=column("p_discharge_kw"),
        cut=column("cut", bool),
    )


def _share(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False).map(lambda x: round(x, 3))


@st.composite
def cars(draw: st.DrawFn, name: str) -> Car:
    """Draw one vehicle with losses, limits, perhaps tapers near full and empty and a constant loss."""
    return Car(
        name=name,
        soc=draw(_share(0.15, 0.9)),
        capacity_kwh=draw(_share(15.0, 90.0)),
        eta_charge=draw(_share(0.8, 1.0)),
        eta_discharge=draw(_share(0.8, 1.0)),
        soc_min=draw(_share(0.0, 0.15)),
        soc_max=draw(_share(0.92, 1.0)),
        soc_knee=draw(st.sampled_from([0.5, 0.8, 1.0])),
        taper_fraction=draw(st.sampled_from([0.0, 0.2, 1.0])),
        wear=draw(_share(0.0, 0.2)),
        soc_knee_discharge=draw(st.sampled_from([0.0, 0.25, 0.6])),
        taper_fraction_discharge=draw(st.sampled_from([0.0, 0.3, 1.0])),
        idle_kw=draw(st.sampled_from([0.0, 0.0, 0.15, 0.4])),
    )


@st.composite
def small_requests(draw: st.DrawFn, steps: int = 24) -> PlanRequest:
    """Draw a request of one to four cars at homes and a building over 24 hours."""
    count = draw(st.integers(1, 4))
    names = draw(st.permutations([f"car {k}" for k in range(count)]))
    fleet = [draw(cars(name)) for name in names]
    hall = draw(st.integers(0, count))
    stays: list[Stay] = []
    for number in range(count):
        marks = sorted(draw(st.sets(st.integers(0, steps), min_size=2, max_size=5)))
        for begin, end in list(itertools.pairwise(marks))[::2]:
            stays.append(
                Stay(
                    car=number,
                    start=begin,
                    end=end,
                    target=draw(_share(0.3, 0.92)),
                    trip_kwh=draw(_share(0.0, 30.0)) if begin else 0.0,
                    soc_arrival=draw(st.sampled_from([float("nan"), float("nan"), 0.3])),
                    reserve=draw(_share(0.15, 0.5)),
                    p_kw=draw(st.sampled_from([3.7, 7.4, 11.0])),
                    p_discharge_kw=draw(st.sampled_from([0.0, 6.0, 10.0])),
                )
            )
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    loads = rng.uniform(0.2, 4.0, (count + 1, steps))
    suns = -rng.uniform(0.0, 5.0, (count + 1, steps)) * (np.arange(steps) % 24 > 7)
    homes = [Place("home", loads[k], suns[k], 24.0, 24.0, chargers=1) for k in range(count - hall)]
    if hall:
        homes.append(
            Place("building", loads[count] * 5.0, suns[count], 60.0, 60.0, 0, chargers=hall)
        )
    return plan_request(
        fleet,
        stays,
        steps=steps,
        places=homes,
        groups=[Group(loads.sum(axis=0), draw(_share(5.0, 40.0)), 30.0)],
        tariffs=[Prices(rng.uniform(0.1, 0.5, steps).round(2), 0.05)],
    )
