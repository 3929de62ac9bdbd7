"""From what a user gives (records, names, a study file) to a study specification."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.assess.limits import LimitProfile, limit_profile
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.fleet import join_fleets, read_fleet, read_sessions, synthesize_fleet
from gridimpact.network import open_network
from gridimpact.profiles import load_ambient, load_tariff, read_profiles, synthesize_households
from gridimpact.records import Ambient, Fleet, Network, Profiles, Tariff
from gridimpact.study.catalogue import as_strategy
from gridimpact.study.config import FleetConfig, SessionsConfig, StudyConfig, read_config
from gridimpact.study.place import place
from gridimpact.study.signals import read_strategies
from gridimpact.study.spec import StudySpec
from gridimpact.study.tables import load_profiles
from gridimpact.study.thermal_options import transformer_options
from gridimpact.timeline import Timeline

Prices = str | Path | Tariff | Mapping[str, Any] | None


def make_spec(
    network: Network,
    profiles: Profiles,
    fleet: Fleet | Sequence[Fleet],
    *,
    strategies: Sequence[Strategy | str],
    limits: str | LimitProfile | Mapping[str, Any] = "eu_lv_planning",
    prices: Prices = None,
    ambient: Any = None,
    options: Mapping[str, Any] | None = None,
) -> StudySpec:
    """Return the specification of a study from its parts.

    Parameters
    ----------
    profiles : Profiles
        One column per site of the network, in any order.
    prices : str, Tariff, mapping or None
        A tariff for all sites or one by site kind; None leaves money out.
    ambient : str, Ambient, array or None
        Air temperature; None leaves transformer ageing out.
    options : mapping, optional
        Of `StudySpec`, e.g. ``name seed power_flow settings``; ``transformer`` as a mapping.

    Raises
    ------
    InputError
        If sites and profiles do not match, or a name is unknown.
    """
    aligned = align_profiles(network, profiles)
    time = aligned.timeline
    joined = fleet if isinstance(fleet, Fleet) else join_fleets(*fleet)
    chosen = tuple(as_strategy(s) for s in strategies)
    ready = ambient is None or isinstance(ambient, Ambient)
    chosen_ambient = ambient if ready else load_ambient(ambient, time)
    if chosen_ambient is not None and len(chosen_ambient.temp_air_c) != time.count:
        message = (
            f"ambient {chosen_ambient.name!r} has {len(chosen_ambient.temp_air_c)} values, the timeline "
            f"{time.count} steps; give a series of the same timeline"
        )
        raise InputError(message)
    given = {"name": "study", "transformer": None, **dict(options or {})}
    given["transformer"] = transformer_options(given["transformer"])
    return StudySpec(
        network=network,
        profiles=aligned,
        fleet=joined,
        strategies=chosen,
        limits=limits if isinstance(limits, LimitProfile) else limit_profile(limits),
        tariffs=_tariffs(prices, time),
        ambient=chosen_ambient,
        **given,
    )


def align_profiles(network: Network, profiles: Profiles) -> Profiles:
    """Return the profiles with their columns in the order of the network's sites.

    Raises
    ------
    InputError
        If a site has no profile or a profile no site.
    """
    wanted = [str(s) for s in network.sites.index]
    have = pd.Index(profiles.site_id)
    problems = [
        Problem(
            f"profiles, site {name}",
            f"no {what}",
            remedy,
        )
        for names, what, remedy in (
            (
                sorted(set(wanted) - set(have)),
                "profile for this site of the network",
                "add a column",
            ),
            (
                sorted(set(have) - set(wanted)),
                "site of this name in the network",
                "rename the column",
            ),
        )
        for name in names[:10]
    ]
    raise_problems(problems, f"profiles of {len(have)} sites against {len(wanted)} in the network")
    order = have.get_indexer(pd.Index(wanted))
    if (order == np.arange(len(wanted))).all():
        return profiles
    parts = ("load_p_kw", "pv_p_kw", "load_q_kvar", "heat_pump_p_kw")
    moved = {p: v[:, order] for p in parts if (v := getattr(profiles, p)) is not None}
    return dataclasses.replace(profiles, site_id=tuple(wanted), **moved)


def spec_from_file(path: Path) -> tuple[StudySpec, StudyConfig]:
    """Return the specification of a study folder, and its configuration.

    Raises
    ------
    InputError
        Whatever is wrong with the file or what it names.
    """
    config = read_config(path)
    root = path if path.is_dir() else path.parent
    time = _timeline(config)
    network = open_network(
        _source(root, config.network.source),
        site_kinds=config.network.site_kinds or None,
        busbar_vm_pu=config.network.busbar_vm_pu,
        name=config.network.name,
        derating=config.network.derating,
        tap_control={
            index: own.model_dump(exclude_none=True)
            for index, own in config.network.tap_control.items()
        },
    )
    air = load_ambient(_source(root, config.ambient), time) if config.ambient else None
    profiles = _profiles(config, root, network, time, air)
    fleet = _fleet(config, root, network, time, air)
    spec = make_spec(
        network,
        profiles,
        fleet,
        strategies=read_strategies(config.strategies, partial(study_path, root)),
        limits=config.limits,
        prices=_priced(root, config.prices),
        ambient=air,
        options={
            "name": config.name,
            "seed": config.seed,
            "power_flow": config.power_flow,
            "zero_sequence": config.zero_sequence,
            "pv_single_phase_kva": config.pv_single_phase_kva,
            "volt_var": config.volt_var.model_dump(exclude_none=True),
            "cold_batteries": config.cold_batteries,
            "transformer": config.transformer,
            "settings": config.model_dump(mode="json", exclude_defaults=True),
        },
    )
    return spec, config


def study_path(root: Path, text: str) -> Path:
    """Return a path named in a study file, which must stay under the study's folder.

    Raises
    ------
    InputError
        If it is absolute, leaves the folder (also through a link) or is no file.
    """
    found = (root / text).resolve()
    if Path(text).is_absolute() or not found.is_relative_to(root.resolve()):
        message = (
            f"{text!r} leaves the study's folder; copy the file into it and name it relatively"
        )
        raise InputError(message)
    if not found.exists():
        message = f"{text!r}: no such file in the study's folder"
        raise InputError(message)
    return found


def _source(root: Path, text: str) -> Any:
    """Return a path where the text names a file of the study, else the name itself."""
    looks_like_file = "/" in text or "\\" in text or Path(text).suffix in _FILE_ENDINGS
    return study_path(root, text) if looks_like_file else text


_FILE_ENDINGS = {".json", ".xlsx", ".csv", ".epw", ".nc"}


def _timeline(config: StudyConfig) -> Timeline:
    entry = config.timeline
    try:
        after = str((pd.Timestamp(entry.last) + pd.Timedelta(days=1)).date())
    except ValueError as error:
        message = f"timeline.last: {entry.last!r} is no ISO date"
        raise InputError(message) from error
    return Timeline.between(entry.first, after, step=entry.step, zone=entry.zone)


def _profiles(
    config: StudyConfig, root: Path, network: Network, time: Timeline, air: Ambient | None
) -> Profiles:
    if config.households is not None:
        wanted = config.households
        return synthesize_households(
            network,
            time,
            annual_kwh=wanted.annual_kwh,
            peak_kva=wanted.peak_kva,
            heat_pump_share=wanted.heat_pump_share,
            pv_share=wanted.pv_share,
            buildings=wanted.buildings or None,
            ambient=air or "germany_2016",
            seed=config.seed,
        )
    given = config.profiles
    if given is None:
        message = "the study names neither 'households' nor 'profiles'"
        raise InputError(message)
    if given.quantity == "stored":
        return load_profiles(study_path(root, given.file), time)
    return read_profiles(
        study_path(root, given.file),
        quantity=given.quantity,
        stamp=given.stamp,
        zone=given.zone,
        timeline=time,
    )


def _fleet(
    config: StudyConfig, root: Path, network: Network, time: Timeline, air: Ambient | None
) -> Fleet:
    """Return the placed fleet of all entries."""
    parts = []
    for number, entry in enumerate(config.fleet):
        seed = config.seed + number
        if isinstance(entry, FleetConfig):
            made = synthesize_fleet(
                entry.count,
                time,
                charger=entry.charger,
                kind=entry.kind,
                vehicles=entry.vehicles,
                daily_kwh=entry.daily_kwh,
                soc_target=entry.soc_target,
                ambient=air,
                seed=seed,
            )
            at = _at(root, entry.at)
            parts.append(place(made, network, at=at, cars_per_home=entry.cars_per_home, seed=seed))
        elif isinstance(entry, SessionsConfig):
            made = read_sessions(
                study_path(root, entry.sessions),
                zone=entry.zone,
                columns=entry.columns,
                format=entry.format,
                charger=entry.charger,
            )
            parts.append(place(made, network, at=_at(root, entry.at), seed=seed))
        else:
            parts.append(read_fleet(study_path(root, entry.stored)))
    if not parts:
        return synthesize_fleet(0, time, seed=config.seed)
    return join_fleets(*parts)


def _at(root: Path, at: str | dict[str, str] | None) -> Any:
    return study_path(root, at) if isinstance(at, str) and at.endswith(".csv") else at


def _priced(root: Path, prices: str | dict[str, str] | None) -> Prices:
    if isinstance(prices, dict):
        return {kind: _source(root, source) for kind, source in prices.items()}
    return None if prices is None else _source(root, prices)


def _tariffs(prices: Prices, time: Timeline) -> dict[str, Tariff]:
    """Return tariffs by site kind; the key "" serves every other kind."""
    if prices is None:
        return {}
    by_kind = prices if isinstance(prices, Mapping) else {"": prices}
    return {
        str(kind): source if isinstance(source, Tariff) else load_tariff(source, time)
        for kind, source in by_kind.items()
    }
