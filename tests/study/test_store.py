"""A results folder: whole or not there, honest about itself, and read back as it was."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

import gridimpact as gi
from gridimpact.errors import InputError
from gridimpact.report import write_excel, write_html
from gridimpact.study import store
from gridimpact.study.store import require_free, table_file, write_results
from gridimpact.study.store_read import read_results
from tests.study.case import FORMULA, MARKUP, files_of


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hashes(folder):
    return {name: sha(folder / name) for name in files_of(folder)}


def test_the_folder_holds_every_file_that_lets_others_solve_and_age_again(written, solved):
    found = files_of(written)
    assert {
        "manifest.json", "network.json", "sites.csv", "chargers.csv", "vehicles.csv",
        "sessions.csv", "rejected_sessions.csv", "results.nc", "summary.json",
    } <= found  # fmt: skip
    for label, assessment in solved.assessments.items():
        for name in ("violations", *assessment.tables):
            assert f"tables/{table_file(label, name)}" in found
    assert not list(written.parent.glob("*.part"))
    assert not list(written.parent.glob("*.old"))


def test_manifest_names_every_other_file_with_the_hash_it_has(written):
    manifest = json.loads((written / "manifest.json").read_text())
    assert set(manifest["files"]) == files_of(written) - {"manifest.json"}
    assert manifest["files"] == {n: h for n, h in hashes(written).items() if n != "manifest.json"}
    assert {"versions", "seed", "limits", "inputs", "engine", "verified", "steps_failed", "wall_s",
            "strategies", "sources", "days"} <= set(manifest)  # fmt: skip


def test_no_file_names_the_folder_of_the_machine_it_was_made_on(written):
    for name in ("manifest.json", "summary.json"):
        assert str(written.parent) not in (written / name).read_text()


def test_stored_arrays_carry_units_signs_and_keys(written, solved):
    data = read_results(written).dataset
    assert data["charger_p_kw"].attrs["units"] == "kW"
    assert "positive draws" in data["charger_p_kw"].attrs["sign"]
    assert data["site_bus"].dims == ("site",)
    assert data["charger_bus"].dims == ("charger",)
    assert data["price"].notnull().all()
    assert data["temp_air_c"].notnull().all()


def test_a_result_is_read_back_as_it_was_written(written, solved):
    again = read_results(written)
    pd.testing.assert_frame_equal(again.comparison, solved.comparison, check_exact=True)
    assert again.name == solved.name
    assert again.notes == solved.notes
    for name, values in solved.dataset.variables.items():
        there = again.dataset.variables[name]
        assert there.dims == values.dims, name
        assert np.array_equal(there.values, values.values) or (
            there.values.tobytes() == values.values.tobytes()
        ), name
    for label, assessment in solved.assessments.items():
        stored = again.assessments[label]
        assert dict(stored.summary) == pytest.approx(dict(assessment.summary), nan_ok=True)
        assert set(stored.tables) == set(assessment.tables)
        pd.testing.assert_frame_equal(
            stored.violations, assessment.violations, check_dtype=False, rtol=0
        )
        for name, table in assessment.tables.items():
            assert stored.tables[name].columns.tolist() == table.columns.tolist()
            assert len(stored.tables[name]) == len(table), (label, name)
    pd.testing.assert_frame_equal(again.network.sites, solved.network.sites, check_dtype=False)
    pd.testing.assert_frame_equal(again.fleet.vehicles, solved.fleet.vehicles, check_dtype=False)
    assert again.network.name == "Rural feeder"
    assert np.array_equal(again.network.grid.line_i_max_ka, solved.network.grid.line_i_max_ka)


def test_no_figure_is_exported_as_nan_or_infinity(written):
    for name in ("manifest.json", "summary.json"):
        json.loads((written / name).read_text(), parse_constant=lambda word: pytest.fail(word))


def test_a_folder_with_other_files_is_refused_and_left_alone(solved, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="no results of a study"):
        write_results(solved, tmp_path, {})
    assert files_of(tmp_path) == {"thesis.txt"}
    with pytest.raises(InputError, match="is a file"):
        require_free(tmp_path / "thesis.txt")
    require_free(tmp_path / "new")


def test_a_crash_while_writing_leaves_the_old_result_whole(solved, tmp_path):
    folder = write_results(solved, tmp_path / "results", {})
    before = hashes(folder)

    def crash(result, path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_results(solved, folder, {"report.html": crash})
    assert hashes(folder) == before
    assert {p.name for p in tmp_path.iterdir()} == {"results"}


@pytest.mark.parametrize("moment", ["_hashes", "_write_dataset", "_replace"])
def test_a_first_run_that_crashes_leaves_nothing_that_looks_finished(
    solved, tmp_path, monkeypatch, moment
):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, moment, fail)
    with pytest.raises(OSError, match="No space left"):
        write_results(solved, tmp_path / "results", {})
    assert not any(tmp_path.iterdir())
    with pytest.raises(InputError, match="no finished result"):
        read_results(tmp_path / "results")


def test_writing_again_replaces_the_result_and_leaves_no_rest(solved, tmp_path):
    folder = write_results(
        solved, tmp_path / "results", {"old.txt": lambda _, p: p.write_text("x")}
    )
    write_results(solved, folder, {})
    assert "old.txt" not in files_of(folder)
    assert {p.name for p in tmp_path.iterdir()} == {"results"}


def test_results_of_another_format_are_refused(written, tmp_path):
    manifest = json.loads((written / "manifest.json").read_text()) | {"format": 99}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="format 99"):
        read_results(tmp_path)


def test_a_formula_in_a_name_stays_text_in_csv(written):
    with (written / "sites.csv").open(newline="") as file:
        names = [row["site_id"] for row in csv.DictReader(file)]
    assert f"'{FORMULA}" in names
    for path in written.rglob("*.csv"):
        with path.open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        text = [c for c in cells if not _is_number(c)]
        assert not [c for c in text if c.startswith(("=", "+", "-", "@"))], path.name


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "''-x", "@cmd", "'quoted'", "-", "", "plain"])
def test_guarded_text_is_read_back_as_it_was(tmp_path, text):
    from gridimpact.study.files import read_table, write_csv

    write_csv(pd.DataFrame({"name": [text, "x"]}), tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv")["name"].tolist() == [text, "x"]


def test_formula_and_markup_stay_text_in_spreadsheet_and_page(solved, tmp_path):
    write_excel(solved, tmp_path / "s.xlsx")
    with zipfile.ZipFile(tmp_path / "s.xlsx") as book:
        sheets = [book.read(n).decode() for n in book.namelist() if n.startswith("xl/worksheets/s")]
    assert sheets
    assert not any("<f>" in sheet for sheet in sheets)
    write_html(solved, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert MARKUP not in page
    assert "<img src=x" not in page
    assert not re.search(r'(?:src|href)\s*=\s*["\']?(?:https?:)?//', page)


def test_labels_of_any_length_and_letters_make_file_names():
    long = "mix(strategies=[[v2g_peak_shaving, 0.3], [../../etc, 0.2]])" * 5
    name = table_file(long, "buses")
    assert re.fullmatch(r"[A-Za-z0-9_.=-]+", name)
    assert len(name) < 100
    assert table_file(long + "x", "buses") != name
    assert table_file("a/b", "buses") != table_file("a_b", "buses")


def test_a_result_with_rows_told_apart_by_settings_can_be_stored_and_read(tmp_path):
    from tests.study import case

    chosen = [gi.g2v.TransformerLimit(0.5), gi.g2v.TransformerLimit(0.7)]
    result = case.study(chosen).run("2016-04-16", progress=False)
    folder = write_results(result.record, tmp_path / "results", {})
    again = read_results(folder)
    assert list(again.assessments) == list(result.record.assessments)
    assert again.comparison.equals(result.record.comparison)
