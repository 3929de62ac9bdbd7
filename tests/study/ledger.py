"""A results folder read with plain tools, as someone without this package would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr


@dataclass(frozen=True)
class Stay:
    """One stay of one strategy, from the files alone."""

    strategy: str
    session: str
    vehicle: str
    charger: str
    first: int
    last: int
    period: int


class Files:
    """The written tables and arrays."""

    def __init__(self, folder: Path) -> None:
        with xr.open_dataset(folder / "results.nc", engine="h5netcdf") as data:
            self.data = data.load()
        self.vehicles = pd.read_csv(folder / "vehicles.csv", index_col="vehicle_id")
        self.sessions = pd.read_csv(
            folder / "sessions.csv", index_col="session_id", parse_dates=["plug_in", "plug_out"]
        )
        self.strategies = [str(s) for s in self.data["strategy"].values if s != "no_ev"]
        self.dt_h = float(self.data.attrs["step_s"]) / 3600.0
        self.power = {s: self.values("charger_p_kw", s) for s in self.strategies}
        self.soc = {s: self.values("soc", s) for s in self.strategies}
        self.vehicle = {str(v): n for n, v in enumerate(self.data["vehicle"].values)}
        self.charger = {str(v): n for n, v in enumerate(self.data["charger"].values)}
        self.session = {str(v): n for n, v in enumerate(self.data["session"].values)}

    def values(self, name: str, strategy: str) -> np.ndarray:
        """Return an array of one strategy in double precision."""
        return self.data[name].sel(strategy=strategy).to_numpy().astype(np.float64)

    def of_session(self, name: str, stay: Stay) -> float:
        """Return a figure of a session."""
        return float(self.data[name].sel(strategy=stay.strategy, session=stay.session))

    def stays(self, strategy: str) -> list[Stay]:
        """Return the stays of a strategy in the order of period, vehicle and time."""
        begin = self.data["session_start_step"].to_numpy()
        end = self.data["session_end_step"].to_numpy()
        found = []
        for period, place in zip(*np.nonzero(begin >= 0), strict=True):
            name = str(self.data["session"].values[place])
            row = self.sessions.loc[name]
            found.append(
                Stay(strategy, name, str(row["vehicle_id"]), str(row["charger_id"]),
                     int(begin[period, place]), int(end[period, place]), int(period))
            )  # fmt: skip
        return sorted(found, key=lambda s: (s.period, s.vehicle, s.first))

    def battery_kwh(self, stay: Stay) -> np.ndarray:
        """Return the energy the battery gains in each step of a stay, losses both ways."""
        car = self.vehicles.loc[stay.vehicle]
        p_kw = self.power[stay.strategy][stay.first : stay.last, self.charger[stay.charger]]
        drawn, fed = np.maximum(p_kw, 0.0), np.maximum(-p_kw, 0.0)
        return (drawn * car["eta_charge"] - fed / car["eta_discharge"]) * self.dt_h

    def under_way(self, stay: Stay) -> bool:
        """Return whether the stay began before its period's first step."""
        first = int(np.flatnonzero(self.data["segment"].to_numpy() == stay.period)[0])
        begin = self.data["time"].to_numpy()[first]
        half = np.timedelta64(int(self.dt_h * 1800), "s")
        return stay.first == first and self.sessions.loc[stay.session, "plug_in"] < begin - half
