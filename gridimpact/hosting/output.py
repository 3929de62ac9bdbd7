"""The folder of a scan: every table as a file, each whole or not at all, the manifest last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gridimpact.errors import InputError, MissingExtra
from gridimpact.hosting.files import PART, require_writable, sync_folder, telling
from gridimpact.hosting.geojson import write_nodal_geojson
from gridimpact.hosting.journal import NAME as JOURNAL
from gridimpact.hosting.lock import NAME as LOCK
from gridimpact.hosting.lock import FolderLock
from gridimpact.network.writer import write_network
from gridimpact.records import Note, ScanResult
from gridimpact.study.files import read_table, write_csv, write_json
from gridimpact.study.store_read import read_network

FORMAT = 1
KIND = "hosting scan"
TABLES = (
    "capacity",
    "risk",
    "binding",
    "feeders",
    "pairs",
    "scenarios",
    "draws",
    "nodal",
    "uniform",
    "mitigation",
)
"""Tables of a `ScanResult`, each a file of its name where it is not empty."""
Writer = Callable[[ScanResult, Path], Any]
_TEXT: Mapping[Hashable, Any] = dict.fromkeys(
    (
        "strategy",
        "control",
        "limit",
        "binding",
        "binding_element",
        "name",
        "colour",
        "transformer",
        "site_id",
        "phases",
        "direction",
        "against",
        "status",
        "sessions_sha256",
        "error",
        "broken",
        "broken_any",
        "voltage_bus",
        "unbalance_bus",
        "line",
        "site",
    ),
    object,
)


def write_scan(
    result: ScanResult,
    folder: Path,
    extras: Mapping[str, Writer] | None = None,
    *,
    parquet: bool = False,
) -> Path:
    """Write a scan's results and return the folder.

    Parameters
    ----------
    result : ScanResult
        What was found.
    folder : Path
        Made if missing; the journal of the scan may stand in it.
    extras : mapping, optional
        File name to a function that writes it, called with result and path.
    parquet : bool
        Also writes every table as parquet; needs the extra ``parquet``.

    Raises
    ------
    InputError
        If the folder holds something else.
    StorageError
        If the disk refuses; files already there stay whole, and without a manifest they are no result.
    MissingExtra
        If parquet is asked for and pyarrow is not installed.

    Notes
    -----
    The old manifest goes first and the new one comes last, so a folder with a manifest is always one whole
    result. But for what stands under ``run`` in the manifest (times, memory, workers) all bytes are equal
    between runs of the same scan.
    """
    require_scan_folder(folder)
    if parquet and find_spec("pyarrow") is None:
        message = "parquet needs pyarrow: pip install 'gridimpact[parquet]'"
        raise MissingExtra(message)
    require_writable(folder)
    with FolderLock(folder):
        before = _files_before(folder)
        safe = f"the draws are safe in {JOURNAL}" if (folder / JOURNAL).is_file() else ""
        with telling(folder, "replacing manifest.json"):
            (folder / "manifest.json").unlink(missing_ok=True)
        parts = _parts(result, parquet) | dict(extras or {})
        for name, write in parts.items():
            _put(folder / name, partial(write, result), safe)
        for name in sorted(before - parts.keys()):
            with contextlib.suppress(OSError):
                (folder / name).unlink()
        manifest = _manifest(result) | {"files": {n: _hash(folder / n) for n in sorted(parts)}}
        _put(folder / "manifest.json", lambda path: write_json(path, manifest), safe)
        sync_folder(folder)
    return folder


def read_scan(folder: Path) -> ScanResult:
    """Return the scan stored in a folder.

    Raises
    ------
    InputError
        If the folder holds no finished scan or one of another format.
    """
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if manifest.get("kind") != KIND:
        message = (
            f"{folder.name}: holds no finished scan; run it first: gridimpact hosting FOLDER, or with "
            "--resume where it was stopped"
        )
        raise InputError(message)
    if manifest.get("format") != FORMAT:
        found = manifest.get("format")
        message = f"{folder.name}: scan of format {found}, this version reads {FORMAT}; scan again"
        raise InputError(message)
    own = {key: manifest.pop(key) for key in _OWN}
    tables = {
        name: read_table(folder / f"{name}.csv", _TEXT)
        for name in TABLES
        if (folder / f"{name}.csv").is_file()
    }
    for key in ("kind", "format", "files"):
        manifest.pop(key)
    return ScanResult(
        name=own["name"],
        method=own["method"],
        network=read_network(folder, manifest),
        settings=own["settings"],
        homes=int(own["homes"]),
        base=own["base"],
        manifest=manifest,
        notes=tuple(Note(**note) for note in own["notes"]),
        **tables,
    )


def require_scan_folder(folder: Path) -> None:
    """Refuse a folder that a scan may not write to; costs nothing, so ask before solving.

    Raises
    ------
    InputError
        If it is a file, or holds anything else than a scan.
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder.name}: is a file; a scan needs a folder of its own"
        raise InputError(message)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if any((folder / name).is_file() for name in (JOURNAL, LOCK)):
        return
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if known.get("kind") == KIND:
            return
    message = f"{folder.name}: holds files that are no scan; choose an empty folder"
    raise InputError(message)


_OWN = ("name", "method", "homes", "settings", "base", "notes")
"""Parts of a record that its manifest carries beside what tells how it was made."""


def _manifest(result: ScanResult) -> dict[str, Any]:
    notes = [{"kind": n.kind, "where": n.where, "text": n.text} for n in result.notes]
    own = {
        "kind": KIND,
        "format": FORMAT,
        "name": result.name,
        "method": result.method,
        "homes": result.homes,
        "settings": dict(result.settings),
        "base": dict(result.base),
        "notes": notes,
    }
    return dict(result.manifest) | own


def _parts(result: ScanResult, parquet: bool) -> dict[str, Writer]:
    """Return what writes each file."""
    parts: dict[str, Writer] = {
        "network.json": lambda found, path: write_network(found.network, path),
        "sites.csv": lambda found, path: write_csv(found.network.sites, path),
    }
    for name in TABLES:
        if not len(getattr(result, name)):
            continue
        parts[f"{name}.csv"] = partial(_write_table, name)
        if parquet:
            parts[f"{name}.parquet"] = partial(_write_parquet, name)
    if len(result.nodal) and result.network.grid.bus_geographic:
        parts["nodal.geojson"] = _write_geojson
    return parts


def _write_table(name: str, result: ScanResult, path: Path) -> None:
    write_csv(getattr(result, name), path)


def _write_parquet(name: str, result: ScanResult, path: Path) -> None:
    getattr(result, name).to_parquet(path, engine="pyarrow", index=False)


def _write_geojson(result: ScanResult, path: Path) -> None:

    write_nodal_geojson(result, result.network, path)


def _files_before(folder: Path) -> set[str]:
    """Return the files an earlier result in the folder lists as its own."""
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if known.get("kind") == KIND:
            return {name for name in known["files"] if Path(name).name == name}
    return set()


def _put(path: Path, write: Callable[[Path], Any], safe: str = "") -> None:
    """Let a file be written under another name, flushed, and put in its place."""
    fresh = path.with_name(path.name + PART)
    with telling(path.parent, f"writing {path.name}", safe):
        try:
            write(fresh)
            with fresh.open("rb+") as file:
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
