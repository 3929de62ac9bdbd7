"""A results folder read back as the record it was written from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from gridimpact.conventions import METRICS
from gridimpact.errors import InputError
from gridimpact.network import open_network
from gridimpact.network.phase_model import with_phases
from gridimpact.records import Assessment, Fleet, Network, Note, StudyResult
from gridimpact.study.files import read_table
from gridimpact.study.store import FORMAT, table_file


def read_results(folder: Path) -> StudyResult:
    """Return the result stored in a folder.

    Raises
    ------
    InputError
        If the folder holds no finished result or one of another format.
    """
    file = folder / "manifest.json"
    if not file.is_file():
        message = f"{folder}: holds no finished result; run the study first: gridimpact run FOLDER"
        raise InputError(message)
    manifest = json.loads(file.read_text(encoding="utf-8"))
    if manifest.get("format") != FORMAT:
        message = f"{folder}: results of format {manifest.get('format')}, this version reads {FORMAT}; run the study again"
        raise InputError(message)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    with xr.open_dataset(folder / "results.nc", engine="h5netcdf") as stored:
        data = stored.load()
    comparison = read_table(folder / "tables" / "comparison.csv").set_index("strategy")
    return StudyResult(
        name=summary["name"],
        network=read_network(folder, manifest),
        fleet=_fleet(folder),
        dataset=data,
        assessments={
            label: _assessment(folder / "tables", label, summary, manifest)
            for label in map(str, comparison.index)
        },
        comparison=comparison.reindex(columns=list(METRICS)).astype(float),
        manifest=manifest,
        notes=tuple(Note(**note) for note in summary["notes"]),
    )


def read_network(folder: Path, manifest: Mapping[str, Any]) -> Network:
    """Return the network that was solved, with the sites stored beside it.

    Parameters
    ----------
    folder : Path
        Holds ``network.json`` and ``sites.csv``.
    manifest : mapping
        Its ``power_flow`` and ``sources`` say what the file of the network cannot.
    """
    flow = manifest.get("power_flow", {})
    taps = {int(index): own for index, own in flow.get("tap_control", {}).items()}
    # The written net has its cables derated already.
    bare = open_network(folder / "network.json", derating=1.0, tap_control=taps)
    if flow.get("kind") == "three-phase":
        # The written net holds every zero-sequence value that was assumed.
        bare = with_phases(bare)
    origin = next(s for s in manifest["sources"] if s["name"].startswith("network "))
    return dataclasses.replace(
        bare,
        name=origin["name"].removeprefix("network "),
        source=origin["source"],
        licence=origin["licence"],
        sites=read_table(folder / "sites.csv").set_index("site_id"),
    )


def _fleet(folder: Path) -> Fleet:
    parts = {n: read_table(folder / f"{n}.csv") for n in ("vehicles", "chargers", "sessions")}
    return Fleet(
        vehicles=parts["vehicles"].set_index("vehicle_id"),
        chargers=parts["chargers"].set_index("charger_id"),
        sessions=parts["sessions"].set_index("session_id"),
        rejected=read_table(folder / "rejected_sessions.csv"),
    )


def _assessment(
    folder: Path, label: str, summary: Mapping[str, Any], manifest: Mapping[str, Any]
) -> Assessment:
    found = {n: read_table(folder / table_file(label, n)) for n in summary["tables"][label]}
    violations = found.pop("violations")
    return Assessment(
        strategy=label,
        limits=str(manifest["limits"]["name"]),
        summary=dict(summary["strategies"][label]),
        violations=violations,
        tables=found,
    )
