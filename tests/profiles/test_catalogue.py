from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridimpact.errors import InputError
from gridimpact.profiles import list_profiles, load_marginal_co2
from gridimpact.profiles.catalogue import hourly
from gridimpact.timeline import Timeline


def test_everything_listed_is_there() -> None:
    table = list_profiles()
    assert all(path.is_file() for path in table["path"])
    assert {
        "temperature",
        "wholesale",
        "co2",
        "shape",
        "sessions",
        "travel",
        "vehicles",
        "tariff",
    } == set(table["kind"])
    assert table.index.is_unique


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in list_profiles()["path"]}), ids=lambda p: p.name
)
def test_every_data_folder_states_origin_zone_step_unit_and_licence(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    for word in ("| origin |", "| zone |", "| step |", "| unit |", "| licence |"):
        assert word in text, word


def test_a_missing_hour_takes_the_price_before_it() -> None:
    series = hourly("nl_2023", "wholesale")
    place = int((np.datetime64("2023-12-30T23:00:00") - series.start) / np.timedelta64(1, "h"))
    assert len(series.values) == 8760
    assert series.values[place] == series.values[place - 1]


def test_marginal_co2_of_2020_and_of_another_year() -> None:
    own, text = load_marginal_co2("caiso_sce_2020", Timeline.year(2020, step="60min"))
    assert own.mean() == pytest.approx(0.235, abs=0.001)
    assert own.max() == pytest.approx(0.664, abs=0.001)
    assert "mapped" not in text
    _, text = load_marginal_co2("caiso_sce_2020", Timeline.year(2016, zone="America/Los_Angeles"))
    assert "mapped to the study by weekday and season" in text
    with pytest.raises(InputError, match="did you mean 'caiso_sce_2020'"):
        load_marginal_co2("caiso_sce_2021", Timeline.year(2016))
