"""Files of meters and transformers give the ranking that the arrays in them give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import gridimpact as gi
from gridimpact.cli import app
from gridimpact.errors import InputError
from gridimpact.study.thermal_meters import age_from_files

HOURS = pd.date_range("2016-07-01", periods=72, freq="1h")
KW = np.random.default_rng(3).gamma(2.0, 2.0, (72, 4)).round(3)
METERS = ["0017", "0018", "0019", "0020"]
READ = {"ambient": "germany_2016", "quantity": "energy_kwh", "stamp": "start", "zone": "UTC"}


@pytest.fixture
def files(tmp_path):
    frame = pd.DataFrame(KW, columns=METERS)
    frame.insert(0, "time", HOURS.strftime("%Y-%m-%d %H:%M"))
    frame.to_csv(tmp_path / "load.csv", index=False)
    (tmp_path / "meters.csv").write_text(
        "meter_id,transformer_id,leg\n0017,01,1\n0018,01,\n0019,02,\n0020,02,2\n"
    )
    (tmp_path / "units.csv").write_text("transformer_id,rated_kva,loss_ratio\n01,5,4\n02,15,\n")
    return [tmp_path / name for name in ("load.csv", "meters.csv", "units.csv")]


def ranked(load, meters, units):
    """Return the table and notes of three files."""
    measured = gi.read_profiles(load, **{k: READ[k] for k in ("quantity", "stamp", "zone")})
    return age_from_files(measured, meters, units, ambient="germany_2016")


def test_files_give_what_their_arrays_give(files):
    table, notes = ranked(*files)
    places = pd.DataFrame(
        {"transformer_id": ["01", "01", "02", "02"], "leg": ["1", "", "", "2"]}, index=METERS
    )
    units = pd.DataFrame(
        {"rated_kva": [5.0, 15.0], "loss_ratio": [4.0, np.nan]}, index=["01", "02"]
    )
    day = gi.Timeline.days("2016-07-01", 3, step="1h", zone="UTC")
    air = gi.load_ambient("germany_2016", day).temp_air_c
    own, _ = gi.age_service_transformers(
        KW, places, units, air, 1.0, meter_id=METERS, plate="ieee_65c_pole"
    )
    pd.testing.assert_frame_equal(table, own, check_names=False)
    assert table.index.tolist() == ["01", "02"]
    assert any("power factor" in note.text for note in notes)


def test_the_command_ranks_and_writes(files, tmp_path):
    load, meters, units = map(str, files)
    options = [f"--{key}={value}" for key, value in READ.items()]
    call = ["age", load, "--meters", meters, "--transformers", units, *options]
    shown = CliRunner().invoke(app, call)
    assert shown.exit_code == 0
    assert "equivalent_ageing" in shown.output
    out = tmp_path / "ranked.csv"
    assert CliRunner().invoke(app, [*call, "--out", str(out)]).exit_code == 0
    assert pd.read_csv(out, dtype=str)["transformer_id"].tolist() == ["01", "02"]


def test_what_is_wrong_with_a_table_is_told_with_its_place(files):
    load, meters, units = files
    units.write_text("transformer_id,rated_kva\n01,5\n02,large\n")
    with pytest.raises(InputError, match=r"units\.csv row 3, rated_kva: 'large' is no number"):
        ranked(load, meters, units)
    units.write_text("transformer,rated_kva\n01,5\n")
    with pytest.raises(InputError, match="has no column 'transformer_id'"):
        ranked(load, meters, units)
    with pytest.raises(InputError, match="no such file"):
        ranked(load, meters, units.with_name("other.csv"))
