from __future__ import annotations

import numpy as np
import pytest

from gridimpact.errors import InputError
from gridimpact.profiles.pv import Plant, Sky, cloudiness, irradiance, plant_of, plant_power
from gridimpact.profiles.weather import load_ambient
from gridimpact.timeline import Timeline

YEAR = Timeline.year(2016, zone="Europe/Berlin")
SKY = Sky(latitude=48.5, longitude=7.9)


@pytest.fixture(scope="module")
def light():
    return irradiance(YEAR, SKY, 1)


@pytest.fixture(scope="module")
def air() -> np.ndarray:
    return load_ambient("germany_2016", YEAR).temp_air_c


def test_a_year_of_sun_in_middle_europe(light) -> None:
    # German weather service: 950 to 1,250 kWh/m2 a year on the flat.
    assert 950.0 < light.ghi.sum() / 4000.0 < 1250.0
    month = YEAR.local.month.to_numpy()
    by_month = np.bincount(month, light.ghi)[1:]
    assert by_month[5:7].min() > 6.0 * by_month[[0, 11]].max()


def test_a_plant_never_draws_and_rests_at_night(light, air) -> None:
    power = plant_power(Plant(8.0, 30.0, 180.0), light, air, SKY)
    assert power.max() <= 0.0
    assert (power[light.zenith > 93.0] == 0.0).all()
    assert power.min() >= -8.0


def test_yield_by_direction(light, air) -> None:
    def year(tilt: float, azimuth: float) -> float:
        return float(-plant_power(Plant(1.0, tilt, azimuth), light, air, SKY).sum() / 4.0)

    south, east, west, north = (year(35.0, turn) for turn in (180.0, 90.0, 270.0, 0.0))
    assert 850.0 < south < 1150.0
    assert max(east, west) < 0.92 * south
    assert north < 0.75 * south


def test_east_roofs_peak_before_west_roofs(light, air) -> None:
    hour = YEAR.local_hour
    east, west = (plant_power(Plant(1.0, 40.0, turn), light, air, SKY) for turn in (90.0, 270.0))
    assert np.average(hour, weights=-east) + 1.2 < np.average(hour, weights=-west)


def test_the_sky_of_a_week_is_the_same_within_its_year() -> None:
    week = Timeline.days("2016-06-06", 7, zone="Europe/Berlin")
    first = int((week.start - YEAR.start) / np.timedelta64(900, "s"))
    np.testing.assert_allclose(
        cloudiness(week, SKY, 1), cloudiness(YEAR, SKY, 1)[first : first + week.count], atol=1e-9
    )
    fine = Timeline.days("2016-06-06", 7, step="1min", zone="Europe/Berlin")
    np.testing.assert_allclose(
        cloudiness(fine, SKY, 1).reshape(-1, 15).mean(axis=1), cloudiness(week, SKY, 1), atol=1e-9
    )
    assert not np.allclose(cloudiness(week, SKY, 1), cloudiness(week, SKY, 2))


def test_own_irradiance_replaces_the_sky() -> None:
    day = Timeline.days("2016-06-06", 1)
    dark = Sky(ghi_w_m2=np.zeros(96))
    assert (
        plant_power(Plant(5.0, 30.0, 180.0), irradiance(day, dark, 1), np.zeros(96), dark).min()
        == 0
    )
    with pytest.raises(InputError, match="ghi_w_m2 needs 96 values"):
        irradiance(day, Sky(ghi_w_m2=np.full(95, 1.0)), 1)


def test_plants_differ_and_look_to_the_sun_on_either_hemisphere() -> None:
    north = [plant_of(f"h{i}", 1) for i in range(200)]
    south = [plant_of(f"h{i}", 1, latitude=-35.0) for i in range(200)]
    assert len(set(north)) > 80
    assert np.mean([np.cos(np.deg2rad(plant.azimuth)) for plant in north]) < -0.5
    assert np.mean([np.cos(np.deg2rad(plant.azimuth)) for plant in south]) > 0.5
    assert all(4.0 <= plant.kwp <= 12.0 and 20.0 <= plant.tilt <= 50.0 for plant in north)


@pytest.mark.reference
def test_full_load_hours_and_ramp_of_the_output_against_simbench(reference, light, air) -> None:
    import pandas as pd

    file = reference / "data/reference/profiles_simbench_subset/simbench_pv_2016_15min.csv.gz"
    theirs = pd.read_csv(file)[["PV1", "PV3", "PV5"]].to_numpy().T
    power = -plant_power(Plant(1.0, 30.0, 180.0), light, air, SKY)

    def concentration(series: np.ndarray) -> float:
        ranked = np.sort(series)[::-1]
        return float(ranked[: len(ranked) // 10].sum() / ranked.sum())

    # The tenth of steps with most sun holds half of the energy, here as there.
    found = [concentration(series) for series in theirs]
    assert concentration(power) == pytest.approx(np.mean(found), abs=0.1)
