"""What is packaged in ``profiles/`` and how it is read."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.errors import InputError
from gridimpact.paths import data_folder
from gridimpact.profiles.sampling import Series

# name: (kind, file under the data folder, column, what it is)
_SETS = {
    "germany_2016": (
        "temperature",
        "temperature_germany_2016/temperature.csv",
        "air_temp_c",
        "air temperature of Germany 2016, ERA5",
    ),
    "tucson": (
        "temperature",
        "temperature_tmy3_us/temperature_tmy3.csv",
        "tucson_az",
        "typical year, hot and dry, TMY3",
    ),
    "chicago": (
        "temperature",
        "temperature_tmy3_us/temperature_tmy3.csv",
        "chicago_il",
        "typical year, cold winter and hot summer, TMY3",
    ),
    "tampa": (
        "temperature",
        "temperature_tmy3_us/temperature_tmy3.csv",
        "tampa_fl",
        "typical year, hot and humid, TMY3",
    ),
    "seattle": (
        "temperature",
        "temperature_tmy3_us/temperature_tmy3.csv",
        "seattle_wa",
        "typical year, mild coast, TMY3",
    ),
    "fairbanks": (
        "temperature",
        "temperature_tmy3_us/temperature_tmy3.csv",
        "fairbanks_ak",
        "typical year, subarctic, TMY3",
    ),
    "nl_2019": (
        "wholesale",
        "prices_nl_dayahead/nl_dayahead_2019.csv",
        "price_eur_per_mwh",
        "day-ahead prices of the Netherlands 2019",
    ),
    "nl_2023": (
        "wholesale",
        "prices_nl_dayahead/nl_dayahead_2023.csv",
        "price_eur_per_mwh",
        "day-ahead prices of the Netherlands 2023, many negative hours",
    ),
    "caiso_sce_2020": (
        "co2",
        "co2_marginal_caiso_sce_2020/moer_2020.csv",
        "moer_kg_co2_per_kwh",
        "marginal CO2 rate of Southern California 2020",
    ),
    "bdew_h25": ("shape", "slp_bdew/h25.csv", "", "BDEW 2025 households"),
    "bdew_g25": ("shape", "slp_bdew/g25.csv", "", "BDEW 2025 trade and business"),
    "bdew_l25": ("shape", "slp_bdew/l25.csv", "", "BDEW 2025 agriculture"),
    "bdew_p25": ("shape", "slp_bdew/p25.csv", "", "BDEW 2025 households with PV"),
    "bdew_s25": ("shape", "slp_bdew/s25.csv", "", "BDEW 2025 households with PV and storage"),
    "acn_caltech_2019": (
        "sessions",
        "sessions_acn_caltech/caltech_2019-09-01_2019-12-31.csv.gz",
        "",
        "charging sessions of a campus",
    ),
    "travel_survey_de": (
        "travel",
        "travel_survey_de/trips_per_day.csv",
        "",
        "trips of German cars (a folder of tables)",
    ),
    "vehicle_specs_nl": (
        "vehicles",
        "vehicle_specs_nl/ev_specs.json",
        "",
        "battery cars registered in the Netherlands",
    ),
}


def list_profiles() -> pd.DataFrame:
    """Return what is packaged.

    Returns
    -------
    pandas.DataFrame
        Index ``name``; columns ``kind`` (temperature, wholesale, co2, shape, sessions, travel,
        vehicles, tariff), ``about``, ``licence`` and ``path``. Each folder's README names the origin.

    Examples
    --------
    >>> list_profiles().loc["germany_2016", "kind"]
    'temperature'
    """
    folder = data_folder("profiles")
    rows = {name: (kind, about, folder / file) for name, (kind, file, _, about) in _SETS.items()}
    for file in sorted((folder / "tariffs").glob("*.json")):
        # A wholesale price and the tariff built on it share a name.
        name = file.stem if file.stem not in rows else f"{file.stem} (tariff)"
        rows[name] = ("tariff", f"example tariff {file.stem}", file)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["kind", "about", "path"])
    table.insert(2, "licence", [_licence(path.parent) for path in table["path"]])
    return table.rename_axis("name")


def licence_of(name: str) -> str:
    """Return the licence of a packaged set, "" for a series of the user's own.

    Examples
    --------
    >>> licence_of("travel_survey_de")
    'MIT (emobpy)'
    """
    table = list_profiles()
    return str(table.loc[name, "licence"]) if name in table.index else ""


def _licence(folder: Path) -> str:
    """Return what the table at the head of a folder's README says of its licence."""
    lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    found = [line.split("|")[2].strip() for line in lines if line.startswith("| licence |")]
    return found[0] if found else ""


def path_of(name: str, kind: str) -> Path:
    """Return the file of a packaged set.

    Raises
    ------
    InputError
        If there is no such set of that kind; the message names the nearest.
    """
    names = [known for known, entry in _SETS.items() if entry[0] == kind]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = f"no packaged {kind} is named {name!r}{hint} Known: {', '.join(names)}"
        raise InputError(message)
    return data_folder("profiles") / _SETS[name][1]


def names_of(kind: str) -> tuple[str, ...]:
    """Return the names of the packaged sets of one kind."""
    return tuple(name for name, entry in _SETS.items() if entry[0] == kind)


@lru_cache(maxsize=8)
def hourly(name: str, kind: str) -> Series:
    """Return a packaged series stamped in UTC; a missing hour takes the value of the hour before."""
    table = pd.read_csv(path_of(name, kind), parse_dates=["time_utc"], index_col="time_utc")
    full = table[_SETS[name][2]].resample("1h").ffill()
    values = full.to_numpy(dtype=np.float64)
    values.flags.writeable = False
    return Series(np.datetime64(full.index[0], "s"), 3600, values, name)


@lru_cache(maxsize=8)
def typical_year(name: str) -> Series:
    """Return a packaged typical year on local standard time, written as the year 2001.

    The stamp of an hour-ending row is its end; the first row is preceded by the last of the year.
    """
    table = pd.read_csv(path_of(name, "temperature"))
    ending = table[_SETS[name][2]].to_numpy(dtype=np.float64)
    values = np.concatenate([ending[-1:], ending[:-1]])
    values.flags.writeable = False
    return Series(np.datetime64("2001-01-01T00:00:00", "s"), 3600, values, name)


def is_typical(name: str) -> bool:
    """Return whether a packaged temperature is a typical year without weekdays."""
    return "tmy3" in _SETS[name][1]


@lru_cache(maxsize=8)
def bdew_table(name: str) -> NDArray[np.float64]:
    """Return a BDEW profile as kWh per quarter hour and 1,000 MWh, shape (96, 12, 3).

    Axes: quarter hour of the day, month, day type (Saturday, Sunday or holiday, working day).
    """
    table = pd.read_csv(path_of(name, "shape"), header=[0, 1], index_col=0)
    values = table.to_numpy(dtype=np.float64).reshape(96, 12, 3)
    values.flags.writeable = False
    return values
