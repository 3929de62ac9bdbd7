"""`gridimpact hosting`: the study file's section, options that win over it, what it writes and its exit codes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import gridimpact as gi
from gridimpact import cli, cli_hosting
from gridimpact.errors import InputError
from gridimpact.study.config import parse_config

SMALL = """
name: Small
network: {source: kerber_rural}
timeline: {first: 2016-04-15, last: 2016-04-17, step: 1h, zone: Europe/Berlin}
households: {annual_kwh: 3500}
fleet: [{count: 3}]
limits: {base: eu_lv_planning, name: tight, transformer_loading_percent: 25}
strategies: [uncontrolled, g2v.valley_filling]
days: all
hosting:
  cars_per_home: [0.5, 1]
  strategies: [g2v.average_rate]
  draws: 3
  days: ["2016-04-16"]
  refine: false
  workers: 0
"""


def call(*words):
    return CliRunner().invoke(cli.app, ["hosting", *[str(w) for w in words]])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.yaml").write_text(SMALL)
    return tmp_path


def test_the_section_is_scanned_and_options_win(folder):
    told = call(
        folder, "--quiet", "--cars", "4,13", "--draws", 2, "--limits", "transformer_loading"
    )
    assert told.exit_code == 0, told.output
    assert "cars uncontrolled" in told.output
    assert f"Report: {(folder / 'hosting' / 'hosting.html').resolve()}" in told.output
    manifest = json.loads((folder / "hosting" / "manifest.json").read_text())
    assert manifest["settings"]["cars"] == [4, 13]
    assert manifest["settings"]["labels"] == ["uncontrolled", "g2v_average_rate"]
    assert manifest["settings"]["limits"] == ["transformer_loading"]
    assert (manifest["draws"], manifest["draws_failed"]) == (2, 0)
    assert set(manifest["files"]) <= {f.name for f in (folder / "hosting").iterdir()}
    again = call(folder, "--quiet")
    assert again.exit_code == cli.WRONG_INPUT
    assert "holds a scan of other inputs or options" in again.output


def test_wrong_options_come_at_once_and_end_with_two(folder):
    told = call(folder, "--risk", 5, "--workers", -1, "--method", "nodall", "--seed", -1)
    assert told.exit_code == cli.WRONG_INPUT
    assert "4 problems" in told.output
    assert "did you mean 'nodal'?" in told.output
    assert "Traceback" not in told.output
    assert not (folder / "hosting").exists()
    odd = call(
        folder, "--draws", "many", "--cars-per-home", "1,x", "--risk", 5, "--method", "stochstic"
    )
    assert odd.exit_code == cli.WRONG_INPUT
    assert "4 problems" in odd.output
    assert "holds 'x'" in odd.output


def test_measures_against_what_binds_are_scanned_and_stored(folder):
    told = call(folder, "--quiet", "--cars", "4,13", "--draws", 2, "--mitigation")
    assert told.exit_code == 0, told.output
    assert "as it is" in told.output
    lines = (folder / "hosting" / "mitigation.csv").read_text().splitlines()
    assert lines[0].startswith("step,measure,detail,cost_eur")
    assert any("managed" in line for line in lines[1:])


def test_a_folder_of_something_else_is_refused_before_the_study_is_read(folder):
    (folder / "study.yaml").write_text("not: looked at")
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("precious")
    told = call(folder, "--out", folder / "mine")
    assert told.exit_code == cli.WRONG_INPUT
    assert "no scan" in told.output


def test_failed_draws_end_with_three(folder, monkeypatch):
    monkeypatch.setattr(cli_hosting, "_scan", lambda *_, **__: 2)
    assert call(folder).exit_code == cli.FAILED_LANES


def test_ctrl_c_says_how_to_go_on(folder, monkeypatch):
    def stopped(*_, **__):
        message = "stopped; 7 draws are safe in folder 'hosting', resume=True (--resume) goes on from there"
        raise KeyboardInterrupt(message)

    monkeypatch.setattr(cli_hosting, "_scan", stopped)
    told = call(folder)
    assert told.exit_code == 130
    assert "7 draws are safe" in told.output


def test_unknown_keys_of_the_section_name_the_nearest():
    with pytest.raises(InputError, match="did you mean 'cars_per_home'") as caught:
        parse_config(
            SMALL.replace("cars_per_home:", "cars_per_hme:").replace("draws: 3", "draws: x")
        )
    assert "hosting.draws" in str(caught.value)


def test_a_saved_study_keeps_its_section(folder):
    study = gi.Study.from_file(folder)
    assert set(study.hosting) == {
        "cars_per_home",
        "strategies",
        "draws",
        "days",
        "refine",
        "workers",
    }
    study.save(folder / "copy")
    copy = gi.Study.from_file(folder / "copy")
    assert copy.hosting == study.hosting
