"""Signals: the synthetic one against the real record, droop, files, and what a late fleet makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridimpact.dispatch.services import Signal, droop_signal, read_signal, synthetic_regulation
from gridimpact.dispatch.services.signal_response import followed
from gridimpact.errors import InputError
from gridimpact.timeline import Timeline

START = np.datetime64("2016-04-12")
CAISO = {
    "rail": 0.55,
    "held": 0.81,
    "mileage_per_h": 26.4,
    "hourly_mean_std": 0.478,
    "after_60_s": 0.860,
    "after_300_s": 0.704,
    "after_900_s": 0.446,
    "after_3600_s": -0.055,
}
"""Of 24 evenings of 2016 (LBNL-ETA/SynAS, BSD-3-Clause-LBNL); at a rail counts the plateau at 0.6."""
BANDS = {
    "rail": 0.12,
    "held": 0.06,
    "mileage_per_h": 6.0,
    "hourly_mean_std": 0.10,
    "after_60_s": 0.08,
    "after_300_s": 0.12,
    "after_900_s": 0.15,
    "after_3600_s": 0.15,
}
"""How far the synthetic signal may be from the record."""


def statistics(days: np.ndarray, rails: tuple[float, ...] = (0.99,)) -> dict[str, float]:
    """Return the statistics of a signal of 4 s, (tick, day)."""
    change = np.abs(np.diff(days, axis=0))
    hours = change.size * 4.0 / 3600.0
    whole = days[: days.shape[0] // 900 * 900]
    at_rail = np.abs(days) >= rails[0]
    for level in rails[1:]:
        at_rail |= np.abs(days - level) < 1e-9
    found = {
        "rail": float(at_rail.mean()),
        "held": float((change == 0.0).mean()),
        "mileage_per_h": float(change.sum() / hours),
        "hourly_mean_std": float(whole.reshape(-1, 900, days.shape[1]).mean(axis=1).std()),
    }
    for lag in (15, 75, 225, 900):
        pair = np.corrcoef(days[:-lag].ravel(), days[lag:].ravel())
        found[f"after_{4 * lag}_s"] = float(pair[0, 1])
    return found


def test_the_synthetic_signal_has_the_statistics_of_the_record():
    signal = synthetic_regulation(Timeline(START, 900, 96 * 30), seed=7)
    found = statistics(signal.values.reshape(30, -1).T)
    for name, value in CAISO.items():
        assert found[name] == pytest.approx(value, abs=BANDS[name]), name
    # Not neutral over hours: its hourly mean is far from zero in a good part of them.
    hourly = signal.values.reshape(-1, 900).mean(axis=1)
    assert (np.abs(hourly) > 0.5).mean() > 0.2
    assert abs(signal.values.mean()) < 0.1


@pytest.mark.reference
def test_the_record_has_the_statistics_that_are_quoted(reference: Path):
    place = reference / "data/reference/regulation_caiso/regulation_mw_4s.csv.gz"
    table = np.genfromtxt(place, delimiter=",", skip_header=1)[:, 1:] / 100.0
    found = statistics(table, (0.99, 0.6))
    for name, value in CAISO.items():
        assert found[name] == pytest.approx(value, abs=0.02 * abs(value) + 0.006), name
    one = read_signal(place, column="2016-04-13", capacity=100.0, start="2016-04-14T01:00")
    np.testing.assert_allclose(one.values, table[:, 1])
    assert one.step_s == 4


@pytest.mark.reference
def test_droop_on_a_measured_day_stays_within_a_tenth_of_the_band(reference: Path):
    place = reference / "data/reference/frequency_24h_1s/frequency_voltage_pu.csv.gz"
    frequency = 60.0 * np.genfromtxt(place, delimiter=",", skip_header=1)[:, 1]
    signal = droop_signal(frequency, start=START, nominal_hz=60.0)
    asked = signal.values != 0.0
    np.testing.assert_array_equal(asked, np.abs(frequency - 60.0) > 0.036)
    assert np.abs(signal.values).max() < 0.1


def test_a_day_is_the_same_in_every_timeline_and_another_by_another_seed():
    week = synthetic_regulation(Timeline(START, 900, 96 * 7))
    day = synthetic_regulation(Timeline(START + np.timedelta64(3, "D"), 900, 96))
    part = week.values[3 * 21_600 : 4 * 21_600]
    np.testing.assert_allclose(day.values, part, atol=1e-9)
    assert synthetic_regulation(Timeline(START, 900, 96)).values.tobytes() == (
        synthetic_regulation(Timeline(START, 900, 96)).values.tobytes()
    )
    other = synthetic_regulation(Timeline(START, 900, 96), seed=1)
    assert np.corrcoef(other.values, week.values[:21_600])[0, 1] < 0.3


def test_droop_has_a_dead_band_and_saturates():
    found = droop_signal([50.0, 49.965, 48.714, 40.0 + 7.0, 51.286, 53.0], start=START)
    np.testing.assert_allclose(found.values, [0.0, 0.0, 0.5, 1.0, -0.5, -1.0], atol=1e-12)
    europe = droop_signal([49.8, 50.2, 49.991], start=START, dead_band_hz=0.01, droop=0.19 / 50)
    np.testing.assert_allclose(europe.values, [1.0, -1.0, 0.0], atol=1e-9)
    with pytest.raises(InputError, match="check its unit"):
        droop_signal([0.9997], start=START)


def test_ticks_fill_steps_and_a_short_record_begins_again():
    signal = Signal("ramp", START, 300, np.array([0.0, 0.25, 0.5, 0.75]))
    ticks = signal.ticks_of(Timeline(START, 900, 2))
    np.testing.assert_array_equal(ticks, [[0.0, 0.25, 0.5], [0.75, 0.0, 0.25]])
    later = signal.ticks_of(Timeline(START + np.timedelta64(600, "s"), 900, 1))
    np.testing.assert_array_equal(later, [[0.5, 0.75, 0.0]])
    with pytest.raises(InputError, match="use a step that divides"):
        signal.ticks_of(Timeline(START, 60, 2))


def test_equal_signals_are_one_setting():
    one, two = (Signal("s", START, 4, np.array([0.0, 1.0])) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != Signal("s", START, 4, np.array([0.0, 0.5]))
    with pytest.raises(ValueError, match="read-only"):
        one.values[0] = 1.0


@pytest.mark.parametrize(
    ("values", "words"),
    [([], "one value per tick"), ([0.0, 50.0], "divide by the capacity"), ([np.nan], "1 values")],
)
def test_signals_outside_the_band_are_refused(values: list[float], words: str):
    with pytest.raises(InputError, match=words):
        Signal("s", START, 4, np.array(values))


def test_files_are_read_with_sign_capacity_and_clock(tmp_path: Path):
    place = tmp_path / "agc.csv"
    place.write_text("time,mw,other\n2016-01-01T00:00:00,50,1\n2016-01-01T00:00:04,-100,1\n")
    found = read_signal(place, capacity=100.0)
    assert (found.step_s, found.start) == (4, np.datetime64("2016-01-01T00:00:00"))
    np.testing.assert_array_equal(found.values, [0.5, -1.0])
    turned = read_signal(place, column="mw", capacity=100.0, up="negative")
    np.testing.assert_array_equal(turned.values, [-0.5, 1.0])
    with pytest.raises(InputError, match="it has time, mw, other"):
        read_signal(place, column="mws")
    place.write_text("time,mw\n0,1\n4,1\n12,1\n")
    with pytest.raises(InputError, match="is not regular"):
        read_signal(place)
    with pytest.raises(InputError, match="cannot read the signal"):
        read_signal(tmp_path / "none.csv")


def test_a_response_is_late_and_no_faster_than_its_ramp():
    asked = np.array([0.0, 1.0, 1.0, 1.0, -1.0, -1.0])
    np.testing.assert_array_equal(followed(asked, 4), asked)
    np.testing.assert_array_equal(followed(asked, 4, latency_s=5.0), [0, 0, 0, 1, 1, 1])
    ramp: Any = followed(asked, 4, ramp_per_s=0.1)
    np.testing.assert_allclose(ramp, [0.0, 0.4, 0.8, 1.0, 0.6, 0.2])
    with pytest.raises(InputError, match="a ramp above 0"):
        followed(asked, 4, ramp_per_s=0.0)
