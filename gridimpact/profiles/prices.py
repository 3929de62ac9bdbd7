"""Tariffs on the timeline of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.paths import data_folder
from gridimpact.profiles.calendar import mapping_text
from gridimpact.profiles.catalogue import hourly, names_of
from gridimpact.profiles.sampling import Series, held
from gridimpact.profiles.stamped import array_values, regular_series, stamped_csv
from gridimpact.profiles.tariff_file import (
    TariffPlan,
    parse_tariff,
    read_tariff_file,
    window_minutes,
)
from gridimpact.profiles.tariff_store import stored_prices
from gridimpact.records import FloatArray, IntArray, Tariff
from gridimpact.timeline import Timeline

_PER_KWH = ("price_eur_per_kwh", "price_per_kwh")
_PER_MWH = ("price_eur_per_mwh", "price_per_mwh")
# Nobody pays this for a kWh all day; a price per MWh was meant.
_HIGHEST_MEDIAN = 5.0


def load_tariff(source: Any, timeline: Timeline, *, export: Any = None) -> Tariff:
    """Return what a meter pays.

    Parameters
    ----------
    source : str, path, mapping, TariffPlan, array_like, pandas.Series or Tariff
        A packaged tariff (``nl_2019``: day-ahead price plus stated fees and taxes, export at the
        day-ahead price; ``nl_2023``, ``flat_retail``, ``time_of_use``, ``building_demand``,
        ``building_subscribed``), a tariff file (``.json``), a CSV of prices (column
        ``price_eur_per_kwh`` or ``price_eur_per_mwh``), the keys of a tariff file, a series with
        stamps, or an array: one import price per step, or the hours of the year from 00:00 UTC
        [currency/kWh].
    timeline : Timeline
        Steps of the study; windows follow its local clock.
    export : array_like or float, optional
        Export price [currency/kWh] instead of the tariff's; without either, export is not paid.

    Returns
    -------
    Tariff
        Hourly prices are held over shorter steps; a foreign year is mapped by weekday and season
        and named in `source`. Prices may be negative.

    Raises
    ------
    InputError
        If the source is unknown, wrong or too short, or looks like a price per MWh.
    """
    if isinstance(source, Tariff):
        tariff = source
    elif isinstance(source, str | Path):
        tariff = _named(str(source), timeline)
    elif isinstance(source, TariffPlan):
        tariff = _laid(source, timeline)
    elif isinstance(source, Mapping):
        tariff = _laid(parse_tariff(source), timeline)
    else:
        values, text = _price_array(source, timeline, "prices")
        tariff = _plain("user prices", values, text)
    return _checked(tariff, timeline, export)


def build_tariffs(
    prices: Any, site_id: Sequence[str], timeline: Timeline
) -> tuple[tuple[Tariff, ...], IntArray]:
    """Return the tariffs of a study and which one each site has.

    Parameters
    ----------
    prices : source of `load_tariff`, or mapping
        One tariff for all sites, or a mapping of site to source with ``"default"`` for the others.
    site_id : sequence of str
        Sites of the study.
    timeline : Timeline
        Steps of the study.

    Returns
    -------
    tuple of Tariff
        Each source once.
    numpy.ndarray
        (site,) position in the tuple.

    Raises
    ------
    InputError
        If a site is unknown, has no tariff, or a source is wrong.
    """
    by_site = isinstance(prices, Mapping) and (
        "default" in prices or any(key in site_id for key in prices)
    )
    if not by_site:
        return (load_tariff(prices, timeline),), np.zeros(len(site_id), dtype=np.int64)
    known = set(site_id)
    problems = [
        Problem(f"prices, {key}", "is not a site", "use site ids or 'default'")
        for key in prices
        if key != "default" and key not in known
    ]
    if "default" not in prices:
        problems += [
            Problem(f"prices, {site}", "has no tariff", "name it, or give 'default'")
            for site in site_id
            if site not in prices
        ]
    raise_problems(problems, "prices")
    tariffs: list[Tariff] = []
    place: dict[Any, int] = {}
    where = np.zeros(len(site_id), dtype=np.int64)
    for number, site in enumerate(site_id):
        source = prices.get(site, prices.get("default"))
        key = source if isinstance(source, str) else id(source)
        if key not in place:
            place[key] = len(tariffs)
            tariffs.append(load_tariff(source, timeline))
        where[number] = place[key]
    return tuple(tariffs), where


def _named(text: str, timeline: Timeline) -> Tariff:
    """Return the tariff of a packaged name, a tariff file or a price file."""
    suffix = Path(text).suffix.lower()
    if suffix == ".json":
        return _laid(read_tariff_file(Path(text)), timeline)
    if suffix == ".csv":
        series = _price_file(Path(text))
        values, note = _sampled(series, timeline)
        return _plain(Path(text).name, values, note)
    folder = data_folder("profiles") / "tariffs"
    names = sorted(file.stem for file in folder.glob("*.json"))
    if text not in names:
        message = f"no packaged tariff is named {text!r}; known: {', '.join(names)}, or give a file"
        raise InputError(message)
    return _laid(read_tariff_file(folder / f"{text}.json"), timeline)


def _price_file(path: Path) -> Series:
    """Return a CSV of prices in currency/kWh."""
    column, name = stamped_csv(path, _PER_KWH + _PER_MWH)
    series = regular_series(column, path.name)
    if name in _PER_MWH:
        return Series(series.start, series.step_s, series.values / 1000.0, series.name)
    return series


def _price_array(source: Any, timeline: Timeline, name: str) -> tuple[FloatArray, str]:
    """Return prices per step of an array, a number or a series with stamps."""
    if isinstance(source, int | float):
        return np.full(timeline.count, float(source)), "given by the user, constant"
    if isinstance(source, pd.Series) and isinstance(source.index, pd.DatetimeIndex):
        return _sampled(regular_series(source, name), timeline)
    values, hours = array_values(source, timeline, name)
    if hours is not None:
        return _sampled(hours, timeline)
    assert values is not None
    return values, "given by the user, one value per step"


def _sampled(series: Series, timeline: Timeline) -> tuple[FloatArray, str]:
    """Return prices held over the steps and where they come from."""
    values, foreign = held(series, timeline)
    text = series.years
    if foreign:
        text += "; " + mapping_text("prices", series.years, timeline.zone)
    return values, text


def _wholesale(plan: TariffPlan, timeline: Timeline) -> tuple[FloatArray, str]:
    """Return the wholesale part of a tariff [currency/kWh]."""
    if plan.wholesale is None:
        return np.zeros(timeline.count), ""
    if plan.wholesale in names_of("wholesale"):
        packaged = hourly(plan.wholesale, "wholesale")
        series = Series(
            packaged.start, packaged.step_s, packaged.values / 1000.0, f"day-ahead {packaged.name}"
        )
    elif plan.folder is not None and plan.wholesale.lower().endswith(".csv"):
        path = (plan.folder / plan.wholesale).resolve()
        if not path.is_relative_to(plan.folder.resolve()):
            message = f"wholesale file {plan.wholesale!r} lies outside the folder of the tariff"
            raise InputError(message)
        series = _price_file(path)
    else:
        known = ", ".join(names_of("wholesale"))
        message = f"wholesale {plan.wholesale!r} is neither packaged ({known}) nor a CSV file"
        raise InputError(message)
    return _sampled(series, timeline)


def _window_prices(plan: TariffPlan, timeline: Timeline) -> FloatArray:
    """Return the flat price with the windows over it; a step takes the price at its begin."""
    prices = np.full(timeline.count, plan.energy_per_kwh or 0.0)
    local = timeline.local
    minute = np.asarray(local.hour * 60 + local.minute, dtype=np.int64)
    month = np.asarray(local.month, dtype=np.int64)
    for window in plan.windows:
        held_at = np.isin(minute, np.array(window_minutes(window)))
        held_at &= np.isin(timeline.weekday, window.days) & np.isin(month, window.months)
        prices[held_at] = window.per_kwh
    return prices


def _laid(plan: TariffPlan, timeline: Timeline) -> Tariff:
    """Return a tariff plan on a timeline."""
    if plan.prices is not None:
        bought, sold, foreign = stored_prices(plan, timeline)
        note = mapping_text("prices", plan.name, timeline.zone) if foreign else ""
        return _of_plan(plan, bought, sold, note)
    wholesale, note = _wholesale(plan, timeline)
    energy = wholesale + _window_prices(plan, timeline) + sum(plan.adders_per_kwh.values())
    bought = energy * (1.0 + plan.vat)
    sold = {
        "wholesale": wholesale,
        "flat": np.full(timeline.count, plan.export_per_kwh),
        "import": bought,
        "none": np.zeros(timeline.count),
    }[plan.export_kind]
    if plan.export_kind != "none":
        sold = sold - plan.export_deduction_per_kwh
    return _of_plan(plan, bought, sold, note)


def _of_plan(plan: TariffPlan, bought: FloatArray, sold: FloatArray, note: str) -> Tariff:
    """Return the record of a plan with its prices per step."""
    return Tariff(
        name=plan.name,
        import_price=bought,
        export_price=sold,
        demand_charge_per_kw_month=plan.demand_charge_per_kw_month,
        subscribed_kw=plan.subscribed_kw,
        subscribed_per_kw_month=plan.subscribed_per_kw_month,
        excess_per_kw_month=plan.excess_per_kw_month,
        currency=plan.currency,
        source="; ".join(part for part in (plan.origin, note) if part),
    )


def _plain(name: str, values: FloatArray, text: str) -> Tariff:
    """Return a tariff that has import prices only."""
    note = f"{text}; no export price given, export is not paid"
    return Tariff(name, values, np.zeros(len(values)), source=note)


def _checked(tariff: Tariff, timeline: Timeline, export: Any) -> Tariff:
    """Return the tariff with the export price asked for, or refuse what cannot be a price per kWh."""
    sold, text = tariff.export_price, tariff.source
    if export is not None:
        sold, _ = _price_array(export, timeline, "export price")
        text = text.replace("; no export price given, export is not paid", "")
        text += "; export price given by the user"
    problems = []
    for what, values in (("import price", tariff.import_price), ("export price", sold)):
        if len(values) != timeline.count:
            problems.append(Problem(what, f"has {len(values)} steps, needs {timeline.count}"))
        elif float(np.median(np.abs(values))) > _HIGHEST_MEDIAN:
            problems.append(
                Problem(
                    what,
                    f"has a median of {np.median(values):.1f} {tariff.currency}/kWh",
                    "divide by 1000 if it is a price per MWh, by 100 if in cents",
                )
            )
    raise_problems(problems, f"tariff {tariff.name}")
    arrays = [np.array(values, dtype=np.float64) for values in (tariff.import_price, sold)]
    for values in arrays:
        values.flags.writeable = False
    return Tariff(
        tariff.name,
        arrays[0],
        arrays[1],
        tariff.demand_charge_per_kw_month,
        tariff.subscribed_kw,
        tariff.subscribed_per_kw_month,
        tariff.excess_per_kw_month,
        tariff.currency,
        text,
    )
