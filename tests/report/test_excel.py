"""Tables leave the house as data; text never becomes a formula or a link."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.records import Note
from gridimpact.report import csv_safe, write_excel
from gridimpact.report.violations import stacked


@pytest.fixture(scope="module")
def book(result, tmp_path_factory):
    formula = replace(
        result,
        name="=1+1",
        notes=(
            Note("info", "=cmd|' /C calc'!A0", "https://example.org/"),
            Note("info", "@x", "+1"),
        ),
        assessments={
            k: replace(a, tables={"buses": a.tables["buses"].assign(name="=1+1")})
            for k, a in result.assessments.items()
        },
    )
    path = write_excel(formula, tmp_path_factory.mktemp("excel") / "summary.xlsx")
    return openpyxl.load_workbook(path)


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(book):
    kinds, links, found = set(), 0, 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                kinds.add(cell.data_type)
                links += cell.hyperlink is not None
                found += cell.value == "=1+1" and cell.data_type == "s"
    assert "f" not in kinds
    assert links == 0
    assert found > 10


def test_workbook_holds_summary_tables_violations_and_notes(book, result):
    assert {"answer", "summary", "violations", "buses", "notes"} <= set(book.sheetnames)
    head = [cell.value for cell in book["buses"][1]]
    assert "vm_min_pu [pu]" in head
    summary = {row[0].value: row for row in book["summary"].iter_rows(min_row=2)}
    column = [cell.value for cell in book["summary"][1]].index("Uncontrolled")
    assert summary["vm_min_pu"][column].value == pytest.approx(
        result.comparison.at["uncontrolled", "vm_min_pu"]
    )
    assert summary["vm_min_pu"][1].value == "1"
    assert book["violations"].max_row == 1 + sum(
        len(a.violations) for a in result.assessments.values()
    )


def test_missing_figures_are_empty_cells(book):
    column = [cell.value for cell in book["summary"][1]].index("No added EV")
    summary = {row[0].value: row for row in book["summary"].iter_rows(min_row=2)}
    assert summary["ev_cost_per_car_eur"][column].value is None


@given(st.text(max_size=8))
@settings(max_examples=40, deadline=None)
def test_csv_text_never_begins_like_a_formula(text):
    frame = csv_safe(pd.DataFrame({"name": [text], "p_kw": [-1.5]}))
    shown = frame.at[0, "name"]
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown in (text, f"'{text}")
    assert frame.at[0, "p_kw"] == -1.5


def test_csv_safe_leaves_its_input_alone():
    frame = pd.DataFrame({"name": ["=1+1"]})
    csv_safe(frame)
    assert frame.at[0, "name"] == "=1+1"


@pytest.mark.filterwarnings("error::FutureWarning")
def test_tables_with_columns_that_hold_nothing_stack_without_a_change_of_type():
    full = pd.DataFrame({"name": ["a", "b"], "hour": [1, 2], "when": pd.Timestamp("2016-01-18")})
    blank = pd.DataFrame({"name": ["c"], "hour": [None], "when": [pd.NaT], "extra": [np.nan]})
    nothing = pd.DataFrame({"name": [None, None], "hour": [np.nan, np.nan]})
    found = stacked([full, blank, nothing, full.iloc[:0]])
    assert list(found.columns) == ["name", "hour", "when", "extra"]
    assert len(found) == 5
    assert found["name"].tolist()[:3] == ["a", "b", "c"]
    assert found["hour"].dtype == float
    assert found["when"].dtype == full["when"].dtype
    assert found["extra"].isna().all()


@pytest.mark.filterwarnings("error::FutureWarning")
def test_workbook_is_written_without_warnings_where_a_strategy_knows_nothing(result, tmp_path):
    labels = list(result.assessments)
    sites = pd.DataFrame({"kind": ["home"], "cost_eur": [3.0], "note": ["x"]})
    blank = pd.DataFrame({"kind": ["home"], "cost_eur": [np.nan], "note": [None]})
    found = {
        k: replace(a, tables={"sites": blank if k == labels[0] else sites})
        for k, a in result.assessments.items()
    }
    path = write_excel(replace(result, assessments=found), tmp_path / "summary.xlsx")
    assert openpyxl.load_workbook(path)["sites"].max_row == 1 + len(labels)
