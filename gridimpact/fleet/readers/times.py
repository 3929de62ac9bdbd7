"""Times of a log: text in one of the usual forms to naive UTC, or the reason why not."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from gridimpact.errors import InputError

_OFFSET = re.compile(r"(?:Z|GMT|UTC|\d[+-]\d\d:?\d\d)$", re.IGNORECASE)
_YEAR_LAST = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:\D|$)"
_RFC = "%a, %d %b %Y %H:%M:%S %Z"


def day_first(texts: pd.Series[str], date_format: str | None) -> bool:
    """Return whether dates with the year last begin with the day, proven by the dates themselves.

    Parameters
    ----------
    texts : pandas.Series
        All times of the log.
    date_format : str or None
        The user's statement: ``"day_first"`` or ``"month_first"``.

    Raises
    ------
    InputError
        If dates like 03/04/2018 leave it open, or contradict one another, and nothing is stated.
    """
    if date_format in ("day_first", "month_first"):
        return date_format == "day_first"
    if date_format is not None:
        message = f"date_format {date_format!r} is unknown; write 'day_first' or 'month_first'"
        raise InputError(message)
    parts = texts.str.extract(_YEAR_LAST).dropna()
    if parts.empty:
        return False
    first, second = parts[0].astype(int), parts[1].astype(int)
    if texts.str.match(r"^\d{1,2}\.\d{1,2}\.\d{4}").any():
        return True
    day, month = bool((first > 12).any()), bool((second > 12).any())
    if day == month:
        why = "both orders occur" if day else "no day is above 12"
        message = (
            f"times, {texts[parts.index[0]]!r}: day or month first is open ({why}); "
            f"give date_format='day_first' or 'month_first'"
        )
        raise InputError(message)
    return day


def to_utc(
    texts: pd.Series[str], zone: str | None, first_is_day: bool
) -> tuple[pd.Series[pd.Timestamp], pd.Series[str]]:
    """Return naive UTC times and, for each text that gives none, the reason.

    Parameters
    ----------
    texts : pandas.Series
        ISO, year-last or RFC 1123 times, with or without an offset.
    zone : str or None
        IANA zone of times without offset; None where all have one.
    first_is_day : bool
        Order of year-last dates.

    Returns
    -------
    times : pandas.Series
        datetime64, NaT where unread.
    reasons : pandas.Series
        Text, empty where read.

    Raises
    ------
    InputError
        If a time has no offset and no zone is given, or the zone is unknown.
    """
    bare = texts.str.strip()
    offset = bare.str.contains(_OFFSET)
    times = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns]")
    reasons = pd.Series("", index=texts.index, dtype=object)
    if offset.any():
        times[offset] = _aware(bare[offset])
    naive = ~offset & (bare != "")
    if naive.any():
        local = _naive(bare[naive], first_is_day)
        found, reasons[naive] = _from_zone(local, zone)
        times[naive] = found
    reasons[(reasons == "") & times.isna()] = "cannot be read as a time"
    reasons[bare == ""] = "is missing"
    return times, reasons


def _aware(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    found = pd.to_datetime(texts.str.replace("/", "-"), utc=True, errors="coerce", format="ISO8601")
    rest = found.isna()
    if rest.any():
        found[rest] = pd.to_datetime(texts[rest], utc=True, errors="coerce", format=_RFC)
    return found.dt.tz_localize(None)


def _naive(texts: pd.Series[str], first_is_day: bool) -> pd.Series[pd.Timestamp]:
    order = r"\3-\2-\1" if first_is_day else r"\3-\1-\2"
    iso = texts.str.replace(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", order, regex=True)
    iso = iso.str.replace(
        r"^(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})",
        lambda m: f"{m[1]}-{int(m[2]):02d}-{int(m[3]):02d}",
        regex=True,
    )
    iso = iso.str.replace(r"^(\S+)[ T](\d):", r"\1 0\2:", regex=True)
    return pd.to_datetime(iso, errors="coerce", format="ISO8601")


def _from_zone(
    local: pd.Series[pd.Timestamp], zone: str | None
) -> tuple[pd.Series[pd.Timestamp], pd.Series[str]]:
    if zone is None:
        message = "log: times have no offset; give zone, e.g. zone='Europe/Berlin'"
        raise InputError(message)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"zone {zone!r} is unknown; use an IANA name such as 'Europe/Berlin'"
        raise InputError(message) from error
    certain = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    guess = np.ones(len(local), dtype=bool)
    exists = local.dt.tz_localize(zone, ambiguous=guess, nonexistent="NaT")
    reasons = pd.Series("", index=local.index, dtype=object)
    reasons[local.notna() & exists.notna() & certain.isna()] = (
        "occurs twice when summer time ends; give it with an offset"
    )
    reasons[local.notna() & exists.isna()] = "does not exist, summer time begins"
    return certain.dt.tz_convert("UTC").dt.tz_localize(None), reasons
