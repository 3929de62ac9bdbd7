"""A study made in Python as a folder that runs again from its file alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from gridimpact.dispatch import Mix
from gridimpact.dispatch.services import Signal
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError
from gridimpact.network.writer import write_network
from gridimpact.profiles import store_tariff
from gridimpact.study.catalogue import STRATEGIES, WRAPPERS
from gridimpact.study.spec import StudySpec
from gridimpact.study.tables import store_fleet, store_profiles
from gridimpact.study.taps import tap_settings


def save_study(
    spec: StudySpec,
    folder: Path,
    days: str | Sequence[str],
    hosting: Mapping[str, Any] | None = None,
) -> Path:
    """Write network, profiles, fleet, tariffs, temperature and `study.yaml`; return the folder.

    Parameters
    ----------
    hosting : mapping, optional
        Arguments of `gridimpact.hosting_capacity` for the section ``hosting``.

    Raises
    ------
    InputError
        If the folder already holds a study.
    """
    if (folder / "study.yaml").exists():
        message = f"{folder.name}: already holds a study; choose another folder"
        raise InputError(message)
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    write_network(spec.network, inputs / "network.json", keep_loads=True)
    store_profiles(spec.profiles, inputs / "profiles.nc")
    store_fleet(spec.fleet, inputs / "fleet")
    config: dict[str, Any] = {
        "name": spec.name,
        "network": {
            "source": "inputs/network.json",
            "name": spec.network.name,
            # The written net has its cables derated already.
            "derating": 1.0,
            "site_kinds": {
                str(s): str(k) for s, k in spec.network.sites["kind"].items() if k != "home"
            },
        },
        "timeline": _timeline(spec),
        "profiles": {"file": "inputs/profiles.nc", "quantity": "stored"},
        "fleet": [{"stored": "inputs/fleet"}],
        **_power_flow(spec),
        "limits": json.loads(json.dumps(asdict(spec.limits), default=str)),
        "strategies": [strategy_entry(s) for s in spec.strategies],
        "days": days if isinstance(days, str) else list(days),
        "seed": spec.seed,
    }
    if spec.network.grid.tap_controls:
        config["network"]["tap_control"] = tap_settings(spec.network.grid)
    if spec.tariffs:
        prices = {}
        for kind, tariff in spec.tariffs.items():
            file = store_tariff(tariff, spec.timeline, inputs / f"tariff_{kind or 'all'}.json")
            prices[kind] = f"inputs/{file.name}"
        config["prices"] = prices[""] if set(prices) == {""} else prices
    if spec.ambient is not None:
        table = pd.DataFrame(
            {"time_utc": spec.timeline.times, "temp_air_c": spec.ambient.temp_air_c}
        )
        table.to_csv(inputs / "ambient.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S")
        config["ambient"] = "inputs/ambient.csv"
    if hosting:
        config["hosting"] = _plain_section(hosting)
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder


def _plain_section(hosting: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of a scan as a study file holds them."""
    chosen = hosting.get("strategies")
    told = {} if chosen is None else {"strategies": [strategy_entry(s) for s in chosen]}
    return {key: _plain(value) for key, value in hosting.items()} | told


def _power_flow(spec: StudySpec) -> dict[str, Any]:
    """Return the options of the study that differ from the default."""
    found: dict[str, Any] = {
        "power_flow": spec.power_flow,
        "zero_sequence": spec.zero_sequence,
        "pv_single_phase_kva": spec.pv_single_phase_kva,
        "cold_batteries": spec.cold_batteries,
        "volt_var": json.loads(json.dumps(dict(spec.volt_var))),
        "transformer": dict(spec.transformer.given),
    }
    default = {"power_flow": "auto", "zero_sequence": "require"}
    return {k: v for k, v in found.items() if v and v != default.get(k)}


def strategy_entry(strategy: Any) -> str | dict[str, Any]:
    """Return a strategy as a study file names it, settings that differ from the default included."""
    if isinstance(strategy, Mix):
        shares: dict[str, Any] = {}
        for part, share in strategy.strategies:
            entry = strategy_entry(part)
            name = entry if isinstance(entry, str) else next(iter(entry))
            options = {} if isinstance(entry, str) else dict(entry[name])
            if name in shares:
                message = f"the mix holds {name!r} twice, a study file can name it once; save cannot write it"
                raise InputError(message)
            shares[name] = {"share": float(share), **options}
        return {"mix": {"shares": shares, "rest": strategy_entry(strategy.rest)}}
    for name, kind in {**STRATEGIES, **WRAPPERS}.items():
        if type(strategy) is kind:
            changed = _settings(strategy, kind)
            return {name: changed} if changed else name
    message = f"strategy {strategy.name!r} is not one a study file can name; save works for the packaged ones"
    raise InputError(message)


def _settings(strategy: Any, kind: Any) -> dict[str, Any]:
    if not is_dataclass(strategy):
        return {}
    default = kind()
    changed = {
        f.name: getattr(strategy, f.name)
        for f in fields(strategy)
        if f.init and getattr(strategy, f.name) != getattr(default, f.name)
    }
    for name, value in changed.items():
        if isinstance(value, Signal):
            message = (
                f"a strategy follows signal {value}, which a study file cannot hold in {name!r}; keep the "
                "study in a script, or use 'synthetic'"
            )
            raise InputError(message)
    return {name: _plain(value) for name, value in changed.items()}


def _plain(value: Any) -> Any:
    """Return a setting as a YAML file holds it: windows and events by what differs from their defaults."""
    if isinstance(value, Strategy):
        return strategy_entry(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if is_dataclass(value):
        told = {f.name: getattr(value, f.name) for f in fields(value)}
        return {f.name: _plain(told[f.name]) for f in fields(value) if told[f.name] != f.default}
    return value


def _timeline(spec: StudySpec) -> Mapping[str, str]:
    local = spec.timeline.local
    return {
        "first": str(local[0].date()),
        "last": str(local[-1].date()),
        "step": f"{spec.timeline.step_s}s",
        "zone": spec.timeline.zone,
    }
