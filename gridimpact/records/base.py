"""Array types, the note every record may carry, and how a record shows itself in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ComplexArray = NDArray[np.complex128]


class Shown:
    """A record that a notebook shows as a card; the package's front door says how."""

    card: ClassVar[Callable[[Any], str] | None] = None

    def _repr_html_(self) -> str | None:
        """Return the card, None where nobody said how to draw one."""
        return None if Shown.card is None else Shown.card(self)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader of a result must know.

    Attributes
    ----------
    kind : str
        ``"assumption"``, ``"dropped"``, ``"warning"`` or ``"info"``.
    where : str
        Table, element or setting it speaks of.
    text : str
        One sentence.
    """

    kind: str
    where: str
    text: str
