"""The shared study, solved and written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridimpact.records import StudyResult
from gridimpact.study.store import write_results
from tests.study import case


@pytest.fixture(scope="session")
def solved() -> StudyResult:
    """Return the shared study, solved with every strategy."""
    return case.solved_study()


@pytest.fixture(scope="session")
def written(solved: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of its results, without the page and the spreadsheet."""
    return write_results(solved, tmp_path_factory.mktemp("study") / "results", {})
