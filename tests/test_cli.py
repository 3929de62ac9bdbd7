"""The command line: what each command writes and says, and the codes scripts rely on."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gridimpact import cli
from gridimpact.errors import MissingExtra

SMALL = """
name: Small
network: {source: kerber_rural}
timeline: {first: 2016-04-15, last: 2016-04-16, step: 30min, zone: Europe/Berlin}
households: {annual_kwh: 3500}
fleet: [{count: 3}]
strategies: [uncontrolled, g2v.valley_filling]
days: all
"""


def call(*words):
    return CliRunner().invoke(cli.app, [str(w) for w in words])


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """Return a small study that was run, and what was said."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "study.yaml").write_text(SMALL)
    told = call("run", folder, "--quiet", "--verify", 3)
    assert told.exit_code == 0, told.output
    return folder, told


def test_without_a_command_the_help_names_them_all():
    told = call("--help")
    assert told.exit_code == 0
    for name in ("demo", "new", "check", "run", "report", "networks"):
        assert name in told.output


def test_networks_lists_names_that_can_be_opened():
    told = call("networks")
    assert told.exit_code == 0
    for name in ("kerber_village", "cigre_mv", "ieee_european_lv", "lv_schutterwald"):
        assert name in told.output


def test_new_writes_a_study_file_once(tmp_path):
    told = call("new", tmp_path / "mine", "--template", "own-data")
    assert told.exit_code == 0
    assert "gridimpact check" in told.output
    text = (tmp_path / "mine" / "study.yaml").read_text()
    again = call("new", tmp_path / "mine")
    assert again.exit_code == cli.WRONG_INPUT
    assert "exists" in again.output
    assert (tmp_path / "mine" / "study.yaml").read_text() == text
    odd = call("new", tmp_path / "other", "--template", "dmeo")
    assert odd.exit_code == cli.WRONG_INPUT
    assert "demo, own-data" in odd.output
    assert not (tmp_path / "other").exists()


def test_the_own_data_template_says_which_file_is_missing(tmp_path):
    call("new", tmp_path, "--template", "own-data")
    told = call("check", tmp_path)
    assert told.exit_code == cli.WRONG_INPUT
    assert "feeder.json" in told.output


def test_demo_never_overwrites_a_study_of_the_user_s_own(tmp_path):
    (tmp_path / "study.yaml").write_text(SMALL)
    told = call("demo", "--out", tmp_path, "--quiet")
    assert told.exit_code == cli.WRONG_INPUT
    assert "would be lost" in told.output
    assert (tmp_path / "study.yaml").read_text() == SMALL


def test_check_lists_notes_of_a_sound_study_without_solving(solved):
    folder, _ = solved
    told = call("check", folder / "study.yaml")
    assert told.exit_code == 0
    assert "note: " in told.output
    assert "can be run" in told.output


def test_check_lists_every_problem_at_once_and_ends_with_two(tmp_path):
    wrong = SMALL.replace("annual_kwh", "anual_kwh").replace("count: 3", "count: -3")
    (tmp_path / "study.yaml").write_text(wrong)
    told = call("check", tmp_path)
    assert told.exit_code == cli.WRONG_INPUT
    assert "2 problems" in told.output
    assert "did you mean 'annual_kwh'" in told.output
    assert "Traceback" not in told.output
    assert not (tmp_path / "results").exists()


def test_run_writes_results_and_prints_the_table(solved):
    folder, told = solved
    assert "Uncontrolled" in told.output
    assert f"Report: {(folder / 'results' / 'report.html').resolve()}" in told.output
    manifest = json.loads((folder / "results" / "manifest.json").read_text())
    assert manifest["verified"]["lanes"] == 3
    assert {"report.html", "summary.xlsx", "results.nc"} <= set(manifest["files"])


def test_run_takes_days_and_refuses_those_outside(solved):
    folder, _ = solved
    told = call("run", folder, "--quiet", "--days", "2016-04-16, 2017-01-01")
    assert told.exit_code == cli.WRONG_INPUT
    assert "2017-01-01 lies outside" in told.output


def test_report_is_written_again_from_the_results_alone(solved):
    folder, _ = solved
    page = folder / "results" / "report.html"
    first = page.read_text(encoding="utf-8")
    page.unlink()
    told = call("report", folder)
    assert told.exit_code == 0, told.output
    second = page.read_text(encoding="utf-8")
    assert "Valley filling" in second or "valley filling" in second
    assert abs(len(second) - len(first)) < 0.05 * len(first)


def test_report_without_results_says_to_run_first(tmp_path):
    (tmp_path / "study.yaml").write_text(SMALL)
    told = call("report", tmp_path)
    assert told.exit_code == cli.WRONG_INPUT
    assert "gridimpact run" in told.output


def test_results_are_refused_a_folder_with_other_files_before_anything_is_solved(tmp_path):
    (tmp_path / "study.yaml").write_text("not: looked at")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "mine.txt").write_text("precious")
    told = call("run", tmp_path, "--quiet")
    assert told.exit_code == cli.WRONG_INPUT
    assert "no results of a study" in told.output


def test_failed_power_flows_end_with_three(solved, monkeypatch):
    folder, _ = solved
    manifest = folder / "results" / "manifest.json"
    whole = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(whole) | {"steps_failed": 2, "steps": 288}))
    monkeypatch.setattr(cli, "_solve", lambda *_, **__: None)
    monkeypatch.setattr(cli, "_finish", lambda _: None)
    told = call("run", folder)
    manifest.write_text(whole)
    assert told.exit_code == cli.FAILED_LANES
    assert "2 of 288 power flows failed" in told.output


def test_a_missing_extra_ends_with_four(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise MissingExtra("SimBench needs: pip install gridimpact[simbench]")

    monkeypatch.setattr(cli, "_solve", missing)
    told = call("run", tmp_path)
    assert told.exit_code == cli.NO_EXTRA
    assert "gridimpact[simbench]" in told.output


def test_a_missing_study_ends_with_two(tmp_path):
    told = call("run", tmp_path / "nowhere")
    assert told.exit_code == cli.WRONG_INPUT
    assert "gridimpact new" in told.output
