"""Marginal CO2 rate on the timeline of a study."""

from __future__ import annotations

from gridimpact.profiles.calendar import mapping_text
from gridimpact.profiles.catalogue import hourly
from gridimpact.profiles.sampling import held
from gridimpact.records import FloatArray
from gridimpact.timeline import Timeline


def load_marginal_co2(name: str, timeline: Timeline) -> tuple[FloatArray, str]:
    """Return what one more kWh drawn emits.

    Parameters
    ----------
    name : str
        A packaged series: ``caiso_sce_2020``.
    timeline : Timeline
        Steps of the study.

    Returns
    -------
    numpy.ndarray
        (time,) [kg CO2/kWh], held over the hour; a foreign year is mapped by weekday and season.
    str
        Where it comes from, for the report.

    Raises
    ------
    InputError
        If there is no series of that name.
    """
    series = hourly(name, "co2")
    values, foreign = held(series, timeline)
    text = series.years
    if foreign:
        text += "; " + mapping_text("rates", series.years, timeline.zone)
    return values, text
