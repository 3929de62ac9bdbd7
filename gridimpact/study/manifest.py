"""Which model, which limits, which seed and which inputs made a result."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.dispatch.strategy import Strategy
from gridimpact.profiles import licence_of
from gridimpact.records import BoolArray, Profiles
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.thermal_plates import described

_PACKAGES = ("gridimpact", "pandapower", "numpy", "scipy", "pandas", "numba", "xarray", "pvlib")


def manifest_of(
    spec: StudySpec,
    segments: Sequence[Segment],
    strategies: Mapping[str, Strategy],
    controlled: Mapping[str, BoolArray],
) -> dict[str, Any]:
    """Return what identifies a run: versions, seed, limits, inputs by hash, strategies, days.

    Parameters
    ----------
    strategies : mapping
        By row label.
    controlled : mapping
        (vehicle,) mask of the cars each row controls.
    """
    thermal = {}
    if spec.ambient is not None and len(spec.network.grid.transformer_index):
        thermal = {"transformer": described(spec.network, spec.transformer)}
    return {
        "gridimpact": _version("gridimpact"),
        "versions": {"python": platform.python_version()} | {p: _version(p) for p in _PACKAGES},
        "seed": spec.seed,
        "limits": {k: v for k, v in asdict(spec.limits).items()},
        "timeline": str(spec.timeline),
        "days": [{"name": s.name, "steps": int(s.counted.sum())} for s in segments],
        "inputs": input_hashes(spec),
        "strategies": {
            name: {
                "name": strategy.name,
                "settings": repr(strategy),
                "foresight": foresight_text(strategy),
                "cars_controlled": int(controlled[name].sum()) if name in controlled else 0,
            }
            for name, strategy in strategies.items()
        },
        "sources": _sources(spec),
        "settings": dict(spec.settings or {}),
        "calibration": spec.profiles.calibrated,
        **thermal,
    }


def foresight_text(strategy: Strategy) -> str:
    """Return what a strategy knows of the future, in words.

    Examples
    --------
    >>> from gridimpact.dispatch import Uncontrolled
    >>> foresight_text(Uncontrolled()).endswith("causal")
    True
    """
    known = strategy.foresight
    kind = "causal" if known.causal else "perfect foresight: an upper bound"
    return f"stays {known.stays}, prices {known.prices}, base load {known.base_load}; {kind}"


def input_hashes(spec: StudySpec) -> dict[str, str]:
    """Return SHA-256 of each input, the same for the same content on any machine."""
    admittance = spec.network.grid.admittance
    return {
        "network": _digest(
            admittance.y_bus.data, admittance.slack_vm_pu, *_tables(spec.network.sites)
        ),
        "profiles": _digest(*_profile_parts(spec.profiles)),
        "fleet": _digest(
            *_tables(spec.fleet.vehicles),
            *_tables(spec.fleet.chargers),
            *_tables(spec.fleet.sessions),
        ),
        "prices": _digest(
            *[a for t in spec.tariffs.values() for a in (t.import_price, t.export_price)]
        ),
        "ambient": _digest(*([spec.ambient.temp_air_c] if spec.ambient else [])),
    }


def _sources(spec: StudySpec) -> list[dict[str, str]]:
    """Return what the inputs are made from."""
    network = spec.network
    found = [
        {"name": f"network {network.name}", "source": network.source, "licence": network.licence},
        {"name": "demand", "source": spec.profiles.source, "licence": _licences(spec)},
    ]
    for kind, tariff in spec.tariffs.items():
        title = f"tariff {tariff.name}" + (f" ({kind})" if kind else "")
        found.append({"name": title, "source": tariff.source, "licence": licence_of(tariff.name)})
    if spec.ambient is not None:
        found.append(
            {
                "name": f"air temperature {spec.ambient.name}",
                "source": spec.ambient.source,
                "licence": licence_of(spec.ambient.name),
            }
        )
    return found


def _licences(spec: StudySpec) -> str:
    """Return the licence of the shapes behind synthetic demand, "" for demand of the user's own."""
    return licence_of("bdew_h25") if "BDEW" in spec.profiles.source else ""


def _digest(*parts: Any) -> str:
    found = hashlib.sha256()
    for part in parts:
        array = np.ascontiguousarray(part)
        found.update(str((array.dtype.kind, array.shape)).encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _tables(table: pd.DataFrame) -> list[Any]:
    return [np.frombuffer(table.to_csv(date_format="%Y-%m-%dT%H:%M:%S").encode(), dtype=np.uint8)]


def _profile_parts(profiles: Profiles) -> list[Any]:
    parts = [profiles.load_p_kw, profiles.pv_p_kw]
    return parts if profiles.load_q_kvar is None else [*parts, profiles.load_q_kvar]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
