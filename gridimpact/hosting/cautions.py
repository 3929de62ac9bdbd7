"""What the reader of a scan must know beside its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.hosting.draw_capacity import (
    ALL,
    UNCONTROLLED,
    assessed_kinds,
    counted_kinds,
    draw_capacities,
    limit_mask,
    rows_under,
)
from gridimpact.hosting.intervals import quantile_ranks
from gridimpact.hosting.stopping import look_confidence, planned_looks, strategy_at_risk
from gridimpact.records import Note, ScanSettings

_SHOWN = 3


def scan_notes(
    rows: NDArray[Any],
    capacity: pd.DataFrame,
    settings: ScanSettings,
    errors: Mapping[int, str] | None = None,
    unjudged: Mapping[str, str] | None = None,
) -> tuple[Note, ...]:
    """Return the warnings of a scan.

    Parameters
    ----------
    rows : array of SCENARIO_DTYPE
        Scenarios of all draws solved.
    capacity : DataFrame
        Of the same rows, as `capacity_table` gives it.
    settings : ScanSettings
    errors : mapping of int to str, optional
        Why each draw that failed did.
    unjudged : mapping of str to str, optional
        Why kinds of limit cannot be passed, as `gridimpact.hosting.judge.Judge.not_assessed`.

    Returns
    -------
    tuple of Note
        Draws that failed, steps without a solution, limits not assessed, strategies that host fewer cars than
        uncontrolled charging, draws that pass again after they failed, intervals wider than asked, too few
        draws, levels too coarse; in this order.
    """
    notes = [
        *_failed(errors or {}),
        *_unsolved(rows),
        *_unassessed(rows, settings, unjudged or {}),
        *_dangerous(capacity, settings),
        *_reversals(rows, settings),
        *_precision(rows, settings),
        *_levels(settings),
    ]
    return tuple(notes)


def _warning(where: str, text: str) -> Note:
    return Note("warning", f"hosting, {where}", text)


def _failed(errors: Mapping[int, str]) -> Iterator[Note]:
    if errors:
        told = [f"draw {draw}: {errors[draw]}" for draw in sorted(errors)[:_SHOWN]]
        more = f" and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
        text = (
            f"{len(errors)} draw(s) could not be solved and are left out: {'; '.join(told)}{more}."
        )
        yield _warning("draws", text)


def _unsolved(rows: NDArray[Any]) -> Iterator[Note]:
    hit = int((rows["failed_lanes"] > 0).sum())
    if hit:
        text = f"{hit} of {len(rows)} scenarios have steps without a solution of the power flow; they count as violations."
        yield _warning("power flow", text)


def _unassessed(
    rows: NDArray[Any], settings: ScanSettings, reasons: Mapping[str, str]
) -> Iterator[Note]:
    unset = {"service": settings.unmet_percent is None, "export": settings.export_percent is None}
    what = {"service": "energy missing at departures", "export": "power fed upward"}
    for kind, without in unset.items():
        if without and kind in settings.limits:
            yield Note(
                "info", f"hosting, {kind}", f"Not judged: no limit on {what[kind]} was given."
            )
    known = assessed_kinds(rows, settings) if len(rows) else ()
    for kind in counted_kinds(settings):
        if kind in reasons:
            text = f"This limit counts but was not assessed in full: {reasons[kind]}; it may fail but never passes."
            yield _warning(kind, text)
        elif len(rows) and kind not in known:
            text = "This limit counts but was not assessed in any scenario: it neither passes nor fails."
            yield _warning(kind, text)


def _dangerous(capacity: pd.DataFrame, settings: ScanSettings) -> Iterator[Note]:
    every = capacity[capacity["limit"] == ALL]
    plain = every[(every["strategy"] == UNCONTROLLED) & (every["control"] == "managed")]
    if plain.empty:
        return
    base = float(plain["at_risk"].iloc[0])
    columns = (every[name] for name in ("strategy", "control", "at_risk", "binding"))
    for strategy, control, value, binding in zip(*columns, strict=True):
        if strategy != UNCONTROLLED and value < base:
            lost = " with its control lost" if control == "firm" else ""
            short = binding == "service"
            what = "Leaves drivers short" if short else "More dangerous than uncontrolled charging"
            text = (
                f"{what}: {strategy}{lost} hosts {value:.0f} cars at {100 * settings.risk:g} % risk against "
                f"{base:.0f}."
            )
            yield _warning(str(strategy), text)


def _reversals(rows: NDArray[Any], settings: ScanSettings) -> Iterator[Note]:
    mask = limit_mask(ALL, settings)
    for label in settings.labels:
        found = draw_capacities(rows_under(rows, settings, label), mask)
        if found.reversed.any():
            told, best = found.hosted.max(), found.highest_passing.max()
            beyond = (
                f" Some draw passes at {best:.0f}, none below its first failure over {told:.0f}."
            )
            text = (
                f"{found.reversed.sum()} of {len(found.draw)} draws pass with more cars after they fail with "
                f"fewer; capacity counts up to the first failure.{beyond if best > told else ''}"
            )
            yield _warning(label, text)


def _precision(rows: NDArray[Any], settings: ScanSettings) -> Iterator[Note]:
    if settings.draws == (1, 1) and settings.behaviour == "given":
        # One given course of events has no interval to be narrow or wide.
        return
    for strategy, label in settings.managed.items():
        risk = strategy_at_risk(rows, settings, label)
        if not risk.draws:
            yield _warning(strategy, "No draw was solved: the capacity is not known.")
        elif risk.width > settings.precision_cars:
            low, _ = quantile_ranks(risk.draws, settings.risk, look_confidence(settings))
            few = "" if low else "; so few draws say nothing of the low end"
            wide = (
                f"{risk.width:.0f} cars wide" if np.isfinite(risk.width) else "open at its high end"
            )
            most = planned_looks(settings.draws)[-1]
            text = (
                f"After {risk.draws} draws (most {most}) the interval is {wide}, "
                f"asked {settings.precision_cars:g}{few}."
            )
            yield _warning(strategy, text)


def _levels(settings: ScanSettings) -> Iterator[Note]:
    gap = int(np.diff([0, *settings.cars]).max(initial=0))
    if not settings.refine and gap > settings.precision_cars:
        text = (
            f"Numbers of cars lie up to {gap} apart and draws are not refined between them: no capacity is "
            f"known better than that."
        )
        yield _warning("cars", text)
