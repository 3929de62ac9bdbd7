"""Inputs of a study as files: profiles in netCDF, the fleet as tables, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from gridimpact.conventions import attributes
from gridimpact.errors import InputError
from gridimpact.records import Fleet, Profiles
from gridimpact.timeline import Timeline

_EXACT_TIME = {"time": {"units": "seconds since 1970-01-01", "dtype": "int64"}}
_FLEET_TABLES = ("vehicles", "chargers", "sessions")


def store_profiles(profiles: Profiles, path: Path) -> None:
    """Write profiles to a netCDF file."""
    names = ("load_p_kw", "pv_p_kw", "load_q_kvar", "heat_pump_p_kw")
    found = {n: v for n in names if (v := getattr(profiles, n)) is not None}
    data = xr.Dataset(
        {n: (("time", "site"), v, _attributes(n)) for n, v in found.items()},
        coords={
            "time": profiles.timeline.times.astype("datetime64[ns]"),
            "site": list(profiles.site_id),
        },
        attrs={
            "zone": profiles.timeline.zone,
            "step_s": profiles.timeline.step_s,
            "source": profiles.source,
            "calibrated": profiles.calibrated,
        },
    )
    packed = {n: {"zlib": True, "complevel": 1} for n in found}
    data.to_netcdf(path, engine="h5netcdf", encoding={**packed, **_EXACT_TIME})


def load_profiles(path: Path, timeline: Timeline) -> Profiles:
    """Read profiles written by `store_profiles`; the timeline must be the same.

    Raises
    ------
    InputError
        If the file's timeline is not the study's.
    """
    with xr.open_dataset(path, engine="h5netcdf") as data:
        _same_timeline(path, data, timeline)
        optional = {
            n: data[n].to_numpy().astype(np.float64) if n in data else None
            for n in ("load_q_kvar", "heat_pump_p_kw")
        }
        return Profiles(
            timeline=timeline,
            site_id=tuple(str(s) for s in data["site"].to_numpy()),
            load_p_kw=data["load_p_kw"].to_numpy().astype(np.float64),
            pv_p_kw=data["pv_p_kw"].to_numpy().astype(np.float64),
            load_q_kvar=optional["load_q_kvar"],
            heat_pump_p_kw=optional["heat_pump_p_kw"],
            source=str(data.attrs["source"]),
            calibrated=str(data.attrs["calibrated"]),
        )


def store_fleet(fleet: Fleet, folder: Path) -> None:
    """Write vehicles, chargers and sessions to `folder` as CSV, floats to the last bit."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FLEET_TABLES:
        getattr(fleet, name).to_csv(folder / f"{name}.csv", date_format="%Y-%m-%dT%H:%M:%S")


def _same_timeline(path: Path, data: xr.Dataset, timeline: Timeline) -> None:
    times = data["time"].to_numpy().astype("datetime64[s]")
    if not np.array_equal(times, timeline.times):
        message = (
            f"{path.name}: holds {len(times)} steps from {times[0]}, the study's timeline has "
            f"{timeline.count} from {timeline.start}; make them equal"
        )
        raise InputError(message)


def _attributes(name: str) -> dict[str, str]:
    known = {"heat_pump_p_kw": {"units": "kW", "long_name": "part of the load drawn by heat pumps"}}
    return known[name] if name in known else attributes(name)
