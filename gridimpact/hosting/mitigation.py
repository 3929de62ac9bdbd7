"""What raises a network's capacity for cars, and at what price: every measure is scanned anew.

All scans see the same draws, so a difference between two rows is the measure's doing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError
from gridimpact.hosting.measures import Costs, Measure, measures_for
from gridimpact.hosting.options import RunOptions
from gridimpact.hosting.scan import run_scan
from gridimpact.records import MITIGATION_COLUMNS, ScanResult, ScanSettings
from gridimpact.study.spec import StudySpec

AS_IT_IS = "as it is"


def mitigate(
    spec: StudySpec,
    settings: ScanSettings,
    strategies: Mapping[str, Strategy],
    *,
    strategy: str = "uncontrolled",
    costs: Costs | None = None,
    draws: int = 200,
    steps: int = 1,
    run: RunOptions | None = None,
) -> pd.DataFrame:
    """Return measures against what binds, ranked by what one more car costs.

    Parameters
    ----------
    spec : StudySpec
        The study as it is.
    settings : ScanSettings
        Of the scan that found the capacity.
    strategies : mapping of str to Strategy
        Its rows by label.
    strategy : str
        The row whose capacity is to rise. Every other managed row is shown beside it as a measure itself:
        that control instead of copper.
    costs : Costs, optional
        Prices; own round numbers unless given.
    draws : int
        Draws of each scan, the first ones of the scan.
    steps : int
        After the first, the measure with the cheapest gain is taken and what then binds is looked at again.
    run : RunOptions, optional
        Workers and progress; nothing is written.

    Returns
    -------
    DataFrame
        `MITIGATION_COLUMNS`. ``gained`` counts cars over the network as it is; ``eur_per_car`` is NaN where
        nothing is gained. Costs of all measures taken before are in ``cost_eur``.

    Raises
    ------
    InputError
        If the strategy is not a row of the scan, or a number is below 1.
    """
    if strategy not in settings.managed:
        message = f"mitigation: no strategy {strategy!r} in the scan; there are {', '.join(settings.managed)}"
        raise InputError(message)
    if draws < 1 or steps < 1:
        message = f"mitigation: draws is {draws} and steps {steps}, give 1 or more of each"
        raise InputError(message)
    prices = costs or Costs()
    how = dataclasses.replace(run or RunOptions(), out=None, resume=False)
    fewer = dataclasses.replace(settings, draws=(draws, draws))
    label = settings.managed[strategy]
    own = _of_one(fewer, label)
    start = run_scan(spec, fewer, strategies, how)
    base = _row(start, strategy)
    rows = [_entry(0, AS_IT_IS, "", 0.0, base, base)]
    managed = [
        _entry(
            1,
            "managed",
            other,
            prices.managed_eur_per_car * _number(_row(start, other)),
            _row(start, other),
            base,
        )
        for other in settings.managed
        if other != strategy
    ]
    alone = {label: strategies[label]}
    study, spent, seen = spec, 0.0, start.binding[start.binding["strategy"] == label]
    for step in range(1, steps + 1):
        tried = [
            _tried(study, own, alone, measure, how) for measure in measures_for(study, seen, prices)
        ]
        entries = [
            _entry(
                step,
                m.name,
                m.detail,
                spent + _price(m, _row(found, label)),
                _row(found, label),
                base,
            )
            for m, found, *_ in tried
        ]
        rows += _ranked([*managed, *entries] if step == 1 else entries)
        best = _best(entries)
        if best is None:
            break
        _, found, study, own = tried[best]
        spent = entries[best]["cost_eur"]
        seen = found.binding
    return pd.DataFrame(rows, columns=list(MITIGATION_COLUMNS))


def _of_one(settings: ScanSettings, label: str) -> ScanSettings:
    """Return settings that solve one row."""
    return dataclasses.replace(settings, labels=(label,), managed={label: label}, firm={})


def _tried(
    study: StudySpec,
    settings: ScanSettings,
    strategies: Mapping[str, Strategy],
    measure: Measure,
    run: RunOptions,
) -> tuple[Measure, ScanResult, StudySpec, ScanSettings]:
    changed, own = measure.change(study), measure.settings(settings)
    return measure, run_scan(changed, own, strategies, run), changed, own


def _row(found: ScanResult, strategy: str) -> Any:
    """Return the capacity of a strategy under all limits, control working."""
    table = found.capacity
    own = (
        (table["strategy"] == strategy)
        & (table["control"] == "managed")
        & (table["limit"] == "all")
    )
    return table[own].iloc[0]


def _number(row: Any) -> float:
    return float(np.nan_to_num(row["at_risk"]))


def _price(measure: Measure, row: Any) -> float:
    return measure.fixed_eur + measure.eur_per_car * _number(row)


def _entry(step: int, name: str, detail: str, cost: float, row: Any, base: Any) -> dict[str, Any]:
    gained = _number(row) - _number(base)
    kept = ("at_risk", "low", "high", "reached", "binding", "binding_element", "draws")
    return {
        "step": step,
        "measure": name,
        "detail": detail,
        "cost_eur": cost,
        "gained": gained,
        "eur_per_car": cost / gained if gained > 0 else np.nan,
        **{key: row[key] for key in kept},
    }


def _ranked(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return entries by price of a gained car; those that gain nothing last, the best of them first."""
    return sorted(entries, key=_rank)


def _rank(entry: dict[str, Any]) -> tuple[bool, float, float]:
    without = bool(np.isnan(entry["eur_per_car"]))
    return without, 0.0 if without else entry["eur_per_car"], -entry["gained"]


def _best(entries: list[dict[str, Any]]) -> int | None:
    """Return which entry gains at the least price, None where none gains."""
    order = sorted(range(len(entries)), key=lambda k: _rank(entries[k]))
    return order[0] if order and entries[order[0]]["gained"] > 0 else None
