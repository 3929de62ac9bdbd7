"""Ten small fleets, each with one thing that strategies trip over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gridimpact.records import Batteries, FloatArray, PlanRequest, Stays, Tariff
from gridimpact.timeline import Timeline

_STEPS = 36
_HOUR = np.arange(_STEPS)
_LOAD_KW = 1.5 + np.cos((_HOUR - 19.0) / 12.0 * np.pi) + 0.3 * np.sin(5.0 * _HOUR)
_SUN_KW = -6.0 * np.maximum(np.sin((_HOUR - 6.0) / 12.0 * np.pi), 0.0)
_PRICE = (0.25 + 0.1 * np.cos((_HOUR - 18.0) / 12.0 * np.pi)).round(3)

_NIGHT: tuple[Mapping[str, Any], ...] = ({"start": 0, "end": 7}, {"start": 17, "end": 31})
_DAY: tuple[Mapping[str, Any], ...] = ({"start": 7, "end": 16}, {"start": 32, "end": 36})


def small_fleets() -> dict[str, PlanRequest]:
    """Return ten requests of none to four cars over 36 hours, by what is special in them.

    The numbers are an own choice; each is a case that has broken a strategy or easily could.
    """
    pair = [_NIGHT, _DAY]
    one = _request([_NIGHT])
    building = _request(
        [_DAY, _DAY, _NIGHT, ()], kind="building", sun_kw=2.0 * _SUN_KW, tariff={"demand": 6.0}
    )
    losses = {"eta_charge": 0.85, "eta_discharge": 0.9, "idle_kw": 0.3}
    taper = {
        "soc_knee": 0.6,
        "taper_fraction": 0.1,
        "soc_knee_discharge": 0.4,
        "taper_fraction_discharge": 0.2,
    }
    tight = _request([_NIGHT, _NIGHT, _DAY], limit_kw=9.0)
    groups = np.array([[True, True, False], [False, True, True], [True, True, True]])
    return {
        "one car": one,
        "no car": _request([]),
        "a car that never comes": _request([_NIGHT, ()]),
        "homes with PV": _request(pair, sun_kw=_SUN_KW),
        "a fleet at a building": building,
        "power that falls near full and empty": _request(pair, battery=taper, target=0.95),
        "losses and a converter at work": _request(pair, battery=losses),
        "a reserve above the state of charge": _request(pair, reserve=0.7, trip_kwh=25.0),
        "groups that overlap": replace(
            tight,
            group_id=("left", "right", "both"),
            group_member=groups,
            background_kw=np.repeat(tight.background_kw, 3, axis=1),
            import_limit_kw=tight.import_limit_kw + np.array([0.0, 2.0, 5.0]),
            export_limit_kw=np.repeat(tight.export_limit_kw, 3, axis=1),
        ),
        "a tight fuse": replace(
            _request([_NIGHT, ({"start": 3, "end": 4}, *_NIGHT[1:])], trip_kwh=60.0),
            site_import_limit_kw=np.array([5.0, 4.0]),
            site_export_limit_kw=np.array([1.0, 0.0]),
        ),
    }


def _request(
    stays: Sequence[Sequence[Mapping[str, Any]]],
    *,
    kind: str = "home",
    sun_kw: FloatArray | None = None,
    battery: Mapping[str, float] | None = None,
    tariff: Mapping[str, float] | None = None,
    limit_kw: float = 40.0,
    **stay: float,
) -> PlanRequest:
    """Return a request with one vehicle for each sequence of stays; at a building they share one meter."""
    cars = len(stays)
    sites = min(cars, 1) if kind == "building" else cars
    site = np.zeros(cars, dtype=np.int64) if kind == "building" else np.arange(cars)
    load = np.repeat(_LOAD_KW[:, None], sites, axis=1) * (8.0 if kind == "building" else 1.0)
    sun = np.zeros_like(load) if sun_kw is None else np.repeat(sun_kw[:, None], sites, axis=1)
    whole = (load + sun).sum(axis=1, keepdims=True) + 4.0
    demand = (tariff or {}).get("demand", 0.0)
    return PlanRequest(
        timeline=Timeline(np.datetime64("2016-01-04"), 3600, _STEPS, "Europe/Berlin"),
        # Not in the order of their names, so that a plan that minds the order is found out.
        vehicle_id=tuple(f"car {(k + 2) % max(cars, 1)}" for k in range(cars)),
        batteries=_batteries(cars, battery or {}),
        soc_initial=np.linspace(0.5, 0.35, cars),
        stays=_stays(stays, site, stay),
        charger_id=tuple(f"charger {k}" for k in range(cars)),
        charger_site=site,
        site_id=tuple(f"site {k}" for k in range(sites)),
        site_kind=(kind,) * sites,
        site_load_kw=load,
        site_pv_kw=sun,
        site_import_limit_kw=np.full(sites, 60.0),
        site_export_limit_kw=np.full(sites, 60.0),
        tariffs=(Tariff("hourly", _PRICE.copy(), 0.4 * _PRICE, demand),),
        site_tariff=np.zeros(sites, dtype=np.int64),
        group_id=("transformer",),
        group_member=np.ones((1, cars), dtype=np.bool_),
        background_kw=whole,
        import_limit_kw=np.full((_STEPS, 1), limit_kw),
        export_limit_kw=np.full((_STEPS, 1), limit_kw),
    )


def _batteries(cars: int, given: Mapping[str, float]) -> Batteries:
    """Return batteries that lose little and give full power to the end, unless told otherwise."""
    values = {
        "capacity_kwh": 50.0,
        "eta_charge": 0.95,
        "eta_discharge": 0.95,
        "soc_min": 0.1,
        "soc_max": 1.0,
        "soc_knee": 1.0,
        "taper_fraction": 1.0,
        "wear_per_kwh": 0.05,
    }
    return Batteries(**{name: np.full(cars, value) for name, value in {**values, **given}.items()})


def _stays(
    stays: Sequence[Sequence[Mapping[str, Any]]], site: Any, given: Mapping[str, float]
) -> Stays:
    """Return the stays as columns; the last one of each car is cut where it reaches the end."""
    owner = [car for car, own in enumerate(stays) for _ in own]
    rows = [stay for own in stays for stay in own]
    count = len(rows)
    vehicle = np.array(owner, dtype=np.int64)
    start = np.array([row["start"] for row in rows], dtype=np.int64)
    end = np.array([row["end"] for row in rows], dtype=np.int64)
    return Stays(
        session_id=tuple(f"stay {k}" for k in range(count)),
        vehicle=vehicle,
        charger=vehicle.copy(),
        site=np.asarray(site, dtype=np.int64)[vehicle],
        start=start,
        end=end,
        trip_kwh=np.where(start > 0, given.get("trip_kwh", 8.0), 0.0),
        soc_arrival=np.full(count, np.nan),
        soc_target=np.full(count, given.get("target", 0.8)),
        soc_reserve=np.full(count, given.get("reserve", 0.3)),
        p_charge_kw=np.full(count, 7.4),
        p_discharge_kw=np.full(count, 7.4),
        cut=end == _STEPS,
    )
