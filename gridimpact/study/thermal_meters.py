"""Ageing of service transformers from files: meter data, who hangs where, ratings, air temperature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from gridimpact.ageing import age_service_transformers
from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.profiles import load_ambient
from gridimpact.records import Note, Profiles

MISSING = ("", "nan", "NaN")


def age_from_files(
    load: Profiles,
    meters: Path,
    transformers: Path,
    *,
    ambient: str,
    plate: str = "ieee_65c_pole",
    power_factor: float = 0.95,
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return the ageing of every service transformer of some files, worst first, and the notes.

    Parameters
    ----------
    load : Profiles
        Meter data from `gridimpact.read_profiles`: one column per meter.
    meters : Path
        CSV with ``meter_id transformer_id`` and, where known, ``leg`` (1, 2 or empty).
    transformers : Path
        CSV with ``transformer_id rated_kva`` and, where known, ``loss_ratio top_oil_rise_k hot_spot_rise_k
        tau_oil_h``.
    ambient : str
        As `gridimpact.load_ambient`: a packaged name or a file.
    plate : str
        Family that gives what the table does not.
    power_factor : float
        Of the loads, 0..1.

    Returns
    -------
    tuple
        As `gridimpact.age_service_transformers`; PV of a meter feeds back.

    Raises
    ------
    InputError
        Whatever is wrong with the files, each with its place.
    """
    places = _table(meters, "meter_id", ("transformer_id",), text=("leg",))
    units = _table(transformers, "transformer_id", ("rated_kva",))
    air = load_ambient(ambient, load.timeline)
    table, notes = age_service_transformers(
        load.load_p_kw + load.pv_p_kw,
        places,
        units,
        air.temp_air_c,
        load.timeline.dt_h,
        meter_id=load.site_id,
        power_factor=power_factor,
        plate=plate,
    )
    return table, (*load.notes, *notes)


def _table(
    path: Path, key: str, needed: tuple[str, ...], text: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Return a CSV by its ids, which stay text; numbers elsewhere.

    Raises
    ------
    InputError
        If the file or a column is missing, or a number is none.
    """
    if not path.is_file():
        message = f"{path}: no such file"
        raise InputError(message)
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    lacking = [name for name in (key, *needed) if name not in raw]
    raise_problems(
        [Problem(f"{path.name}", f"has no column {name!r}", "add it") for name in lacking],
        "service transformers",
    )
    found: dict[str, Any] = {}
    problems = []
    for name in raw.columns:
        if name in (key, "transformer_id", *text):
            found[name] = raw[name].str.strip()
            continue
        numbers = pd.to_numeric(raw[name], errors="coerce")
        wrong = numbers.isna() & ~raw[name].str.strip().isin(MISSING)
        if wrong.any() and name in (*needed, *_NUMBERS):
            row = int(wrong.to_numpy().argmax())
            what = f"{raw[name].iloc[row]!r} is no number"
            problems.append(Problem(f"{path.name} row {row + 2}, {name}", what))
        found[name] = numbers
    raise_problems(problems, "service transformers")
    return pd.DataFrame(found).set_index(key)


_NUMBERS = ("loss_ratio", "top_oil_rise_k", "hot_spot_rise_k", "tau_oil_h")
