"""The error tree of the package and the record of one problem found in an input.

Inputs are checked whole: problems are collected, then raised together by `raise_problems`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class GridImpactError(Exception):
    """Root of every error this package raises on purpose."""


class InputError(GridImpactError, ValueError):
    """An input is wrong; carries every problem found, not only the first.

    Parameters
    ----------
    message : str
        Text shown to the user.
    problems : tuple of Problem
        The single findings, for programs that want to show them elsewhere.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class GridError(InputError):
    """A network cannot be used as it stands (no source, impossible data, unreadable file)."""


class InfeasibleDispatch(GridImpactError):
    """A charging plan cannot be made, even with unmet energy allowed."""


class FlowNotConverged(GridImpactError):
    """No lane of a power flow converged; the mask says which lanes failed."""

    def __init__(self, message: str, failed: Any = None) -> None:
        super().__init__(message)
        self.failed = failed


class MissingExtra(GridImpactError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it is, what stands there, how to mend it.

    Attributes
    ----------
    where : str
        Table, file or argument, with row and column where there are any (``"sessions row 12, soc_target"``).
    what : str
        What is wrong, with the value found and the range allowed.
    remedy : str
        What the user can do about it.
    severity : str
        ``"error"`` stops the study, ``"warning"`` lets it go on with a stated assumption.
    """

    where: str
    what: str
    remedy: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        """Return the problem as one line."""
        line = f"{self.where}: {self.what}"
        return f"{line} -> {self.remedy}" if self.remedy else line


def raise_problems(
    problems: Iterable[Problem], title: str, error: type[InputError] = InputError
) -> None:
    """Raise one error that lists every problem of severity ``"error"``; do nothing if there is none.

    Parameters
    ----------
    problems : iterable of Problem
        Findings of a check; warnings among them are ignored here.
    title : str
        First line of the message, naming what was checked.
    error : type
        `InputError` or `GridError`.

    Raises
    ------
    InputError
        If at least one problem is an error.

    Examples
    --------
    >>> raise_problems([Problem("vehicles row 3, capacity_kwh", "is 0, must be above 0")], "fleet")
    Traceback (most recent call last):
        ...
    gridimpact.errors.InputError: fleet: 1 problem
      1. vehicles row 3, capacity_kwh: is 0, must be above 0
    """
    errors = tuple(p for p in problems if p.severity == "error")
    if not errors:
        return
    lines = [f"{title}: {len(errors)} problem{'s' if len(errors) > 1 else ''}"]
    lines += [f"  {number}. {problem}" for number, problem in enumerate(errors, start=1)]
    raise error("\n".join(lines), errors)
