"""What a coarse step costs: loss of life at 1 to 60 minutes against steps of six seconds.

Run as ``python tests/benchmarks/step_size.py``; it writes ``docs/step_size.md``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gridimpact.ageing import IecPlate, Nameplate, iec_series, thermal_series

MINUTES = (1, 5, 15, 30, 60)
AIR_C = 30.0
OUT = Path(__file__).parents[2] / "docs" / "step_size.md"
MINUTE = np.arange(1440)
HOUR = MINUTE / 60.0


def evening(height: float) -> np.ndarray:
    """Return a smooth day with a morning hump and an evening one [pu]."""
    morning = 0.10 * np.exp(-(((HOUR - 8.0) / 1.5) ** 2))
    return 0.45 + height * np.exp(-(((HOUR - 19.0) / 2.2) ** 2)) + morning


def within(first: float, last: float) -> np.ndarray:
    """Return 1 between two hours."""
    return ((first <= HOUR) & (last > HOUR)).astype(float)


LOADS = {
    "smooth evening, 1.05 pu at its peak": evening(0.6),
    "evening with a block of cars, 0.4 pu for three hours": evening(0.3) + 0.4 * within(18.0, 21.0),
    "few homes, two cars of 0.95 pu for 40 minutes": 0.55
    + 0.95 * (within(17.75, 17.75 + 2 / 3) + within(19 + 1 / 6, 19 + 5 / 6)),
}


def rate(load: np.ndarray, minutes: float, model: str) -> float:
    """Return the equivalent ageing of a repeated day."""
    air = np.full(load.size, AIR_C)
    if model == "IEC 60076-7":
        plate = IecPlate.preset(insulation="upgraded")
        found = iec_series(load[None, :, None], air, plate, minutes / 60.0, start="periodic")
        return float(found.ageing_rate.mean())
    unit = Nameplate.preset("ieee_65c")
    series = thermal_series(load[None, :, None], air, unit, minutes / 60.0, start="periodic")
    return float(series.ageing_rate.mean())


def main() -> None:
    """Measure and write the page."""
    lines = [
        "# Step size and loss of life",
        "",
        "Error of the equivalent ageing of a repeated day at 30 degC, against steps of six seconds with the",
        "load of each minute. The load of a step is its mean; the ageing rate is that at the end of the step.",
        "",
        "| load | model | " + " | ".join(f"{m} min" for m in MINUTES) + " |",
        "|---|---|" + "---|" * len(MINUTES),
    ]
    for name, load in LOADS.items():
        for model in ("IEEE Clause 7", "IEC 60076-7"):
            exact = rate(np.repeat(load, 10), 0.1, model)
            errors = [
                100.0 * (rate(load.reshape(-1, m).mean(axis=1), m, model) / exact - 1.0)
                for m in MINUTES
            ]
            cells = " | ".join(f"{error:+.1f} %" for error in errors)
            lines.append(f"| {name} | {model} | {cells} |")
    lines += [
        "",
        "Two effects work against each other. A mean over the step cuts peaks shorter than it, which lowers",
        "ageing; the hot spot at the end of a step is that step's hottest while load rises, which raises it.",
        "At 15 minutes the sum stays within a few percent behind a station with many homes and is of the order",
        "of 10 % behind a pole with few. A result warns where loading moves by more than 0.6 pu between steps",
        "of 15 minutes, or by more than 0.3 pu between steps of half an hour or longer.",
        "",
    ]
    OUT.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
