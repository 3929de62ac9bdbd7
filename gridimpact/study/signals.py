"""Signals that a study file names: ``signal: {file: agc.csv, capacity: 100}`` in a strategy's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gridimpact.dispatch.services import read_signal
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import InputError
from gridimpact.study.catalogue import make_strategy

SETTINGS = ("column", "capacity", "start", "step_s", "up")
"""Arguments of `read_signal` that a study file may give beside the file."""


def read_strategies(
    entries: Sequence[str | Mapping[str, Any]], resolve: Callable[[str], Path]
) -> list[Strategy]:
    """Return the strategies of a study file, the signals they name read.

    Parameters
    ----------
    entries : sequence
        As the file lists them.
    resolve : callable
        From a file's name in the study to its path.
    """
    return [
        make_strategy(with_signals(entry, resolve), f"strategies.{number}")
        for number, entry in enumerate(entries)
    ]


def with_signals(entry: Any, resolve: Callable[[str], Path]) -> Any:
    """Return an entry of strategies with every signal that names a file read.

    Parameters
    ----------
    entry : str or mapping
        As `gridimpact.study.catalogue.make_strategy` takes it; strategies inside it are looked through.
    resolve : callable
        From a file's name in the study to its path.

    Raises
    ------
    InputError
        If a signal has an unknown setting, or its file cannot be read.
    """
    if not isinstance(entry, Mapping):
        return entry
    return {
        key: _read(value, resolve)
        if key == "signal" and isinstance(value, Mapping)
        else with_signals(value, resolve)
        for key, value in entry.items()
    }


def _read(given: Mapping[str, Any], resolve: Callable[[str], Path]) -> Any:
    """Return the signal of one setting."""
    unknown = sorted(set(given) - {"file", *SETTINGS})
    if unknown or not isinstance(given.get("file"), str):
        message = (
            f"signal: has {', '.join(map(repr, sorted(given)))}; give 'file' and, where needed, "
            f"{', '.join(SETTINGS)}"
        )
        raise InputError(message)
    rest = {name: value for name, value in given.items() if name != "file"}
    return read_signal(resolve(given["file"]), **rest)
