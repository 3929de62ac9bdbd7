"""Life of the transformers as the page tells it: model, years, money, and the batteries beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.records import StudyResult
from gridimpact.report import view
from gridimpact.report.style import NO_EV, UNCONTROLLED, display_name, is_number, number
from gridimpact.study.thermal_life import ledgers, transformer_life
from gridimpact.study.thermal_stored import ageing_sensitivity_of

_HEADS = {
    "model": "Model",
    "data": "Rated data",
    "insulation": "Insulation",
    "enclosure_rise_k": "Air around the tank over outdoor air, K",
    "loss_ratio": "Load loss over no-load loss",
    "life_h": "Normal life, h",
    "start": "Start of each period",
    "tap": "Loss ratio at tap",
}


@dataclass(frozen=True, slots=True)
class LifeSection:
    """What the page shows of transformers' lives; texts only."""

    settings: list[tuple[str, str]]
    rows: list[list[str]]
    """By strategy: transformer, ageing, life used, years left, end, price of the life used, of it caused
    per car, replaced later, worth of that."""
    sensitivity: str
    ledgers: list[list[str]]
    """By strategy: energy, transformer life, battery, and all of it over uncontrolled charging."""
    priced: bool
    period: str
    used_percent: str


def life_section(result: StudyResult) -> LifeSection | None:
    """Return what the page shows of transformers' lives, None where temperature was not studied."""
    described = result.manifest.get("transformer")
    if not isinstance(described, Mapping):
        return None
    life = transformer_life(result)
    if life["ageing_equivalent"].isna().all():
        return None
    return LifeSection(
        settings=thermal_settings(described),
        rows=[_life_row(row) for row in _fastest(result, life)],
        sensitivity=sensitivity_words(result, life),
        ledgers=[_ledger_row(str(label), row) for label, row in ledgers(result).iterrows()],
        priced=bool(life["life_cost_eur"].notna().any()),
        period=view.within(result),
        used_percent=", ".join(f"{used:g}" for used in sorted(life["used_percent"].unique())),
    )


def thermal_settings(described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return model, data and life definition as heads and texts."""
    rows = [(head, _text(described[key])) for key, head in _HEADS.items() if key in described]
    harmonics = described.get("harmonics", {})
    pure = harmonics.get("loss_factor", 1.0) == 1.0 and harmonics.get("stray_factor", 1.0) == 1.0
    words = "none, a pure sine" if pure else _text(harmonics)
    return [*rows, ("Harmonics", words)]


def sensitivity_words(result: StudyResult, life: pd.DataFrame) -> str:
    """Return the ageing under uncontrolled charging and how far it hangs on what was assumed.

    One sentence about the transformer that ages fastest, "" where there is none.
    """
    known = life[life["strategy"] == UNCONTROLLED].dropna(subset=["ageing_equivalent"])
    if not len(known):
        return ""
    worst = known.iloc[int(known["ageing_equivalent"].to_numpy().argmax())]
    table = ageing_sensitivity_of(result, UNCONTROLLED)
    table = table[table["transformer"] == worst["transformer"]]
    ends = np.sort(table[["lower", "higher"]].to_numpy(dtype=np.float64), axis=1)
    given = number(table["as_given"].iloc[0], "ageing")
    low, high = (number(value, "ageing") for value in (ends.min(), ends.max()))
    each = "; ".join(
        f"{name}: {number(pair[0], 'ageing')} to {number(pair[1], 'ageing')}"
        for name, pair in zip(table["assumption"], ends, strict=True)
    )
    return (
        f"{display_name(UNCONTROLLED)}, {worst['name']}: ageing {given}; {low} to {high} over what was "
        f"assumed, each alone ({each})."
    )


def life_frames(result: StudyResult) -> Iterable[tuple[str, pd.DataFrame]]:
    """Give name and table of what exports hold of lives and ledgers."""
    if isinstance(result.manifest.get("transformer"), Mapping):
        yield "transformer_life", transformer_life(result)
        yield "ledgers", ledgers(result).reset_index()


def _fastest(result: StudyResult, life: pd.DataFrame) -> list[pd.Series]:
    """Return the row of each strategy's fastest ageing transformer."""
    found = []
    for label in view.strategies(result):
        own = life[life["strategy"] == label].dropna(subset=["ageing_equivalent"])
        if len(own):
            found.append(own.iloc[int(own["ageing_equivalent"].to_numpy().argmax())])
    return found


def _life_row(row: pd.Series) -> list[str]:
    left = row["remaining_years"]
    ends = row["end_of_life_year"]
    return [
        display_name(str(row["strategy"])),
        str(row["name"]),
        number(row["ageing_equivalent"], "ageing"),
        f"{row['loss_of_life_percent']:.3g}",
        _years(left),
        f"{ends:.0f}" if is_number(ends) else "-",
        number(row["life_cost_eur"], "EUR"),
        "-" if row["strategy"] == NO_EV else number(row["caused_cost_per_car_eur"], "EUR"),
        _years(row["deferral_years"]),
        number(row["deferral_eur"], "EUR"),
    ]


def _years(value: Any) -> str:
    """Return years as text; beyond a century something else ends a transformer first."""
    if value is None or np.isnan(value):
        return "-"
    return "over 100" if value > 100.0 else f"{value:.1f}"


def _ledger_row(label: str, row: pd.Series) -> list[str]:
    return [
        display_name(label),
        number(row["energy_eur"], "EUR"),
        number(row["transformer_eur"], "EUR"),
        _range(row["battery_low_eur"], row["battery_high_eur"]),
        number(row["extra_energy_eur"], "EUR"),
        number(row["extra_transformer_eur"], "EUR"),
        _range(*sorted((row["extra_battery_low_eur"], row["extra_battery_high_eur"]))),
        _range(row["extra_total_low_eur"], row["extra_total_high_eur"]),
    ]


def _range(low: float, high: float) -> str:
    """Return two ends as text, one number where they are the same."""
    ends = [number(value, "EUR") for value in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{str(k).replace('_', ' ')} {_text(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value).replace("in_use", "in use")
