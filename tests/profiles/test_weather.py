from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridimpact.errors import InputError
from gridimpact.profiles.weather import load_ambient, read_epw
from gridimpact.timeline import Timeline

YEAR = Timeline.year(2016, step="60min", zone="Europe/Berlin")


def test_germany_2016_is_cold_in_january_and_hot_in_august() -> None:
    # The READMEs: -9 to 31 degC; Tucson to 42, Fairbanks to -38.3 degC.
    found = load_ambient("germany_2016", YEAR)
    assert found.temp_air_c.min() == pytest.approx(-9.0, abs=0.1)
    assert found.temp_air_c.max() == pytest.approx(31.0, abs=0.3)
    assert "mapped" not in found.source
    assert not found.temp_air_c.flags.writeable


@pytest.mark.parametrize(
    ("name", "zone", "lowest", "highest"),
    [("tucson", "America/Phoenix", -1.3, 42.0), ("fairbanks", "America/Anchorage", -38.3, 31.0)],
)
def test_typical_years_keep_their_extremes(
    name: str, zone: str, lowest: float, highest: float
) -> None:
    found = load_ambient(name, Timeline.year(2023, step="60min", zone=zone))
    assert found.temp_air_c.min() == pytest.approx(lowest, abs=1.5)
    assert found.temp_air_c.max() == pytest.approx(highest, abs=1.5)
    assert "typical year mapped by date" in found.source


def test_a_typical_year_is_on_standard_time_all_year() -> None:
    # Chicago, 1 July: the stamp of hour 1 is 01:00 standard, 02:00 daylight time.
    quarter = Timeline.days("2023-07-01", 1, zone="America/Chicago")
    table = pd.read_csv(
        Path(__file__).parents[2] / "profiles/temperature_tmy3_us/temperature_tmy3.csv"
    )
    row = table[(table.month == 7) & (table.day == 1)]["chicago_il"].to_numpy()
    found = load_ambient("chicago", quarter).temp_air_c
    # 02:00 to 02:15 daylight time is an eighth of the way from the first value to the second.
    assert found[8] == pytest.approx(row[0] + (row[1] - row[0]) / 8.0)


def test_a_foreign_year_is_named() -> None:
    found = load_ambient("germany_2016", Timeline.year(2019, step="60min", zone="Europe/Berlin"))
    assert "mapped to the study by weekday and season" in found.source
    assert found.temp_air_c.min() == pytest.approx(-9.0, abs=0.5)


def test_moments_are_joined_and_means_are_held(tmp_path: Path) -> None:
    stamps = pd.date_range("2016-01-01", periods=25, freq="1h")
    day = Timeline.days("2016-01-01", 1)
    for heading, first in (("air_temp_c", 0.125), ("temp_air_c", 0.0)):
        path = tmp_path / f"{heading}.csv"
        pd.DataFrame({"time": stamps, heading: np.arange(25.0)}).to_csv(path, index=False)
        assert load_ambient(path, day).temp_air_c[0] == first
    path.write_text("time,kelvin\n2016-01-01T00:00,273\n2016-01-01T01:00,273\n")
    with pytest.raises(InputError, match="exactly one of"):
        load_ambient(path, day)


def epw(path: Path, hours: int = 8760, missing: int = -1) -> Path:
    lines = ["LOCATION,Somewhere,XX,YY,TMY3,1,10,50,1,100"] + ["X"] * 7
    stamps = pd.date_range("2005-01-01", periods=hours, freq="1h")
    for number, moment in enumerate(stamps):
        dry = 99.9 if number == missing else round(10.0 * np.sin(number / 24.0), 1)
        lines.append(f"2005,{moment.month},{moment.day},{moment.hour + 1},0,flags,{dry},5,50")
    path.write_text("\n".join(lines))
    return path


def test_an_epw_file_gives_its_dry_bulb_at_the_end_of_the_hour(tmp_path: Path) -> None:
    found = load_ambient(epw(tmp_path / "a.epw"), YEAR)
    series = read_epw(tmp_path / "a.epw")
    assert series.values[1] == 0.0
    assert series.values[2] == pytest.approx(0.4)
    assert found.name == "a.epw"
    assert np.abs(found.temp_air_c).max() <= 10.0


def test_epw_files_with_gaps_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 14: dry-bulb temperature missing"):
        read_epw(epw(tmp_path / "a.epw", missing=5))
    with pytest.raises(InputError, match="has 100 hours"):
        read_epw(epw(tmp_path / "b.epw", hours=100))
    (tmp_path / "c.epw").write_text("hello")
    with pytest.raises(InputError, match="is no EPW file"):
        read_epw(tmp_path / "c.epw")
    with pytest.raises(InputError, match="cannot read"):
        read_epw(tmp_path / "none.epw")


def test_arrays_are_per_step_or_hours_of_the_year() -> None:
    quarter = Timeline.days("2016-03-01", 2, zone="Europe/Berlin")
    steps = load_ambient(np.arange(192.0) / 10.0, quarter)
    assert steps.temp_air_c[5] == 0.5
    hours = load_ambient(np.arange(8784.0) / 1000.0, quarter)
    # 29 February 23:00 UTC is hour 1439 of the leap year.
    assert hours.temp_air_c[0] == pytest.approx((1439 + 0.125) / 1000.0)
    again = load_ambient(steps, quarter)
    np.testing.assert_array_equal(again.temp_air_c, steps.temp_air_c)
    with pytest.raises(InputError, match="does not have"):
        load_ambient(load_ambient("tampa", YEAR), Timeline.year(2016, zone="Europe/Berlin"))


def test_missing_and_impossible_temperatures() -> None:
    quarter = Timeline.days("2016-03-01", 1)
    values = np.full(96, 10.0)
    values[3] = np.nan
    with pytest.raises(InputError, match="ambient step 3: is missing"):
        load_ambient(values, quarter)
    with pytest.raises(InputError, match="needs 96 steps or 8784 hours"):
        load_ambient(values[:50], quarter)
    with pytest.warns(UserWarning, match="degrees Celsius"):
        found = load_ambient(np.full(96, 62.0), quarter)
    assert "outside -50 to 60" in found.source
    with pytest.raises(InputError, match=r"subtract 273\.15"):
        load_ambient(np.full(96, 283.0), quarter)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_ambient(np.full(96, 45.0), quarter)


def test_a_series_with_faults_lists_them() -> None:
    quarter = Timeline.days("2016-01-01", 1)
    index = pd.to_datetime(
        ["2016-01-01 00:00", "2016-01-01 01:00", "2016-01-01 03:00", "2016-01-01 04:00"]
    )
    gap = pd.Series([1.0, np.nan, 3.0, 3.0], index=index)
    with pytest.raises(InputError) as caught:
        load_ambient(gap, quarter)
    assert "1 values are missing" in str(caught.value)
    assert "step before 2016-01-01 03:00:00 is 7200 s" in str(caught.value)
    with pytest.raises(InputError, match="is repeated"):
        load_ambient(pd.Series([1.0, 2.0, 2.0], index=index[[0, 0, 1]]), quarter)
    with pytest.raises(InputError, match="is not in order"):
        load_ambient(pd.Series([1.0, 2.0, 2.0], index=index[[1, 0, 2]]), quarter)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'germany_2016'"):
        load_ambient("germany2016", YEAR)
