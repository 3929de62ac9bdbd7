"""What heats the oil and what heats the winding: unequal phases and harmonics, as loadings of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray


@dataclass(frozen=True, slots=True)
class Harmonics:
    """How harmonics of the load current raise a transformer's losses.

    Attributes
    ----------
    loss_factor : float
        Harmonic loss factor of winding eddy losses, ``sum(h^2 I_h^2) / sum(I_h^2)``; 1 is a pure sine.
    stray_factor : float
        The same of other stray losses, ``sum(h^0.8 I_h^2) / sum(I_h^2)``.
    eddy_pu : float
        Winding eddy loss at rating over the I2R loss [pu].
    stray_pu : float
        Other stray loss at rating over the I2R loss [pu].

    Raises
    ------
    InputError
        If a factor is below 1 or a share negative.

    Notes
    -----
    IEEE C57.110. The factors belong to the loading at which they were measured; chargers with power
    factor correction stay near 1, so 1 is the default and a measured spectrum is asked for.
    """

    loss_factor: float = 1.0
    stray_factor: float = 1.0
    eddy_pu: float = 0.0
    stray_pu: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        least = {"loss_factor": 1.0, "stray_factor": 1.0, "eddy_pu": 0.0, "stray_pu": 0.0}
        raise_problems(
            [
                Problem(f"harmonics {name}", f"is {getattr(self, name)}, at least {low:g} needed")
                for name, low in least.items()
                if not getattr(self, name) >= low
            ],
            "thermal model",
        )

    @classmethod
    def of_spectrum(
        cls, order: ArrayLike, current: ArrayLike, *, eddy_pu: float, stray_pu: float = 0.0
    ) -> Harmonics:
        """Return the factors of a spectrum.

        Parameters
        ----------
        order : array_like
            Harmonic orders, the fundamental is 1.
        current : array_like
            Current of each, any unit.
        eddy_pu, stray_pu : float
            As the attributes.

        Examples
        --------
        >>> found = Harmonics.of_spectrum([1, 3], [1.0, 0.5], eddy_pu=0.1)
        >>> found.loss_factor
        2.6
        """
        orders, square = np.asarray(order, dtype=np.float64), np.square(current)
        total = float(square.sum())
        return cls(
            float((orders**2 * square).sum()) / total,
            float((orders**0.8 * square).sum()) / total,
            eddy_pu,
            stray_pu,
        )

    @property
    def oil(self) -> float:
        """Load loss over that of a sine of the same current [1]."""
        extra = self.loss_factor * self.eddy_pu + self.stray_factor * self.stray_pu
        return (1.0 + extra) / (1.0 + self.eddy_pu + self.stray_pu)

    @property
    def winding(self) -> float:
        """Winding loss over that of a sine of the same current [1]."""
        return (1.0 + self.loss_factor * self.eddy_pu) / (1.0 + self.eddy_pu)


SINE = Harmonics()


def thermal_loadings(
    loading_pu: ArrayLike, *, by_phase: bool = False, harmonics: Harmonics = SINE
) -> tuple[FloatArray, FloatArray]:
    """Return the loadings that heat the oil and the hottest winding.

    Parameters
    ----------
    loading_pu : array_like
        (...) current over rated current, magnitude [pu]; with `by_phase` a last axis of phases.
    by_phase : bool
        Whether the last axis holds phases.
    harmonics : Harmonics
        What the current's spectrum adds to losses.

    Returns
    -------
    tuple of numpy.ndarray
        Loading of a sine that heats the oil alike, and one that heats the hottest winding alike [pu]:
        losses of all phases heat the oil, so their mean square counts; the hot spot sits in the worst.

    Examples
    --------
    >>> oil, winding = thermal_loadings([[1.5, 0.0, 0.0]], by_phase=True)
    >>> float(oil[0].round(4)), float(winding[0])
    (0.866, 1.5)
    """
    loading = np.abs(np.asarray(loading_pu, dtype=np.float64))
    oil = np.sqrt(np.mean(np.square(loading), axis=-1)) if by_phase else loading
    worst = loading.max(axis=-1) if by_phase else loading
    return oil * np.sqrt(harmonics.oil), worst * np.sqrt(harmonics.winding)


def loss_ratio_at_tap(loss_ratio: ArrayLike, tap: ArrayLike) -> FloatArray:
    """Return load loss over no-load loss at a tap of the high-voltage winding.

    Parameters
    ----------
    loss_ratio : array_like
        At the principal tap [1].
    tap : array_like
        Turns over those of the principal tap, less 1; -0.05 takes 5 % of the turns out [1].

    Notes
    -----
    At a given voltage on that winding the flux goes with 1/turns, so iron loss with its square. At a
    given current in the other winding half of the load loss, that of the tapped winding, goes with the
    square of its current and with the length of its wire, so with 1/turns; both windings are taken to
    share the load loss evenly.

    Examples
    --------
    >>> loss_ratio_at_tap(5.0, [0.0, 0.05]).round(3)
    array([5.   , 5.381])
    """
    turns = 1.0 + np.asarray(tap, dtype=np.float64)
    ratio = np.asarray(loss_ratio, dtype=np.float64)
    return np.asarray(ratio * turns**2 * 0.5 * (1.0 + 1.0 / turns))
