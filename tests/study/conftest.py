"""The shared study, solved and written once."""

from __future__ import annotations

from pathlib import Path

import pytest

import gridimpact as gi
from gridimpact.records import StudyResult
from gridimpact.study.store import write_results
from tests.study import case


@pytest.fixture(scope="session")
def solved() -> StudyResult:
    """Return the shared study solved with every strategy and checked against pandapower."""
    return case.study().run(case.DAYS, verify=12, progress=False).record


@pytest.fixture(scope="session")
def written(solved: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of its results, without the page and the spreadsheet."""
    return write_results(solved, tmp_path_factory.mktemp("study") / "results", {})


@pytest.fixture(scope="session")
def result(solved: StudyResult) -> gi.Result:
    """Return the shared result as a user holds it."""
    return gi.Result(solved)
