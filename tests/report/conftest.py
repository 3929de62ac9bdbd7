"""The made-up village, built once for all report tests."""

from __future__ import annotations

import pytest

from tests.report.village import village_result


@pytest.fixture(scope="session")
def result():
    return village_result()
