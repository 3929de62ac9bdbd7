"""Pilots and products of the literature as data: which cars, which chargers, and what was published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import pandas as pd

from gridimpact.errors import InputError
from gridimpact.fleet.join import join_fleets
from gridimpact.fleet.synthesis import synthesize_fleet
from gridimpact.fleet.vehicle import Charger, Vehicle, known_name
from gridimpact.paths import data_folder
from gridimpact.records import Fleet
from gridimpact.timeline import Timeline


@dataclass(frozen=True)
class CarGroup:
    """Cars of one model at chargers of one kind.

    Attributes
    ----------
    model : str
        Name in `gridimpact.fleet.vehicle_catalogue`.
    charger : str
        Name in `gridimpact.fleet.charger_catalogue`.
    count : int
    """

    model: str
    charger: str
    count: int

    @property
    def p_discharge_kw(self) -> float:
        """Highest feed of all cars together [kW]."""
        row = Vehicle.preset(self.model).row(Charger.preset(self.charger))
        return self.count * float(str(row["p_discharge_max_kw"]))

    @property
    def capacity_kwh(self) -> float:
        """Usable energy of all batteries [kWh]."""
        return self.count * Vehicle.preset(self.model).capacity_kwh


@dataclass(frozen=True)
class Preset:
    """A pilot or product.

    Attributes
    ----------
    name, title, place, service, source : str
    year : int
    concept : str
        "v2h", "v2b", "v2g", "charging" or "platform".
    kind : str
        Kind of the chargers: "home", "work", "fleet" or "public".
    cars : tuple of CarGroup
    published : mapping
        Numbers as printed, units in their names.
    notes : tuple of str
        What is assumed, and where a printed number does not hold.
    """

    name: str
    title: str
    year: int
    place: str
    concept: str
    service: str
    kind: str
    cars: tuple[CarGroup, ...]
    published: Mapping[str, Any]
    source: str
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of cars."""
        return sum(group.count for group in self.cars)

    @property
    def p_discharge_kw(self) -> float:
        """Highest feed of all cars together [kW], each within its car and its charger."""
        return sum(group.p_discharge_kw for group in self.cars)

    @property
    def capacity_kwh(self) -> float:
        """Usable energy of all batteries [kWh]."""
        return sum(group.capacity_kwh for group in self.cars)

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for `synthesize_fleet`: charger, vehicles and kind of a preset with one group of cars.

        Raises
        ------
        InputError
            If the preset has none or several groups; `fleet` makes those.
        """
        if len(self.cars) != 1:
            message = f"preset {self.name!r} has {len(self.cars)} groups of cars; call its fleet()"
            raise InputError(message)
        group = self.cars[0]
        return {"charger": group.charger, "vehicles": group.model, "kind": _drives_as(self.kind)}

    def fleet(self, timeline: Timeline, *, seed: int = 0) -> Fleet:
        """Return the cars of the preset with synthetic trips, not yet placed.

        Cars at public chargers drive as private ones do.

        Raises
        ------
        InputError
            If the preset has no cars.

        Examples
        --------
        >>> len(preset("los_angeles_afb").fleet(Timeline.days("2016-01-11", 2)).vehicles)
        34
        """
        if not self.cars:
            message = f"preset {self.name!r} has no cars; {' '.join(self.notes)}"
            raise InputError(message)
        return join_fleets(
            *(
                synthesize_fleet(
                    group.count,
                    timeline,
                    charger=group.charger,
                    vehicles=group.model,
                    kind=_drives_as(self.kind),
                    seed=seed + number,
                )
                for number, group in enumerate(self.cars)
            )
        )


def preset(name: str) -> Preset:
    """Return a packaged pilot or product.

    Parameters
    ----------
    name : str
        One of `list_presets`.

    Raises
    ------
    InputError
        If the name is unknown; the nearest is offered.

    Examples
    --------
    >>> preset("leaf_to_home").p_discharge_kw
    6.0
    >>> preset("nissan_atsugi").options["charger"]
    'v2h_6kw'
    """
    table = _presets()
    return table[known_name(name, pd.Index(list(table)), "preset")]


def list_presets() -> pd.DataFrame:
    """Return all presets, one row per name: what they are, cars, power [kW], energy [kWh] and source."""
    rows = [
        {
            "name": one.name,
            "title": one.title,
            "year": one.year,
            "place": one.place,
            "concept": one.concept,
            "service": one.service,
            "cars": one.count,
            "p_discharge_kw": one.p_discharge_kw,
            "capacity_kwh": one.capacity_kwh,
            "source": one.source,
        }
        for one in _presets().values()
    ]
    return pd.DataFrame(rows).set_index("name")


@cache
def _presets() -> dict[str, Preset]:
    path = data_folder("profiles").joinpath("pilots", "pilots.json")
    with path.open(encoding="utf-8") as stream:
        entries: dict[str, dict[str, Any]] = json.load(stream)
    return {
        name: Preset(
            name=name,
            title=entry["title"],
            year=entry["year"],
            place=entry["place"],
            concept=entry["concept"],
            service=entry["service"],
            kind=entry["kind"],
            cars=tuple(CarGroup(**group) for group in entry["cars"]),
            published=MappingProxyType(entry["published"]),
            source=entry["source"],
            notes=tuple(entry["notes"]),
        )
        for name, entry in entries.items()
    }


def _drives_as(kind: str) -> str:
    """Return the kind of trips of cars at chargers of a kind."""
    return "home" if kind == "public" else kind
