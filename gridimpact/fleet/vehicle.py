"""One vehicle model, one charger, and what the two can do together.

Power limits are magnitudes in kW at the meter; efficiencies and states of charge are 0..1.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.fleet import catalogue

VEHICLE_COLUMNS = (
    "model",
    "capacity_kwh",
    "p_charge_max_kw",
    "p_discharge_max_kw",
    "phases",
    "eta_charge",
    "eta_discharge",
    "soc_min",
    "soc_max",
    "soc_knee",
    "taper_fraction",
    "soc_target",
    "soc_reserve",
    "kwh_per_km",
    "wear_eur_per_kwh",
)
CHARGER_COLUMNS = (
    "site_id",
    "p_max_kw",
    "p_discharge_max_kw",
    "s_max_kva",
    "phases",
    "bidirectional",
    "kind",
)


@dataclass(frozen=True, slots=True)
class Charger:
    """A charging point's hardware.

    Parameters
    ----------
    name : str
        Preset or own name.
    p_max_kw : float
        Highest draw [kW]; 0 for a box that only supplies.
    p_discharge_max_kw : float
        Highest feed [kW], 0 where it cannot feed back.
    phases : int
        1 or 3.
    current : str
        ``"ac"`` where the car's own charger converts, ``"dc"`` where the station does.
    ampere : float
        Current per phase [A], for the measured efficiency; NaN unknown.
    """

    name: str
    p_max_kw: float
    p_discharge_max_kw: float = 0.0
    phases: int = 3
    current: str = "ac"
    ampere: float = float("nan")

    def __post_init__(self) -> None:
        """Refuse impossible hardware."""
        where = f"charger {self.name!r}"
        problems = []
        for field in ("p_max_kw", "p_discharge_max_kw"):
            value = getattr(self, field)
            if not 0.0 <= value <= 1000.0:
                remedy = (
                    f"give kW; {value:g} W is {value / 1000:g} kW" if value > 1000 else "give kW"
                )
                problems.append(
                    Problem(f"{where}, {field}", f"is {value}, must be 0 to 1000 kW", remedy)
                )
        if self.p_max_kw == 0 and self.p_discharge_max_kw == 0:
            problems.append(Problem(where, "has no power at all", "give p_max_kw"))
        if self.phases not in (1, 3):
            problems.append(Problem(f"{where}, phases", f"is {self.phases}, must be 1 or 3"))
        if self.current not in ("ac", "dc"):
            problems.append(
                Problem(f"{where}, current", f"is {self.current!r}, must be 'ac' or 'dc'")
            )
        raise_problems(problems, "charger")

    @property
    def bidirectional(self) -> bool:
        """Whether the hardware can feed back."""
        return self.p_discharge_max_kw > 0

    @classmethod
    def preset(cls, name: str) -> Charger:
        """Return a packaged charger by name.

        Raises
        ------
        InputError
            If the name is unknown; names the nearest one.

        Examples
        --------
        >>> Charger.preset("v2h_6kw").p_discharge_max_kw
        6.0
        """
        table = catalogue.charger_catalogue()
        row = table.loc[known_name(name, table.index, "charger")]
        return cls(
            name,
            float(row["p_max_kw"]),
            float(row["p_discharge_max_kw"]),
            int(row["phases"]),
            str(row["current"]),
            float(row["ampere"]),
        )

    def row(self, kind: str) -> dict[str, object]:
        """Return the charger's row of the fleet table, not yet placed."""
        apparent = max(self.p_max_kw, self.p_discharge_max_kw) / catalogue.default("power_factor")
        return {
            "site_id": "",
            "p_max_kw": self.p_max_kw,
            "p_discharge_max_kw": self.p_discharge_max_kw,
            "s_max_kva": apparent,
            "phases": "abc" if self.phases == 3 else "a",
            "bidirectional": self.bidirectional,
            "kind": kind,
        }


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle model.

    Parameters
    ----------
    model : str
        Name.
    capacity_kwh : float
        Usable battery energy [kWh].
    p_ac_max_kw, p_dc_max_kw : float
        Highest charging power over AC and DC [kW].
    p_single_phase_max_kw : float
        Highest AC power on one phase [kW].
    phases : int
        Phases of the on-board charger, 1 or 3.
    kwh_per_km : float
        Battery energy per distance at 20 degC [kWh/km].
    """

    model: str
    capacity_kwh: float
    p_ac_max_kw: float = 11.0
    p_dc_max_kw: float = 50.0
    p_single_phase_max_kw: float = 7.4
    phases: int = 3
    kwh_per_km: float = 0.17

    def __post_init__(self) -> None:
        """Refuse an impossible vehicle."""
        where = f"vehicle {self.model!r}"
        problems = []
        if not 0.0 < self.capacity_kwh <= 2000.0:
            problems.append(
                Problem(
                    f"{where}, capacity_kwh",
                    f"is {self.capacity_kwh}, must be above 0 and at most 2000",
                )
            )
        if not 0.0 < self.kwh_per_km <= 3.0:
            what = f"is {self.kwh_per_km}, must be above 0 and at most 3"
            problems.append(
                Problem(f"{where}, kwh_per_km", what, "give kWh per km, not per 100 km")
            )
        if self.phases not in (1, 3):
            problems.append(Problem(f"{where}, phases", f"is {self.phases}, must be 1 or 3"))
        raise_problems(problems, "vehicle")

    @classmethod
    def preset(cls, model: str) -> Vehicle:
        """Return a packaged model by name.

        Examples
        --------
        >>> Vehicle.preset("Volkswagen ID.3").capacity_kwh
        58.0
        """
        table = catalogue.vehicle_catalogue()
        row = table.loc[known_name(model, table.index, "vehicle model")]
        return cls(
            model,
            float(row["capacity_kwh"]),
            float(row["p_ac_max_kw"]),
            float(row["p_dc_max_kw"]),
            float(row["p_single_phase_max_kw"]),
            int(row["phases"]),
            float(row["kwh_per_km"]),
        )

    def p_charge_kw(self, charger: Charger) -> float:
        """Return the highest charging power of this car at a charger [kW].

        A single-phase car at a three-phase charger gets one phase of it; a three-phase car on a
        single-phase charger takes what one phase of its own charger can.

        Examples
        --------
        >>> round(Vehicle.preset("Peugeot 208").p_charge_kw(Charger.preset("ac_11kw")), 2)
        3.68
        """
        if charger.current == "dc":
            return min(self.p_dc_max_kw, charger.p_max_kw)
        if self.phases == 3 and charger.phases == 3:
            return min(self.p_ac_max_kw, charger.p_max_kw)
        limit = self.p_single_phase_max_kw if self.phases == 3 else self.p_ac_max_kw
        offered = charger.p_max_kw / 3.0 if charger.phases == 3 else charger.p_max_kw
        return min(limit, offered)

    def row(self, charger: Charger, soc_target: float | None = None) -> dict[str, object]:
        """Return the car's row of the fleet table for use at this charger.

        Raises
        ------
        InputError
            If the car cannot charge there at all.
        """
        p_charge = self.p_charge_kw(charger)
        if p_charge <= 0:
            message = (
                f"a {self.model} cannot charge at {charger.name!r} (car {self.p_ac_max_kw} kW AC, "
                f"{self.p_dc_max_kw} kW DC; charger {charger.p_max_kw} kW {charger.current.upper()})"
            )
            raise InputError(message)
        phases = 3 if self.phases == 3 and charger.phases == 3 else 1
        if charger.current == "dc":
            phases = charger.phases
        knee, fraction = catalogue.charging_taper(p_charge, self.capacity_kwh)
        eta = catalogue.default("eta_charge")
        if charger.current == "ac" and np.isfinite(charger.ampere):
            per_phase = 1000.0 * p_charge / (230.0 * phases)
            eta = catalogue.charging_efficiency(
                self.model, phases, min(charger.ampere, per_phase + 0.5)
            )
        return {
            "model": self.model,
            "capacity_kwh": self.capacity_kwh,
            "p_charge_max_kw": p_charge,
            "p_discharge_max_kw": min(p_charge, charger.p_discharge_max_kw),
            "phases": phases,
            "eta_charge": eta,
            "eta_discharge": catalogue.default("eta_discharge"),
            "soc_min": catalogue.default("soc_min"),
            "soc_max": catalogue.default("soc_max"),
            "soc_knee": knee,
            "taper_fraction": fraction,
            "soc_target": catalogue.default("soc_target") if soc_target is None else soc_target,
            "soc_reserve": catalogue.default("soc_reserve"),
            "kwh_per_km": self.kwh_per_km,
            "wear_eur_per_kwh": catalogue.default_wear_eur_per_kwh(),
        }


def known_name(name: str, names: pd.Index[str], what: str) -> str:
    """Return the name, or raise an `InputError` that offers the nearest known ones."""
    if name in names:
        return name
    lowered = {str(known).lower(): str(known) for known in names}
    near = difflib.get_close_matches(str(name).lower(), list(lowered), n=3, cutoff=0.4)
    offer = ", ".join(repr(lowered[match]) for match in near) or ", ".join(map(repr, names))
    message = f"{what} {name!r} is unknown; did you mean {offer}?"
    raise InputError(message)


def as_charger(charger: str | Charger) -> Charger:
    """Return the charger itself or the preset of that name."""
    return charger if isinstance(charger, Charger) else Charger.preset(charger)


def as_vehicle(vehicle: str | Vehicle) -> Vehicle:
    """Return the vehicle itself or the packaged model of that name."""
    return vehicle if isinstance(vehicle, Vehicle) else Vehicle.preset(vehicle)
