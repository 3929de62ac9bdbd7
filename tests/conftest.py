"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of published results and check-only data, or skip."""
    place = os.environ.get("GRIDIMPACT_REFERENCE", "")
    if not place or not Path(place).is_dir():
        pytest.skip("GRIDIMPACT_REFERENCE does not name the folder of reference results")
    return Path(place)
