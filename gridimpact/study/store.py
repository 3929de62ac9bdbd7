"""The results folder: written under temporary names, renamed at the end, the manifest last."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from tqdm import tqdm

from gridimpact.errors import InputError
from gridimpact.network.writer import write_network
from gridimpact.records import StudyResult
from gridimpact.study.files import write_csv, write_json
from gridimpact.study.thermal_life import ledgers, transformer_life

FORMAT = 1


def write_results(
    result: StudyResult, folder: Path, extras: Mapping[str, Callable[[StudyResult, Path], None]]
) -> Path:
    """Write a study's results and return the folder.

    Parameters
    ----------
    folder : Path
        Made if missing. A folder that holds other files than an earlier result is refused.
    extras : mapping
        File name to a function that writes it (report, spreadsheet), called with result and path.

    Raises
    ------
    InputError
        If the folder holds something else.
    """
    require_free(folder)
    fresh = folder.with_name(folder.name + ".part")
    if fresh.exists():
        shutil.rmtree(fresh)
    (fresh / "tables").mkdir(parents=True)
    try:
        parts = [*_PARTS, *((name, write) for name, write in extras.items())]
        # Seen only where writing takes long: a year of a large network.
        for name, write in tqdm(
            parts, desc="writing results", delay=2.0, disable=None, leave=False
        ):
            write(result, fresh / name)
        manifest = dict(result.manifest) | {"format": FORMAT, "files": _hashes(fresh)}
        write_json(fresh / "manifest.json", manifest)
        _replace(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder


def require_free(folder: Path) -> None:
    """Refuse a folder that results may not be written to; costs nothing, so ask before solving.

    Raises
    ------
    InputError
        If it is a file, or holds anything else than an earlier result.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder.name}: is a file; results need a folder of their own"
        raise InputError(message)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.json").is_file():
        message = (
            f"{folder.name}: holds files that are no results of a study; choose an empty folder"
        )
        raise InputError(message)


def _write_tables(result: StudyResult, folder: Path) -> None:
    write_csv(result.comparison, folder / "comparison.csv")
    if "transformer" in result.manifest:
        write_csv(transformer_life(result), folder / "transformer_life.csv")
        write_csv(ledgers(result), folder / "ledgers.csv")
    for label, tables in _tables_of(result).items():
        for name, table in tables.items():
            write_csv(table, folder / table_file(label, name))


def table_file(label: str, name: str) -> str:
    """Return the file name of a row's table; a label of any text makes a name any system takes.

    Examples
    --------
    >>> table_file("uncontrolled", "buses")
    'uncontrolled_buses.csv'
    """
    plain = re.sub(r"[^A-Za-z0-9_.=-]+", "_", label)
    if plain != label or len(plain) > 60:
        plain = f"{plain[:50]}_{hashlib.sha256(label.encode()).hexdigest()[:8]}"
    return f"{plain}_{name}.csv"


def _tables_of(result: StudyResult) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the tables of each row by name, its violations first."""
    return {
        label: {"violations": found.violations, **found.tables}
        for label, found in result.assessments.items()
    }


def _write_dataset(data: xr.Dataset, path: Path) -> None:
    """Write compressed netCDF; text coordinates as they are."""
    packed = {str(n): {"zlib": True, "complevel": 1, "shuffle": True} for n in data.data_vars}
    time = {"time": {"units": "seconds since 1970-01-01", "dtype": "int64"}}
    data.to_netcdf(path, engine="h5netcdf", encoding={**packed, **time})


def _summary(result: StudyResult) -> dict[str, Any]:
    """Return every figure of the comparison and the notes, as plain data."""
    return {
        "name": result.name,
        "comparison": result.comparison.to_dict(orient="index"),
        "strategies": {k: dict(a.summary) for k, a in result.assessments.items()},
        "tables": {k: list(tables) for k, tables in _tables_of(result).items()},
        "notes": [{"kind": n.kind, "where": n.where, "text": n.text} for n in result.notes],
    }


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(folder.rglob("*"))
        if f.is_file()
    }


def _replace(fresh: Path, folder: Path) -> None:
    """Put the fresh folder in the place of the old one; the old one goes last."""
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        if old.exists():
            shutil.rmtree(old)
        folder.rename(old)
    fresh.replace(folder)
    if old.exists():
        shutil.rmtree(old)


_PARTS: tuple[tuple[str, Callable[[StudyResult, Path], None]], ...] = (
    ("network.json", lambda result, path: write_network(result.network, path)),
    ("sites.csv", lambda result, path: write_csv(result.network.sites, path)),
    ("chargers.csv", lambda result, path: write_csv(result.fleet.chargers, path)),
    ("vehicles.csv", lambda result, path: write_csv(result.fleet.vehicles, path)),
    ("sessions.csv", lambda result, path: write_csv(result.fleet.sessions, path)),
    ("rejected_sessions.csv", lambda result, path: write_csv(result.fleet.rejected, path)),
    ("results.nc", lambda result, path: _write_dataset(result.dataset, path)),
    ("summary.json", lambda result, path: write_json(path, _summary(result))),
    ("tables", _write_tables),
)
"""Every part of a results folder but the manifest, which is written last."""
