"""What is settled once for all draws of a scan: whether it can be drawn at all, and how power flows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.fleet import catalogue
from gridimpact.fleet.order import model_mix
from gridimpact.fleet.vehicle import CHARGER_COLUMNS, as_charger
from gridimpact.hosting.behaviour import SET_BY_SCAN
from gridimpact.hosting.pool import Pool, pool_of
from gridimpact.hosting.random_days import RANDOM_DAYS, choices_of_days
from gridimpact.records import Fleet, Note, ScanSettings
from gridimpact.study.phase_allocation import allocate_phases
from gridimpact.study.power_flow import resolved
from gridimpact.study.spec import StudySpec


def decided(spec: StudySpec, settings: ScanSettings) -> StudySpec:
    """Return the study with its power flow decided for every draw, and notes on what is drawn.

    Parameters
    ----------
    spec : StudySpec
        The study; its fleet holds the cars that draws take their behaviour from.
    settings : ScanSettings
        Of the scan.

    Returns
    -------
    StudySpec
        With ``power_flow`` "balanced" or "three_phase", so that all draws are solved alike, and in three
        phases with the network's phase model.

    Raises
    ------
    InputError
        If the draws asked for cannot be made.
    GridError
        If three phases are asked for and the network lacks data for them.
    """
    pool = pool_of(spec.fleet)
    raise_problems(draw_problems(spec, settings, pool), "hosting")
    if isinstance(settings.days, str) and settings.days in RANDOM_DAYS:
        choices_of_days(spec.timeline, settings.days)
    found = resolved(dataclasses.replace(spec, fleet=_uneven_where_draws_may(spec, settings, pool)))
    notes = (*found.notes, *_notes(spec, settings, pool))
    return dataclasses.replace(found, fleet=spec.fleet, notes=notes)


def draw_problems(spec: StudySpec, settings: ScanSettings, pool: Pool) -> list[Problem]:
    """Return why the draws asked for cannot be made."""
    return list(_problems(spec, settings, len(pool.car)))


def _problems(spec: StudySpec, settings: ScanSettings, known: int) -> Iterator[Problem]:
    asked = max(settings.cars, default=0)
    behaviour, placement = settings.behaviour, settings.placement
    if min(settings.cars, default=-1) < 0:
        yield Problem("cars", f"is {settings.cars}", "give numbers of cars, 0 or more")
    if isinstance(behaviour, Mapping):
        wrong = sorted(set(behaviour) & set(SET_BY_SCAN))
        if wrong:
            yield Problem(
                "behaviour", f"gives {', '.join(wrong)}", "leave to the draw what it sets"
            )
    elif behaviour not in ("resample", "given"):
        remedy = "write 'resample', 'given' or arguments of synthesize_fleet"
        yield Problem("behaviour", f"is {behaviour!r}", remedy)
    elif behaviour == "resample" and asked and not known:
        remedy = "give the study cars at chargers of kind 'home', or behaviour as a mapping"
        yield Problem("behaviour", "the study has no private car to draw from", remedy)
    if placement not in ("draw", "given"):
        yield Problem("placement", f"is {placement!r}", "write 'draw' or 'given'")
    kinds = spec.network.sites["kind"].astype(str)
    if placement == "draw" and asked and not (kinds == "home").any():
        remedy = "name the kinds of its sites when it is opened, or set placement to 'given'"
        yield Problem("placement", "the network has no site of kind 'home'", remedy)
    if "given" in (behaviour, placement) and asked > known:
        what = f"{asked} cars are asked for, the study has {known} private cars"
        remedy = "ask for fewer, or set behaviour to 'resample' and placement to 'draw'"
        yield Problem("cars", what, remedy)


def _uneven_where_draws_may(spec: StudySpec, settings: ScanSettings, pool: Pool) -> Fleet:
    """Return a fleet that has single-phase chargers where any draw can have one.

    Copies of the study's own cars stand on as many phases as in the study; new cars are another matter.
    """
    behaviour = settings.behaviour
    if not isinstance(behaviour, Mapping) or not max(settings.cars, default=0):
        return spec.fleet
    charger = as_charger(behaviour.get("charger", "ac_11kw"))
    models, weights = model_mix(behaviour.get("vehicles"))
    target = catalogue.default("soc_target")
    single = any(
        weight > 0 and model.row(charger, target)["phases"] == 1
        for model, weight in zip(models, weights, strict=True)
    )
    fixed = pool.fixed_fleet()
    sites = spec.network.sites
    home = sites.index[(sites["kind"].astype(str) == "home").to_numpy()].astype(str)
    if not (single or charger.phases == 1) or not len(home):
        return fixed
    row = pd.DataFrame([charger.row("home")], columns=list(CHARGER_COLUMNS), index=["a new car's"])
    row["site_id"] = home[0]
    one = pd.Series(True, index=row.index)
    row = allocate_phases(row, one, sites, (settings.phases, settings.seed), [])
    both = pd.concat([fixed.chargers, row]) if len(fixed.chargers) else row
    return dataclasses.replace(fixed, chargers=both)


def _notes(spec: StudySpec, settings: ScanSettings, pool: Pool) -> Iterator[Note]:
    """Say what is drawn and what stands still."""
    behaviour = settings.behaviour
    if isinstance(behaviour, Mapping):
        who = "The private cars of a draw are synthesised anew"
    elif behaviour == "resample":
        who = f"Each private car of a draw is one of the study's {len(pool.car)}, drawn with replacement"
    else:
        who = "The private cars are the study's own, in the order of their ids"
    where = (
        "homes are put in a new order by each draw, and car k lives at home k"
        if settings.placement == "draw"
        else "each lives where the study has its k-th car"
    )
    text = f"{who}; {where}, so that more cars leave the first ones as they are (seed {settings.seed})."
    yield Note("assumption", "hosting, draws", text)
    count = len(pool.fixed_vehicle)
    if count:
        text = (
            f"{count} cars of the study that use no charger at a home are there in every scenario."
        )
        yield Note("info", "hosting, draws", text)
