"""Bad time series and the refusal or stated assumption each gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.errors import InputError
from gridimpact.profiles import read_profiles
from gridimpact.timeline import Timeline

DECLARED: dict[str, Any] = {"quantity": "p_kw", "stamp": "start", "zone": "UTC"}


def frame(first: str = "2016-01-04", steps: int = 96, step: str = "15min") -> pd.DataFrame:
    index = pd.date_range(first, periods=steps, freq=step)
    return pd.DataFrame({"0017": 0.5, "42": np.linspace(0.1, 2.0, steps)}, index=index)


def refusal(source: Any, **wishes: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_profiles(source, **(DECLARED | wishes))
    return str(caught.value)


def csv(folder: Path, text: str | bytes, name: str = "ami.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_nothing_is_guessed_that_changes_the_answer() -> None:
    with pytest.raises(InputError) as caught:
        read_profiles(frame())
    text = str(caught.value)
    assert "3 problems" in text
    for part in ("quantity: is not declared", "stamp: is not declared", "zone: is not declared"):
        assert part in text


def test_energy_per_interval_and_power_differ_by_the_step() -> None:
    power = read_profiles(frame(), **DECLARED)
    energy = read_profiles(frame(), **(DECLARED | {"quantity": "energy_kwh"}))
    np.testing.assert_allclose(energy.load_p_kw, 4.0 * power.load_p_kw)
    mega = read_profiles(frame() / 1000.0, **(DECLARED | {"quantity": "p_mw"}))
    np.testing.assert_allclose(mega.load_p_kw, power.load_p_kw)
    assert power.timeline == Timeline(np.datetime64("2016-01-04"), 900, 96, "UTC")
    assert power.calibrated == "measured"


def test_end_stamps_lie_one_step_later_than_start_stamps() -> None:
    ends = frame()
    ends.index += pd.Timedelta("15min")
    late = read_profiles(ends, **(DECLARED | {"stamp": "end"}))
    assert late.timeline == read_profiles(frame(), **DECLARED).timeline


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16", b"")]
)
def test_text_is_read_by_its_mark_and_ids_keep_their_zeros(
    tmp_path: Path, encoding: str, mark: bytes
) -> None:
    text = "time,0017,NA,Häusle\r\n2016-01-01T00:00,1,2,3\r\n2016-01-01T00:15,1.5,2,3\r\n"
    found = read_profiles(csv(tmp_path, mark + text.encode(encoding)), **DECLARED)
    assert found.site_id == ("0017", "NA", "Häusle")
    assert found.load_p_kw[:, 0].tolist() == [1.0, 1.5]


def test_wide_files_with_unmarked_zero_bytes_or_foreign_letters_are_refused(tmp_path: Path) -> None:
    text = "time,a\n2016-01-01T00:00,1\n2016-01-01T00:15,1\n"
    assert "utf-16-le" in refusal(csv(tmp_path, text.encode("utf-16-le")))
    path = csv(tmp_path, text.replace(",a", ",Häusle").encode("cp1252"))
    assert "give encoding" in refusal(path)
    assert read_profiles(path, encoding="cp1252", **DECLARED).site_id == ("Häusle",)
    assert "cannot be read" in refusal(tmp_path / "absent.csv")


def test_decimal_comma_and_semicolon_are_refused_with_a_hint_and_read_when_declared(
    tmp_path: Path,
) -> None:
    path = csv(tmp_path, "zeit;a\n01.02.2016 00:00;1,5\n01.02.2016 00:15;0,5\n")
    text = refusal(path)
    assert "reads as one column" in text
    assert "separator=';'" in text
    assert "decimal=','" in text
    assert "not ISO" in refusal(path, separator=";", decimal=",")
    found = read_profiles(
        path, separator=";", decimal=",", date_format="%d.%m.%Y %H:%M", **DECLARED
    )
    assert found.load_p_kw.ravel().tolist() == [1.5, 0.5]
    assert str(found.timeline.start) == "2016-02-01T00:00:00"
    quoted = csv(tmp_path, 'time,a\n2016-01-01T00:00,"1,5"\n2016-01-01T00:15,"1 234"\n', "q.csv")
    assert "give decimal=','" in refusal(quoted)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("time,a,a\n2016-01-01T00:00,1,1\n2016-01-01T00:15,1,1\n", "given more than once"),
        ("time,a\n2016-01-01T00:00,1\n2016-01-01T00:15,1,7,8\n", "rows do not fit the heading"),
        ("time,a\n2016-01-01T00:00,x\n2016-01-01T00:15,1\n", "are no numbers"),
        ("time,a\n1451606400,1\n1451607300,1\n", "is not ISO"),
        ("time,a\n2016-01-01T23:45,1\n2016-01-01T24:00,1\n", "00:00 of the next day"),
        ("time,a\n01/02/2016 00:00,1\n01/02/2016 00:15,1\n", "day and month could be mistaken"),
        ("time,a\n2016-01-01T00:00,1\n", "needs at least 2"),
    ],
)
def test_files_that_cannot_be_understood_are_refused(tmp_path: Path, text: str, part: str) -> None:
    assert part in refusal(csv(tmp_path, text))


def test_numeric_time_axes_are_refused() -> None:
    table = frame().reset_index(drop=True)
    table.insert(0, "time", np.arange(96, dtype=np.float32))
    assert "holds numbers, not stamps" in refusal(table)


def test_missing_values_are_listed_and_filled_only_when_asked() -> None:
    table = frame(steps=14 * 96)
    table.iloc[700:704, 0] = np.nan
    table.iloc[900, 1] = np.nan
    text = refusal(table)
    assert "0017: values are missing: 2016-01-11T07:00:00 to 2016-01-11T08:00:00 UTC" in text
    assert "42: values are missing" in text
    for fill in ("interpolate", "previous_week"):
        found = read_profiles(table, fill=fill, **DECLARED)
        assert np.isfinite(found.load_p_kw).all()
        assert any(
            f"4 missing values (0.30 %) filled by {fill}" in note.text for note in found.notes
        )
    week = read_profiles(table, fill="previous_week", **DECLARED)
    assert week.load_p_kw[900, 1] == pytest.approx(table.iloc[900 - 672, 1])


def test_missing_rows_are_listed_and_filled_only_when_asked() -> None:
    table = frame().drop(frame().index[40:44])
    text = refusal(table)
    assert "4 rows are missing: 2016-01-04T09:45:00 to 2016-01-04T11:00:00 UTC" in text
    found = read_profiles(table, fill="interpolate", **DECLARED)
    np.testing.assert_allclose(found.load_p_kw[:, 1], np.linspace(0.1, 2.0, 96))
    assert "cannot be filled" in refusal(table, fill="previous_week")


def test_repeated_unsorted_and_mixed_stamps_are_refused() -> None:
    table = frame()
    assert "repeats the row before" in refusal(pd.concat([table[:10], table[9:]]))
    assert "earlier than the row before" in refusal(pd.concat([table[10:20], table[:10]]))
    mixed = pd.concat([frame(steps=8), frame("2016-01-04T02:00", 8, "60min")])
    assert "steps are mixed: 15, 60 min" in refusal(mixed)
    shifted = table.copy()
    shifted.index = table.index[:50].append(table.index[50:] + pd.Timedelta("7min"))
    assert "steps are mixed" in refusal(shifted)
    assert "does not divide a day" in refusal(frame(step="11min"))


def test_local_hours_that_do_not_exist_or_exist_twice_are_refused() -> None:
    spring = frame("2026-03-29", 96)
    text = refusal(spring, zone="Europe/Berlin")
    assert "2026-03-29 02:00:00 does not exist in Europe/Berlin" in text
    autumn = frame("2026-10-25", 96)
    text = refusal(autumn, zone="Europe/Berlin")
    assert "exists twice" in text
    assert "fold='infer'" in text
    # A meter that keeps winter time, or UTC, is right as it stands.
    assert read_profiles(autumn, **DECLARED).timeline.count == 96
    fixed = read_profiles(autumn, quantity="p_kw", stamp="start", zone="Etc/GMT-1")
    assert str(fixed.timeline.start) == "2026-10-24T23:00:00"


def test_both_hours_of_autumn_are_told_apart_when_they_are_there() -> None:
    wall = Timeline.days("2026-10-25", 1, zone="Europe/Berlin").local.tz_localize(None)
    table = pd.DataFrame({"a": 1.0}, index=wall)
    found = read_profiles(table, fold="infer", **(DECLARED | {"zone": "Europe/Berlin"}))
    assert found.timeline.count == 100
    text = refusal(frame("2026-10-25"), fold="infer", zone="Europe/Berlin")
    assert "finds the repeated hour of 2026-10-25 only once" in text
    first, second = (
        read_profiles(
            frame("2026-10-25T02:00", 4), fold=fold, **(DECLARED | {"zone": "Europe/Berlin"})
        )
        for fold in ("first", "second")
    )
    assert second.timeline.start - first.timeline.start == np.timedelta64(3600, "s")


def test_stamps_with_an_offset_need_no_zone(tmp_path: Path) -> None:
    path = csv(tmp_path, "time,a\n2016-01-01T00:00+01:00,1\n2016-01-01T00:15+01:00,1\n")
    found = read_profiles(path, quantity="p_kw", stamp="start")
    assert str(found.timeline.start) == "2015-12-31T23:00:00"
    assert "is unknown" in refusal(frame(), zone="Europe/Atlantis")


def test_loads_below_zero_are_refused_unless_they_are_said_to_be_pv() -> None:
    table = frame()
    table.iloc[48, 0] = -3.0
    text = refusal(table)
    assert "0017: 1 values lie below zero, lowest -3 kW" in text
    found = read_profiles(table, negative="pv", **DECLARED)
    assert found.pv_p_kw[48, 0] == -3.0
    assert found.load_p_kw.min() >= 0.0
    assert any("taken as PV" in note.text for note in found.notes)


def test_wrong_units_dead_meters_and_spikes_are_told() -> None:
    text = refusal(frame() * 1000.0)
    assert "the median site draws" in text
    assert read_profiles(frame() * 1000.0, largest_kw=1e4, **DECLARED).load_p_kw.max() == 2000.0
    small = read_profiles(frame() / 1e4, **DECLARED)
    assert any("MW were meant?" in note.text for note in small.notes)
    table = frame(steps=2000)
    table["dead"] = 0.0
    table.iloc[1000, 0] = 90.0
    notes = read_profiles(table, **DECLARED).notes
    assert any(note.where == "dead" and "zero throughout" in note.text for note in notes)
    assert any(note.where == "0017" and "over 10 times" in note.text for note in notes)
    table.iloc[5, 1] = np.inf
    assert "42 step 6: is infinite" in refusal(table)


def test_everything_wrong_is_told_at_once() -> None:
    table = frame()
    table.iloc[3, 0] = np.nan
    table.iloc[4, 1] = -1.0
    table = pd.concat([table[:10], table[9:]])
    text = refusal(table, quantity="kwh", stamp="middle", fill="guess", decimals=",", fold="often")
    for part in ("quantity: is 'kwh'", "stamp: is 'middle'", "fill: is 'guess'", "did you mean 'decimal'",
                 "fold: is 'often'", "repeats the row before", "lie below zero"):  # fmt: skip
        assert part in text, part


def test_columns_pick_and_rename(tmp_path: Path) -> None:
    path = csv(tmp_path, "x,when,A,B\n9,2016-01-01T00:00,1,2\n9,2016-01-01T00:15,1,2\n")
    found = read_profiles(path, columns={"time": "when", "home_1": "B"}, **DECLARED)
    assert found.site_id == ("home_1",)
    assert found.load_p_kw.ravel().tolist() == [2.0, 2.0]
    text = refusal(path, columns={"time": "When", "home_1": "C"})
    assert "'When': is no heading" in text


def test_pv_and_reactive_columns_stand_beside_their_site() -> None:
    table = frame().rename(columns={"42": "0017.pv"})
    table["0017.q_kvar"] = 0.1
    found = read_profiles(table, **DECLARED)
    assert found.site_id == ("0017",)
    np.testing.assert_allclose(found.pv_p_kw[:, 0], -np.linspace(0.1, 2.0, 96))
    np.testing.assert_allclose(found.load_q_kvar, 0.1)
    assert "has no load column 'ghost'" in refusal(frame().rename(columns={"42": "ghost.pv"}))
    assert "no column of a site" in refusal(frame()[[]])


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["5min", "15min", "30min", "60min"]),
    st.sampled_from(["1min", "15min", "60min", "120min"]),
)
def test_energy_survives_the_step_of_the_study(data: str, study: str) -> None:
    table = frame(step=data, steps=int(pd.Timedelta("1d") / pd.Timedelta(data)))
    time = Timeline.days("2016-01-04", 1, step=study)
    found = read_profiles(table, timeline=time, **DECLARED)
    hours = pd.Timedelta(data) / pd.Timedelta("1h")
    np.testing.assert_allclose(found.load_p_kw.sum(0) * time.dt_h, table.sum().to_numpy() * hours)


def test_a_foreign_year_is_mapped_by_weekday_and_named() -> None:
    table = frame("2019-01-01", 35_040)
    index = table.index
    table["0017"] = np.where(index.dayofweek >= 5, 2.0, 1.0)
    table["42"] = index.month.to_numpy(dtype=float)
    time = Timeline.year(2016)
    found = read_profiles(table, timeline=time, **DECLARED)
    assert found.load_p_kw.shape == (35_136, 2)
    weekend = time.weekday >= 5
    assert set(found.load_p_kw[weekend, 0]) == {2.0}
    assert set(found.load_p_kw[~weekend, 0]) == {1.0}
    away = np.abs(found.load_p_kw[:, 1] - time.local.month.to_numpy())
    assert (np.minimum(away, 12 - away) <= 1).all()
    text = " ".join(note.text for note in found.notes)
    assert "(2019) are mapped to the study by weekday and season" in text


def test_a_profile_shorter_than_the_study_is_refused() -> None:
    text = refusal(frame(), timeline=Timeline.days("2016-01-04", 2))
    assert "the study needs" in text
    text = refusal(frame(), timeline=Timeline.days("2017-01-04", 1))
    assert "a whole year" in text
