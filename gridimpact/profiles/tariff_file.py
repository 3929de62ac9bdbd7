"""The tariff file: a strict JSON form, checked whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gridimpact.errors import InputError, Problem, raise_problems

_EXPORT_KINDS = ("wholesale", "flat", "import", "none")
_DAYS = {"all": tuple(range(7)), "workday": tuple(range(5)), "weekend": (5, 6)}
_KEYS = [
    *("name", "origin", "currency", "wholesale", "prices", "energy_per_kwh", "windows"),
    *("adders_per_kwh", "vat", "export", "demand_charge_per_kw_month"),
    *("subscribed_kw", "subscribed_per_kw_month", "excess_per_kw_month"),
]
_WINDOW_KEYS = ["per_kwh", "from", "to", "days", "months"]
_EXPORT_KEYS = ["kind", "per_kwh", "deduction_per_kwh"]
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Window:
    """A price between two local clock times on some days of some months."""

    per_kwh: float
    from_minute: int
    to_minute: int
    days: tuple[int, ...]
    months: tuple[int, ...]


@dataclass(frozen=True)
class TariffPlan:
    """What a tariff file says, before it is laid over a timeline.

    Import price = (wholesale + window or flat price + adders) x (1 + vat).
    """

    name: str
    origin: str
    currency: str = "EUR"
    wholesale: str | None = None
    prices: str | None = None
    energy_per_kwh: float | None = None
    windows: tuple[Window, ...] = ()
    adders_per_kwh: Mapping[str, float] = field(default_factory=dict)
    vat: float = 0.0
    export_kind: str = "none"
    export_per_kwh: float = 0.0
    export_deduction_per_kwh: float = 0.0
    demand_charge_per_kw_month: float = 0.0
    subscribed_kw: float | None = None
    subscribed_per_kw_month: float = 0.0
    excess_per_kw_month: float = 0.0
    folder: Path | None = None


class _Checker:
    """Collects what is wrong with a tariff."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.problems: list[Problem] = []

    def add(self, where: str, what: str, remedy: str = "") -> None:
        """Note one problem."""
        self.problems.append(Problem(f"{self.title}, {where}", what, remedy))

    def keys(self, data: Mapping[str, Any], known: list[str], where: str) -> None:
        """Note unknown keys with the nearest known one."""
        for key in data:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                remedy = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                self.add(f"{where}{key}", "is not a key of a tariff", remedy)

    def number(
        self,
        data: Mapping[str, Any],
        key: str,
        where: str = "",
        default: float | None = 0.0,
        lowest: float = float("-inf"),
        highest: float = float("inf"),
    ) -> float | None:
        """Return a finite number within its range, or the default where it is left out."""
        value = data.get(key, default)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            self.add(f"{where}{key}", f"is {value!r}, must be a number")
            return default
        if not lowest <= value <= highest:
            self.add(f"{where}{key}", f"is {value}, must lie within {lowest:g} to {highest:g}")
        return float(value)


def read_tariff_file(path: Path) -> TariffPlan:
    """Return the tariff of a JSON file.

    Raises
    ------
    InputError
        If the file is unreadable, or listing everything wrong in it.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_no_duplicates)
    except (OSError, ValueError) as error:
        message = f"cannot read the tariff {path}: {error}"
        raise InputError(message) from error
    return parse_tariff(data, title=path.name, folder=path.parent)


def parse_tariff(data: Any, *, title: str = "tariff", folder: Path | None = None) -> TariffPlan:
    """Return a tariff given as a mapping with the keys of a tariff file.

    Parameters
    ----------
    data : mapping
        See the README of the packaged tariffs.
    title : str
        Name in messages.
    folder : pathlib.Path, optional
        Where a wholesale CSV file is looked for.

    Raises
    ------
    InputError
        Lists every problem.
    """
    if not isinstance(data, Mapping):
        message = f"{title}: a tariff is a JSON object, got {type(data).__name__}"
        raise InputError(message)
    check = _Checker(title)
    check.keys(data, _KEYS, "")
    export = _section(check, data, "export")
    check.keys(export, _EXPORT_KEYS, "export.")
    adders = _section(check, data, "adders_per_kwh")
    kind = export.get("kind", "none")
    if kind not in _EXPORT_KINDS:
        check.add("export.kind", f"is {kind!r}", f"choose of {', '.join(_EXPORT_KINDS)}")
    wholesale = data.get("wholesale")
    if wholesale is not None and not isinstance(wholesale, str):
        check.add("wholesale", f"is {wholesale!r}, must be a name or a file")
    prices = data.get("prices")
    if prices is not None and (not isinstance(prices, str) or folder is None):
        check.add("prices", f"is {prices!r}, must be a CSV file beside the tariff's file")
    for key in ("wholesale", "energy_per_kwh", "windows", "adders_per_kwh", "vat", "export"):
        if prices is not None and key in data:
            check.add(key, "is given beside 'prices', which are final", "keep one of the two")
    if kind == "wholesale" and wholesale is None:
        check.add("export.kind", "is 'wholesale' but the tariff has no wholesale price")
    flat = check.number(data, "energy_per_kwh", default=None)
    windows = _windows(check, data.get("windows", []))
    if prices is None and wholesale is None and flat is None and not _whole_week(windows):
        check.add(
            "energy_per_kwh", "is missing where no window holds", "give a price for the other hours"
        )
    plan = TariffPlan(
        name=str(data.get("name", title)),
        origin=str(data.get("origin", "")),
        currency=str(data.get("currency", "EUR")),
        wholesale=wholesale,
        prices=prices,
        energy_per_kwh=flat,
        windows=windows,
        adders_per_kwh={
            str(key): check.number(adders, key, "adders_per_kwh.") or 0.0 for key in adders
        },
        vat=check.number(data, "vat", lowest=0.0, highest=1.0) or 0.0,
        export_kind=str(kind),
        export_per_kwh=check.number(export, "per_kwh", "export.") or 0.0,
        export_deduction_per_kwh=check.number(export, "deduction_per_kwh", "export.") or 0.0,
        demand_charge_per_kw_month=check.number(data, "demand_charge_per_kw_month", lowest=0.0)
        or 0.0,
        subscribed_kw=check.number(data, "subscribed_kw", default=None, lowest=0.0),
        subscribed_per_kw_month=check.number(data, "subscribed_per_kw_month", lowest=0.0) or 0.0,
        excess_per_kw_month=check.number(data, "excess_per_kw_month", lowest=0.0) or 0.0,
        folder=folder,
    )
    raise_problems(check.problems, title)
    return plan


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a JSON object that names a key twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        message = f"keys are given twice: {', '.join(twice)}"
        raise ValueError(message)
    return found


def _section(check: _Checker, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a part of the tariff that must be an object."""
    value = data.get(key, {})
    if isinstance(value, Mapping):
        return value
    check.add(key, f"is {value!r}, must be an object")
    return {}


def _whole_week(windows: tuple[Window, ...]) -> bool:
    """Return whether the windows leave no minute of any day and month without a price."""
    for month in range(1, 13):
        for day in range(7):
            held = [False] * _DAY_MINUTES
            for window in windows:
                if day in window.days and month in window.months:
                    for minute in window_minutes(window):
                        held[minute] = True
            if not all(held):
                return False
    return True


def window_minutes(window: Window) -> range | tuple[int, ...]:
    """Return the minutes of the day a window holds; equal times are the whole day."""
    if window.from_minute < window.to_minute:
        return range(window.from_minute, window.to_minute)
    return (*range(window.from_minute, _DAY_MINUTES), *range(window.to_minute))


def _windows(check: _Checker, data: Any) -> tuple[Window, ...]:
    """Return the windows of a tariff."""
    if not isinstance(data, list):
        check.add("windows", f"is {data!r}, must be a list")
        return ()
    found = []
    for number, entry in enumerate(data, start=1):
        where = f"windows[{number}]."
        if not isinstance(entry, Mapping):
            check.add(where, f"is {entry!r}, must be an object")
            continue
        check.keys(entry, _WINDOW_KEYS, where)
        price = check.number(entry, "per_kwh", where, default=None)
        if price is None:
            check.add(f"{where}per_kwh", "is missing")
        begin = _minute(check, entry.get("from", "00:00"), f"{where}from")
        end = _minute(check, entry.get("to", "24:00"), f"{where}to")
        days = _members(check, entry.get("days", "all"), f"{where}days", 0, 6)
        months = _members(check, entry.get("months", "all"), f"{where}months", 1, 12)
        found.append(Window(price or 0.0, begin, end % _DAY_MINUTES, days, months))
    return tuple(found)


def _minute(check: _Checker, value: Any, where: str) -> int:
    """Return the minute of the day of a clock time."""
    parts = str(value).split(":")
    if isinstance(value, str) and len(parts) == 2 and all(part.isdigit() for part in parts):
        hour, minute = int(parts[0]), int(parts[1])
        if hour * 60 + minute <= _DAY_MINUTES and minute < 60:
            return hour * 60 + minute
    check.add(where, f"is {value!r}, must be a clock time such as '17:30' in quotes")
    return 0


def _members(check: _Checker, value: Any, where: str, low: int, high: int) -> tuple[int, ...]:
    """Return days of the week or months."""
    if isinstance(value, str):
        if value == "all":
            return tuple(range(low, high + 1))
        if value in _DAYS and high == 6:
            return _DAYS[value]
    elif isinstance(value, list) and value and all(_within(entry, low, high) for entry in value):
        return tuple(value)
    named = "'all', 'workday', 'weekend' or " if high == 6 else "'all' or "
    check.add(where, f"is {value!r}", f"give {named}a list of numbers {low} to {high}")
    return tuple(range(low, high + 1))


def _within(entry: Any, low: int, high: int) -> bool:
    """Return whether an entry is a whole number of a range."""
    return isinstance(entry, int) and not isinstance(entry, bool) and low <= entry <= high
